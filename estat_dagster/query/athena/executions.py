"""A query on Athena, from its start to its end: asked for with growing pauses, stopped when nobody waits any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from estat_dagster.errors import DataLakeError, RequestTimeoutError
from estat_dagster.query.athena import problems
from estat_dagster.query.athena.client import Client
from estat_dagster.query.athena.prepare import Request
from estat_dagster.query.athena.prices import cost_usd

CATALOG = "AwsDataCatalog"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


@dataclass(frozen=True)
class Execution:
    """What Athena says of a query.

    Args:
        state: QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.
        statement: DML, DDL or UTILITY.
        reason: why it is in that state, where Athena says so.
        category: AthenaError's ErrorCategory: 1 system, 2 user, 3 other; None where it did not fail.
        type: AthenaError's ErrorType.
        reused: whether the rows are those of an earlier query, for which nothing is charged.
    """

    query_id: str
    state: str
    statement: str
    workgroup: str
    reason: str
    category: int | None
    type: int | None
    scanned_bytes: int
    reused: bool

    @property
    def cost_usd(self) -> float:
        """What it costs; a failed query, an explanation and a stored result cost nothing."""
        free = self.reused or self.state == "FAILED" or self.statement != "DML"
        return 0.0 if free else cost_usd(self.scanned_bytes)

    @property
    def is_over(self) -> bool:
        """Whether its state will not change any more."""
        return self.state in ("SUCCEEDED", "FAILED", "CANCELLED")


class Executions:
    """The queries of a workgroup.

    Args:
        database: where names without a database are looked for.
        seconds: the longest a query may wait and work.
        reuse_minutes: how old a stored result may be to answer the same query over the same snapshots; 0: never.
    """

    def __init__(self, client: Client, workgroup: str, database: str, *, seconds: float, reuse_minutes: int) -> None:
        self._client, self._workgroup, self._database = client, workgroup, database
        self._seconds, self._reuse_minutes = seconds, reuse_minutes

    def start(self, request: Request) -> str:
        """Send a query, and return its id."""
        arguments: dict[str, Any] = {
            "QueryString": request.sql,
            "WorkGroup": self._workgroup,
            "QueryExecutionContext": {"Catalog": CATALOG, "Database": self._database},
        }
        if request.parameters:
            arguments["ExecutionParameters"] = list(request.parameters)
        if request.repeatable and self._reuse_minutes:
            by_age = {"Enabled": True, "MaxAgeInMinutes": self._reuse_minutes}
            arguments["ResultReuseConfiguration"] = {"ResultReuseByAgeConfiguration": by_age}
        return str(self._client.call("start_query_execution", **arguments)["QueryExecutionId"])

    def finish(self, query_id: str, on_start: Callable[[str], None] | None = None) -> Execution:
        """Wait until a query has succeeded. Whatever ends the waiting before, also Ctrl-C, stops the query.

        Args:
            on_start: told the query's id first.

        Raises:
            RequestTimeoutError: it takes longer than it may.
            DataLakeError: it failed or was cancelled; see `problems`.
        """
        try:
            if on_start:
                on_start(query_id)
            execution = self._wait(query_id)
        except BaseException as error:
            self._stop_after(query_id, error)
            raise
        if execution.state != "SUCCEEDED":
            raise problems.of_failure(execution)
        return execution

    def stop(self, query_id: str) -> bool:
        """Stop a query, and return whether it was still to be stopped."""
        if self.look(query_id).is_over:
            return False
        self._client.call("stop_query_execution", QueryExecutionId=query_id)
        return True

    def look(self, query_id: str) -> Execution:
        """Return what Athena says of a query now."""
        answer = self._client.call("get_query_execution", QueryExecutionId=query_id)
        return _read(answer["QueryExecution"])

    def _wait(self, query_id: str) -> Execution:
        until, pause = time.monotonic() + self._seconds, FIRST_PAUSE
        while not (execution := self.look(query_id)).is_over:
            if time.monotonic() + pause > until:
                raise RequestTimeoutError(
                    f"Athena query {query_id} took longer than {self._seconds:g} s and was stopped.",
                    hint="Narrow it with WHERE year = ..., or ask for less at once.",
                    query_id=query_id,
                    bytes_scanned=execution.scanned_bytes,
                )
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
        return execution

    def _stop_after(self, query_id: str, error: BaseException) -> None:
        try:
            self._client.call("stop_query_execution", QueryExecutionId=query_id)
        except DataLakeError as failure:
            error.add_note(f"Athena query {query_id} could not be stopped: {failure}")


def _read(answer: Mapping[str, Any]) -> Execution:
    status, statistics = answer["Status"], answer.get("Statistics", {})
    failure = status.get("AthenaError", {})
    return Execution(
        query_id=answer["QueryExecutionId"],
        state=status["State"],
        statement=answer.get("StatementType", "DML"),
        workgroup=answer.get("WorkGroup", ""),
        reason=status.get("StateChangeReason") or failure.get("ErrorMessage", ""),
        category=failure.get("ErrorCategory"),
        type=failure.get("ErrorType"),
        scanned_bytes=statistics.get("DataScannedInBytes", 0),
        reused=statistics.get("ResultReuseInformation", {}).get("ReusedPreviousResult", False),
    )
