"""Requests to e-Stat: statuses read on every answer, retries where they can help, and one pace for all of them.

Source: API 3.0 specification, 3 APIの利用方法.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import tenacity

from estat_dagster.errors import ApiError, DataLakeError, RequestTimeoutError
from estat_dagster.estat.listing import ListPage, parse_list_page
from estat_dagster.estat.models import Metadata, parse_metadata, with_names_of
from estat_dagster.estat.pace import Pace
from estat_dagster.estat.pages import ForeignAnswerError, StatsPage, parse_document, parse_stats_page
from estat_dagster.estat.transport import Answer, Patience, Transport
from estat_dagster.estat.turns import Slots, Turns
from estat_dagster.telemetry import log, span

__all__ = ["PAGE_LIMIT", "Answer", "EstatClient", "Patience"]

T = TypeVar("T")
PAGE_LIMIT = 100_000
TRACED = ("statsDataId", "startPosition", "limit")
"""The parameters that the span of a request names."""


class EstatClient:
    """A client of e-Stat's API 3.0. It may be used by many threads; all of them share its pace.

    Args:
        app_id: the application ID; it goes into every request and nowhere else.
        base_url: where the API is, such as `https://api.e-stat.go.jp/rest/3.0/app`.
        source: what the manifest names as the origin of the data; None is the address.
        connections: the most requests at once, and how many connections are kept alive.
        patience: how long to wait and how often to try.
        slots: the limit that this client shares with other processes; None has none.
    """

    def __init__(
        self,
        app_id: str,
        base_url: str,
        *,
        source: str | None = None,
        connections: int = 10,
        patience: Patience | None = None,
        slots: Slots | None = None,
    ) -> None:
        self.source = source or base_url
        self.base_url = base_url.rstrip("/")
        self._patience = patience or Patience()
        self._transport = Transport(app_id, base_url, connections=connections, patience=self._patience)
        self._turns = Turns(Pace(connections), slots)

    def get_metadata(self, dataset_id: str, *, lang: str = "J") -> Metadata:
        """Return table and axes of a dataset (getMetaInfo).

        Args:
            lang: J, or E for English; what has no English name keeps its Japanese one, which takes a second request.

        Raises:
            DataLakeError: as every request: API_ERROR, NETWORK_ERROR or TIMEOUT_ERROR; DATA_ERROR for malformed axes.
        """
        metadata = self._metadata({"statsDataId": dataset_id, **({} if lang == "J" else {"lang": lang})})
        return metadata if lang == "J" or metadata.is_named else with_names_of(metadata, self.get_metadata(dataset_id))

    def get_page(self, parameters: Mapping[str, Any]) -> tuple[Answer, StatsPage]:
        """Return one page of data (getStatsData): its bytes, and what they say."""
        kind = ("getStatsData", parameters.get("limit"), parameters.get("cntGetFlg"))
        return self.ask("getStatsData", parameters, lambda answer: (answer, parse_stats_page(answer.body)), kind=kind)

    def get_count(self, dataset_id: str, narrowing: Mapping[str, str] | None = None) -> int:
        """Return the number of records of a table, or of what the narrowing parameters leave of it (cntGetFlg)."""
        asked = {"statsDataId": dataset_id, **(narrowing or {}), "cntGetFlg": "Y", "metaGetFlg": "N"}
        return self.get_page(asked)[1].total_number

    def get_list(self, parameters: Mapping[str, Any]) -> ListPage:
        """Return one answer of getStatsList; `listing` puts them together."""
        return self.ask(
            "getStatsList", parameters, lambda answer: parse_list_page(parse_document(answer.body, "GET_STATS_LIST"))
        )

    def ask(
        self,
        function: str,
        parameters: Mapping[str, Any],
        read: Callable[[Answer], T],
        *,
        post: bool = False,
        kind: tuple[Any, ...] = (),
    ) -> T:
        """Ask any function of the API, again where that may help, and return what `read` makes of the answer.

        Args:
            function: its name, such as `getDataCatalog`.
            read: reads the answer; the errors that it raises say whether to ask again.
            post: send the parameters as a form.
            kind: which answers take about as long, for the pace; the function's where not given.

        Raises:
            DataLakeError: what `read` raises, NETWORK_ERROR or TIMEOUT_ERROR.
        """
        timeouts = 0
        traced = {name: str(parameters[name]) for name in TRACED if name in parameters}

        def attempt() -> T:
            nonlocal timeouts
            try:
                with self._turns.turn(kind or (function,)), span(function, **traced):
                    return _read(self._transport.send(function, parameters, post=post, stretch=2**timeouts), read)
            except RequestTimeoutError:
                timeouts += 1
                raise

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._may_help),
            stop=tenacity.stop_after_attempt(self._patience.tries),
            wait=self._wait,
            sleep=self._patience.sleep,
            before_sleep=lambda state: _log_retry(function, state),
            reraise=True,
        )
        return retrying(attempt)

    def _metadata(self, parameters: Mapping[str, Any]) -> Metadata:
        return self.ask(
            "getMetaInfo",
            parameters,
            lambda answer: parse_metadata(parse_document(answer.body, "GET_META_INFO"), parameters["statsDataId"]),
        )

    def _may_help(self, error: BaseException) -> bool:
        if isinstance(error, ApiError) and (error.retry_after or 0) > self._patience.most_wait:
            return False
        return isinstance(error, DataLakeError) and error.can_retry

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ApiError) else None
        first = self._patience.first_wait
        backoff = tenacity.wait_exponential_jitter(initial=first, max=16 * first, jitter=first)(state)
        return max(asked or 0.0, backoff)


def _read(answer: Answer, read: Callable[[Answer], T]) -> T:
    """Return what the body says; an error takes along the HTTP status and how long the server asked to wait."""
    try:
        return read(answer)
    except ApiError as error:
        foreign = isinstance(error, ForeignAnswerError) and not answer.ok
        if not foreign and answer.retry_after is None:
            raise
        status = answer.http_status if foreign else error.status
        gone = foreign and status == 404
        raise ApiError(
            f"HTTP {status} instead of an answer of e-Stat's." if foreign else error.message,
            status=status,
            retry=error.retry and not gone,
            retry_after=answer.retry_after,
            hint="Check ESTAT_BASE_URL." if gone else _hint(error, answer.retry_after),
        ) from None


def _hint(error: ApiError, retry_after: float | None) -> str:
    if error.retry and retry_after:
        return f"The server asks to wait {retry_after:,.0f} seconds; try again then."
    return error.hint


def _log_retry(function: str, state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    kind = error.kind if isinstance(error, DataLakeError) else type(error).__name__
    seconds = round(state.next_action.sleep, 1) if state.next_action else 0
    log("retry", f"{function}: {error}", function=function, kind=kind, tries=state.attempt_number, seconds=seconds)
