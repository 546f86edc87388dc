"""The seven kinds of error, what each means for a retry, and what a user reads.

Every failure that a user can meet is one of these. A message says what was wrong; the hint says what to do.
Secrets never get in: the e-Stat client scrubs the appId before it raises.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DataLakeError(Exception):
    """An expected failure.

    Args:
        message: one sentence that says what was wrong.
        hint: one sentence that says what to do about it.
        context: facts for logs and machine readers, never secrets.
    """

    kind: ClassVar[str] = "UNKNOWN_ERROR"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    @property
    def can_retry(self) -> bool:
        """Whether the same request may succeed later."""
        return self.retryable

    def to_dict(self) -> dict[str, Any]:
        """Return the error as design.md section 6 writes it: success, error, error_message, context, message."""
        return {
            "success": False,
            "error": self.kind,
            "error_message": self.message,
            "context": self.context,
            "message": self.hint,
        }


class ApiError(DataLakeError):
    """e-Stat answered, and its answer is a refusal or not e-Stat's.

    Args:
        status: e-Stat's own RESULT.STATUS, or the HTTP status where the body was not e-Stat's.
        retry: whether a retry can mend it (STATUS 200-299, HTTP 408, 429, 5xx, a foreign body).
        retry_after: seconds that the server asked to wait.
    """

    kind = "API_ERROR"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry: bool = False,
        retry_after: float | None = None,
        hint: str = "",
        **context: Any,
    ) -> None:
        super().__init__(message, hint=hint, status=status, **context)
        self.status = status
        self.retry = retry
        self.retry_after = retry_after

    @property
    def can_retry(self) -> bool:
        """Whether the same request may succeed later."""
        return self.retry


class NetworkError(DataLakeError):
    """The connection could not be made or broke off."""

    kind = "NETWORK_ERROR"
    retryable = True


class RequestTimeoutError(DataLakeError):
    """No answer came in time."""

    kind = "TIMEOUT_ERROR"
    retryable = True


class StorageError(DataLakeError):
    """The lake could not be read or written.

    Args:
        retry: whether the same call may succeed later; not with a full disk or expired credentials.
    """

    kind = "STORAGE_ERROR"
    retryable = True

    def __init__(self, message: str, *, retry: bool = True, hint: str = "", **context: Any) -> None:
        super().__init__(message, hint=hint, **context)
        self.retry = retry

    @property
    def can_retry(self) -> bool:
        """Whether the same call may succeed later."""
        return self.retry


class DamagedError(StorageError):
    """A file of the lake is there and is not what was written."""

    def __init__(self, message: str, *, hint: str = "", **context: Any) -> None:
        super().__init__(message, retry=False, hint=hint, **context)


class DataError(DataLakeError):
    """The data itself is not what it must be: incomplete, contradictory, or absent."""

    kind = "DATA_ERROR"


class ValidationError(DataLakeError):
    """What the user gave is wrong: an id, a filter, a SQL text."""

    kind = "VALIDATION_ERROR"


class UnknownError(DataLakeError):
    """Anything that no other kind describes."""
