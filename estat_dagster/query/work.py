"""DuckDB's work for one query: bounded in time, stopped when somebody asks, its errors made ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from estat_dagster.query import problems
from estat_dagster.query.budget import Budget

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Work:
    """What one query does, under a name by which it can be cancelled.

    Args:
        query_id: the name.
        seconds: the longest that DuckDB may work for it.
        most_bytes: how far the process may grow while it works.
    """

    def __init__(self, query_id: str, seconds: float, most_bytes: float) -> None:
        self.query_id = query_id
        self.columns: list[str] = []
        """Names of the columns of its tables, for the hints of errors."""
        self._budget = Budget(seconds, most_bytes)

    def cancel(self) -> None:
        """Stop it: whoever waits for it meets UnknownError."""
        self._budget.cancel()

    @contextmanager
    def on(self, connection: DuckDBPyConnection) -> Iterator[None]:
        """Let the connection work.

        Raises:
            RequestTimeoutError: the time is used up.
            ValidationError: so is the memory.
            UnknownError: it was cancelled.
            DataLakeError: DuckDB's error, as ours.
        """
        with self.errors(), self._budget.spend(connection):
            yield

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Let DuckDB's errors be ours.

        Raises:
            DataLakeError: DuckDB's error, as ours.
        """
        try:
            yield
        except duckdb.Error as error:
            raise problems.translate(error, self.columns) from error
