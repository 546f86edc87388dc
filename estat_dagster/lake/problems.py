"""Errors of the disk, of S3, of Glue and of PyIceberg as ours: what could not be done, why, and what mends it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from estat_dagster.errors import DamagedError, DataLakeError, StorageError

BENEATH = {"botocore", "boto3", "pyiceberg", "sqlalchemy", "sqlite3", "urllib3"}
"""The libraries between us and the bytes; what else fails is a mistake of ours, and is not hidden."""

BUSY = "The store is busy; try again in a minute. Fewer loads at once help."
CREDENTIALS = "Renew the AWS credentials, such as with `aws sso login`, and look at `estat doctor`."
REGION = "Set AWS_REGION, such as AWS_REGION=ap-northeast-1."
RIGHTS = "The credentials need read and write access to the lake's bucket and Glue database."
SPACE = "Make space on the disk, or set DATALAKE_HOME to another one; nothing was left half-written."
WRITABLE = "Check DATALAKE_HOME: the folder cannot be written by this user."
REMAKE = "`estat load ID --force` makes a dataset's files again"
MISSING = f"{REMAKE}, `estat maintain TABLE --repair` a table's (docs/lake.md); or restore it from a backup."
CATALOG = "Put back a copy of it; without one, move it away and load the datasets again with `--force` (docs/lake.md)."
METADATA = "Point the catalog at an older metadata file of the table (docs/lake.md, Restore); its rows are not lost."
REACH = "Check the network, AWS_REGION and AWS_ENDPOINT_URL; `estat doctor` tells more."
OTHER = "Check DATALAKE_HOME and that the folder can be written and has space; `estat doctor` tells more."

# The first whose words the error says: (words, hint, whether the same call may succeed later).
CASES = (
    (
        r"expired|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|UnrecognizedClient"
        r"|INVALID_(ACCESS_KEY_ID|SIGNATURE|CLIENT_TOKEN_ID)|Unable to locate credentials|NoCredentials",
        CREDENTIALS,
        False,
    ),
    (r"specify a region|NoRegion", REGION, False),
    (r"AccessDenied|ACCESS_DENIED|Forbidden|HTTP (status|response code) 40[13]", RIGHTS, False),
    (r"No space left|disk is full|disk full|File too large|quota", SPACE, False),
    (r"No such file|Path does not exist|Cannot open file, does not exist", MISSING, False),
    (r"not a database|disk image is malformed", CATALOG, False),
    (r"TableMetadata", METADATA, False),
    (r"Permission denied|Read-only|readonly|unable to open database", WRITABLE, False),
    (
        r"SlowDown|SLOW_DOWN|Throttl|TooManyRequests|ServiceUnavailable|SERVICE_UNAVAILABLE|reduce your request rate"
        r"|HTTP (status|response code) (503|429)|database is locked|branch main has changed|ConcurrentModification"
        r"|been updated by another process",
        BUSY,
        True,
    ),
    (r"time(d)? ?out|NETWORK_CONNECTION|Could not connect|Connection|curlCode", REACH, True),
)


@contextlib.contextmanager
def explaining(
    action: str, *, but: tuple[type[Exception], ...] = (), hint: str = "", reading: bool = False, **context: Any
) -> Iterator[None]:
    """Raise what goes wrong beneath as ours.

    Args:
        action: what could not be done, as the beginning of the message: "s3://lake/x could not be written".
        but: errors that the caller has its own words for; they pass.
        hint: what to do, where it is not about the lake.
        reading: whether a file is only read, so that what Arrow cannot make out is the file's fault.
        context: facts for logs.

    Raises:
        DamagedError: a file is not what was written.
        StorageError: a library beneath, or the system, failed. Every other error passes as it is.
    """
    try:
        yield
    except DataLakeError:
        raise
    except Exception as error:
        if isinstance(error, but):
            raise
        words = _words(error, action)
        if reading and _is_damage(error):
            raise DamagedError(f"{action}: a file is damaged ({words}).", hint=hint or MISSING, **context) from error
        if not is_beneath(error):
            raise
        advice, again = _advice(words)
        raise StorageError(f"{action}: {words}.", hint=hint or advice, retry=again, **context) from error


def is_beneath(error: Exception) -> bool:
    """Whether an error comes from the system or from a library between us and the bytes."""
    return isinstance(error, OSError | pa.ArrowInvalid) or type(error).__module__.partition(".")[0] in BENEATH


def _is_damage(error: Exception) -> bool:
    """Whether Arrow found no sense in what it read; what the system or S3 refuses is told by number or by name."""
    if isinstance(error, OSError):
        return error.errno is None and not re.search(r"\[errno|AWS Error", str(error))
    return isinstance(error, pa.ArrowInvalid | UnicodeDecodeError)


def _advice(words: str) -> tuple[str, bool]:
    for pattern, hint, again in CASES:
        if re.search(pattern, words, re.IGNORECASE):
            return hint, again
    return OTHER, True


def _words(error: Exception, action: str) -> str:
    """Return the error in a line: of Arrow's its file and its end, `Detail: [errno 13] Permission denied`; of SQL's its
    cause. A file that the action names is not named again."""
    words = " ".join(str(getattr(error, "orig", None) or error).split())
    _, detail, reason = words.rpartition("[errno ")
    if not detail:
        return (words or type(error).__name__).rstrip(".")
    file = re.search(r"'([^']*/[^']+)'", words)
    where = f"{file[1]}: " if file and file[1] not in action else ""
    return where + reason.partition("] ")[2]
