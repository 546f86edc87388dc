"""Athena's refusals and failures as the project's errors, with the query's id, the bytes it scanned and its price.

Sources: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html (categories and types of AthenaError),
https://docs.aws.amazon.com/athena/latest/APIReference/CommonErrors.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from estat_dagster.errors import (
    DataError,
    DataLakeError,
    NetworkError,
    RequestTimeoutError,
    StorageError,
    UnknownError,
    ValidationError,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from estat_dagster.query.athena.executions import Execution

SYSTEM, USER = 1, 2
TIMED_OUT = frozenset({206, 210})
WRONG_DATA = frozenset({1001, 1002})
EXHAUSTED = range(9)

_NARROW = "Narrow it with WHERE year = ..., name the columns instead of *, or aggregate before joining."
_THROTTLED = re.compile(r"Throttl|TooManyRequests|SlowDown|RequestLimitExceeded")
_NO_RIGHT = re.compile(r"AccessDenied|UnauthorizedOperation|NotAuthorized")
_WRONG_KEY = re.compile(r"ExpiredToken|UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch|InvalidSignature")
_CUT_OFF = re.compile(r"bytes scanned limit", re.IGNORECASE)
_SETUP = "Run `estat athena-setup`, or set ATHENA_WORKGROUP to a workgroup that is there."
_LONGEST = 500


@contextmanager
def explained(operation: str) -> Iterator[None]:
    """Let botocore's errors out of the block as ours.

    Args:
        operation: what is being done, for the message.
    """
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        raise _refused(error, operation) from error
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.NoRegionError, aws.ProfileNotFound) as error:
        raise ValidationError(
            f"AWS is not configured: {error}", hint="Set AWS_REGION and credentials, as for `aws`."
        ) from error
    except (aws.ReadTimeoutError, aws.ConnectTimeoutError) as error:
        raise RequestTimeoutError(f"Athena did not answer in time ({operation}).", hint="Try again.") from error
    except (aws.HTTPClientError, aws.ConnectionError, aws.IncompleteReadError) as error:
        raise NetworkError(f"Athena cannot be reached ({operation}).", hint="Check network and AWS_REGION.") from error
    except aws.BotoCoreError as error:
        raise UnknownError(f"{operation}: {_short(str(error))}") from error


def of_failure(execution: Execution) -> DataLakeError:
    """Return the error of an execution that ended without a result."""
    reason = _short(execution.reason or "Athena gives no reason")
    kind, hint = (_of_cancelled if execution.state == "CANCELLED" else _of_failed)(execution)
    price = f"{execution.scanned_bytes:,} bytes scanned, about {execution.cost_usd:.6f} USD"
    return kind(
        f"Athena query {execution.query_id} {execution.state.lower()}: {reason.rstrip('.')} ({price}).",
        hint=hint,
        query_id=execution.query_id,
        bytes_scanned=execution.scanned_bytes,
        cost_usd=execution.cost_usd,
        athena_state=execution.state,
        athena_category=execution.category,
        athena_type=execution.type,
    )


def _of_cancelled(execution: Execution) -> tuple[type[DataLakeError], str]:
    if _CUT_OFF.search(execution.reason):
        return ValidationError, f"The workgroup's limit of bytes a query cut it off. {_NARROW}"
    return UnknownError, "It was cancelled, here or in Athena. Run it again."


def _of_failed(execution: Execution) -> tuple[type[DataLakeError], str]:
    reason, category, kind = execution.reason, execution.category, execution.type
    if kind in EXHAUSTED or "exhausted resources" in reason:
        return ValidationError, f"It needs more than Athena gives a query. {_NARROW}"
    if kind in TIMED_OUT or "timeout" in reason.lower() or "timed out" in reason.lower():
        return RequestTimeoutError, _NARROW
    if kind in WRONG_DATA:
        return DataError, "`estat doctor` looks closer at the tables."
    if category == USER and _NO_RIGHT.search(reason.replace(" ", "")):
        return StorageError, "Athena's caller lacks a right: docs/athena.md lists them."
    if category == USER:
        return ValidationError, "Check the SQL against the tables' columns and types: DESCRIBE table_name."
    if category == SYSTEM:
        return StorageError, "Athena or the storage failed. Try again."
    return UnknownError, "Look at the query's id in Athena's history."


def _refused(error: ClientError, operation: str) -> DataLakeError:
    code = error.response.get("Error", {}).get("Code", "")
    words = _short(error.response.get("Error", {}).get("Message", "") or code)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if _THROTTLED.search(code) or status == 429:
        return StorageError(f"Athena is asked too much at once ({operation}).", hint="Try again later.", code=code)
    if _NO_RIGHT.search(code):
        hint = "The credentials lack a right: docs/athena.md lists those that are needed."
        return ValidationError(f"AWS refuses {operation}: {words}", hint=hint, code=code)
    if _WRONG_KEY.search(code):
        return ValidationError("AWS refuses the credentials.", hint="Renew them, as for `aws`.", code=code)
    if "workgroup" in words.lower().replace(" ", "") and "not" in words:
        return ValidationError(f"Athena: {words}", hint=_SETUP, code=code)
    if status >= 500:
        return StorageError(f"Athena failed ({operation}): {words}", hint="Try again.", code=code)
    return ValidationError(f"Athena refuses {operation}: {words}", hint="Check the SQL and its values.", code=code)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
