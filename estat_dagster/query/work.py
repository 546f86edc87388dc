"""DuckDB's work for one query: bounded in time and memory, stopped when somebody asks, its errors made ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from estat_dagster.query import problems
from estat_dagster.query.budget import Budget
from estat_dagster.query.worker.wire import Kind

if TYPE_CHECKING:
    from estat_dagster.query.worker.process import Process


class Work:
    """What one query does, under a name by which it can be cancelled.

    Args:
        query_id: the name.
        seconds: the longest that DuckDB may work for it.
        most_bytes: how far its process may grow while it works.
    """

    def __init__(self, query_id: str, seconds: float, most_bytes: float) -> None:
        self.query_id = query_id
        self.columns: list[str] = []
        """Names of the columns of its tables, for the hints of errors."""
        self._budget = Budget(seconds, most_bytes)

    def cancel(self) -> None:
        """Stop it: whoever waits for it meets UnknownError."""
        self._budget.cancel()

    def ask(self, process: Process, *messages: bytes) -> tuple[Kind, bytes]:
        """Send messages to the query's process, and return the kind and the body of its answer.

        Raises:
            RequestTimeoutError: the time is used up.
            ValidationError: so is the memory.
            UnknownError: it was cancelled, or the process ended by itself.
            DataLakeError: DuckDB's error, as ours.
        """
        answer = self._budget.spend(process, *messages)
        kind, body = Kind(answer[:1]), answer[1:]
        if kind is Kind.FAILED:
            raise problems.translate(*json.loads(body), columns=self.columns)
        return kind, body
