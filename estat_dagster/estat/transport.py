"""One request to e-Stat as bytes out and bytes in: time-outs, whole bodies, gzip, and no appId in any error.

Whether an answer is e-Stat's, what it says, and whether to ask again is decided above.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3
from isal import igzip
from isal.igzip_lib import IsalError

from estat_dagster.errors import ApiError, DataLakeError, NetworkError, RequestTimeoutError
from estat_dagster.estat.secrets import guard_loggers, scrub

PIECE = 1 << 16


@dataclass(frozen=True)
class Patience:
    """How long to wait and how often to try: 1, 2, 4, 8, 16 s with jitter, five tries; longer after a time-out.

    `read_timeout` bounds the wait for the next bytes, `total_timeout` the whole answer: one that trickles in for ever
    ends too. A server that asks for more than `most_wait` seconds is not waited for.
    """

    tries: int = 5
    first_wait: float = 1.0
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    total_timeout: float = 300.0
    most_wait: float = 300.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Answer:
    """A body twice, as it came over the wire (gzip) and unpacked; the HTTP status, and how long to wait if asked to."""

    wire: bytes
    body: bytes
    http_status: int = 200
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the HTTP status is one of success."""
        return self.http_status < 400


class Transport:
    """Connections to one address, kept alive.

    Args:
        app_id: goes into every request and nowhere else.
        base_url: where the API is.
        connections: how many are kept.
    """

    def __init__(self, app_id: str, base_url: str, *, connections: int, patience: Patience) -> None:
        self._app_id, self._base_url, self._patience = app_id, base_url.rstrip("/"), patience
        self._session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        guard_loggers()

    def send(self, function: str, parameters: Mapping[str, Any], *, post: bool = False, stretch: int = 1) -> Answer:
        """Send a request and return the answer, whatever its HTTP status.

        Args:
            post: send the parameters as a form.
            stretch: how many times the usual time-outs to wait.

        Raises:
            ApiError: the body's gzip is broken.
            NetworkError: the connection cannot be made, or breaks off before the body is whole.
            RequestTimeoutError: no bytes came for too long, or not all of them in time.
        """
        patience = self._patience
        given = {"appId": self._app_id, **parameters}
        deadline = time.monotonic() + patience.total_timeout * stretch
        try:
            with self._session.request(
                "POST" if post else "GET",
                f"{self._base_url}/json/{function}",
                params=None if post else given,
                data=given if post else None,
                headers={"Accept-Encoding": "gzip"},
                timeout=(patience.connect_timeout * stretch, patience.read_timeout * stretch),
                stream=True,
            ) as response:
                return _answer(response, _read(response.raw, deadline))
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
            failure: DataLakeError = RequestTimeoutError(
                f"e-Stat did not answer {function} in time.", hint=self._hint, detail=_words(error)
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            failure = NetworkError(f"e-Stat could not be reached for {function}: {_words(error)}.", hint=self._hint)
        # Raised out here, where no `__context__` is: the library's error holds the URL, and so the appId.
        raise failure

    @property
    def _hint(self) -> str:
        return f"Check the connection to {self._base_url}; `estat doctor` tells more."


def seconds_to_wait(header: str, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After (seconds or an HTTP date) asks to wait, None where it cannot be read."""
    header = header.strip()
    if header.isascii() and header.isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def _read(raw: Any, deadline: float) -> bytes:
    """Return a body as sent; `read1` gives what has come, so that the clock is looked at even while a body drips."""
    pieces = []
    while piece := raw.read1(PIECE, decode_content=False):
        pieces.append(piece)
        if time.monotonic() > deadline:
            raise TimeoutError("the body did not end")
    return b"".join(pieces)


def _answer(response: requests.Response, raw: bytes) -> Answer:
    """Return the body as sent and unpacked; one that was sent plain is packed here."""
    facts = (response.status_code, seconds_to_wait(response.headers.get("Retry-After", "")))
    if response.headers.get("Content-Encoding", "").lower() != "gzip":
        return Answer(gzip.compress(raw, mtime=0), raw, *facts)
    try:
        return Answer(raw, igzip.decompress(raw), *facts)
    except (OSError, EOFError, IsalError) as error:  # type: ignore[misc]  # its stub calls the class an error
        raise ApiError(
            f"The answer's gzip is broken: {error}.",
            retry=True,
            retry_after=facts[1],
            hint="It may have been cut short; try again.",
        ) from None


def _words(error: Exception) -> str:
    """Return what the innermost cause says, without URLs and their appId."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__ or getattr(cause, "reason", None)) and inner is not cause:
        if not isinstance(inner, BaseException):
            break
        cause = inner
    words = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return scrub(str(words)).rstrip(".")
