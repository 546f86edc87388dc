"""Requests to e-Stat: one connection pool, statuses read on every answer, retries where they can help.

What is asked and answered is decided here; how many requests run side by side is `fetch`'s matter.
Source: API 3.0 specification, 3 APIの利用方法.
"""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
import tenacity
import urllib3

from estat_dagster.errors import ApiError, DataLakeError, NetworkError, RequestTimeoutError
from estat_dagster.estat.listing import ListPage, parse_list_page
from estat_dagster.estat.models import Metadata, parse_axes, parse_table
from estat_dagster.estat.pages import ForeignAnswerError, StatsPage, parse_document, parse_stats_page
from estat_dagster.estat.secrets import guard_loggers, scrub
from estat_dagster.telemetry import log

T = TypeVar("T")
PAGE_LIMIT = 100_000


@dataclass(frozen=True)
class Patience:
    """How long to wait and how often to try: 1, 2, 4, 8, 16 s with jitter, five tries; longer after a time-out."""

    tries: int = 5
    first_wait: float = 1.0
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Answer:
    """A body twice: as it came over the wire (gzip) and unpacked."""

    wire: bytes
    body: bytes


class EstatClient:
    """A client of e-Stat's API 3.0.

    Args:
        app_id: the application ID; it goes into every URL and nowhere else.
        base_url: where the API is, such as `https://api.e-stat.go.jp/rest/3.0/app`.
        source: what the manifest names as the origin of the data; None is the address.
        connections: how many connections are kept alive.
    """

    def __init__(
        self,
        app_id: str,
        base_url: str,
        *,
        source: str | None = None,
        connections: int = 10,
        patience: Patience | None = None,
    ) -> None:
        self._app_id = app_id
        self.source = source or base_url
        self.base_url = base_url.rstrip("/")
        self._patience = patience or Patience()
        self._session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        guard_loggers()

    def get_metadata(self, dataset_id: str) -> Metadata:
        """Return table and axes of a dataset (getMetaInfo).

        Raises:
            DataLakeError: as every request: API_ERROR, NETWORK_ERROR or TIMEOUT_ERROR.
        """
        node = self._ask(
            "getMetaInfo",
            {"statsDataId": dataset_id},
            lambda answer: parse_document(answer.body, "GET_META_INFO"),
        )
        inf = node.get("METADATA_INF") or {}
        return Metadata(parse_table(inf.get("TABLE_INF") or {"@id": dataset_id}), parse_axes(inf.get("CLASS_INF")))

    def get_page(self, parameters: Mapping[str, Any]) -> tuple[Answer, StatsPage]:
        """Return one page of data (getStatsData): its bytes, and what they say."""
        return self._ask("getStatsData", parameters, lambda answer: (answer, parse_stats_page(answer.body)))

    def get_count(self, dataset_id: str) -> int:
        """Return the number of records of a whole table (getStatsData with cntGetFlg)."""
        _, page = self.get_page({"statsDataId": dataset_id, "cntGetFlg": "Y", "metaGetFlg": "N"})
        return page.total_number

    def get_list(self, parameters: Mapping[str, Any]) -> ListPage:
        """Return one answer of getStatsList; `listing` puts them together."""
        return self._ask(
            "getStatsList", parameters, lambda answer: parse_list_page(parse_document(answer.body, "GET_STATS_LIST"))
        )

    def _ask(self, function: str, parameters: Mapping[str, Any], read: Callable[[Answer], T]) -> T:
        timeouts = 0

        def attempt() -> T:
            nonlocal timeouts
            try:
                return self._once(function, parameters, read, stretch=2**timeouts)
            except RequestTimeoutError:
                timeouts += 1
                raise

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, DataLakeError) and error.can_retry),
            stop=tenacity.stop_after_attempt(self._patience.tries),
            wait=self._wait,
            sleep=self._patience.sleep,
            before_sleep=lambda state: _log_retry(function, state),
            reraise=True,
        )
        return retrying(attempt)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ApiError) else None
        first = self._patience.first_wait
        backoff = tenacity.wait_exponential_jitter(initial=first, max=16 * first, jitter=first)(state)
        return max(asked or 0.0, backoff)

    def _once(self, function: str, parameters: Mapping[str, Any], read: Callable[[Answer], T], *, stretch: int) -> T:
        patience = self._patience
        url = f"{self.base_url}/json/{function}"
        try:
            with self._session.get(
                url,
                params={"appId": self._app_id, **parameters},
                headers={"Accept-Encoding": "gzip"},
                timeout=(patience.connect_timeout * stretch, patience.read_timeout * stretch),
                stream=True,
            ) as response:
                raw = response.raw.read(decode_content=False)
                return _read_answer(response, raw, read)
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            failure: DataLakeError = RequestTimeoutError(
                f"e-Stat did not answer {function} in time.", hint=_reach_hint(self.base_url), detail=_words(error)
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            failure = NetworkError(
                f"e-Stat could not be reached for {function}: {_words(error)}.", hint=_reach_hint(self.base_url)
            )
        # Raised out here, where no `__context__` is: the library's error holds the URL, and so the appId.
        raise failure


def _read_answer(response: requests.Response, raw: bytes, read: Callable[[Answer], T]) -> T:
    answer = _unpack(raw, response.headers.get("Content-Encoding", ""))
    try:
        return read(answer)
    except ForeignAnswerError as error:
        if response.ok:
            raise
        after = response.headers.get("Retry-After", "")
        raise ApiError(
            f"HTTP {response.status_code} instead of an answer of e-Stat's.",
            status=response.status_code,
            retry=response.status_code != 404,
            retry_after=float(after) if after.isdecimal() else None,
            hint="Check ESTAT_BASE_URL." if response.status_code == 404 else error.hint,
        ) from None


def _unpack(raw: bytes, encoding: str) -> Answer:
    """Return the body as sent and unpacked; one that was sent plain is packed here."""
    if encoding.lower() != "gzip":
        return Answer(gzip.compress(raw, mtime=0), raw)
    try:
        return Answer(raw, gzip.decompress(raw))
    except (OSError, EOFError, zlib.error) as error:
        raise ApiError(
            f"The answer's gzip is broken: {error}.", retry=True, hint="It may have been cut short; try again."
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


def _reach_hint(base_url: str) -> str:
    return f"Check the connection to {base_url}; `estat doctor` tells more."


def _log_retry(function: str, state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    kind = error.kind if isinstance(error, DataLakeError) else type(error).__name__
    seconds = round(state.next_action.sleep, 1) if state.next_action else 0
    log("retry", f"{function}: {error}", function=function, kind=kind, tries=state.attempt_number, seconds=seconds)
