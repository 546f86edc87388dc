"""A query that the user can cancel with Ctrl-C while the prompt stays."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from estat_dagster.commands.output import say

if TYPE_CHECKING:
    import pyarrow as pa

    from estat_dagster.query.engine import QueryEngine, QueryResult

PATIENCE = 1.0
"""Seconds after which a user is told that the query is still running."""


class _Asked(threading.Thread):
    """A query and its rows, read on a thread of its own."""

    def __init__(self, engine: QueryEngine, sql: str, limit: int) -> None:
        super().__init__(daemon=True)
        self._engine, self._sql, self._limit = engine, sql, limit
        self.query_id: str | None = None
        self.result: QueryResult | None = None
        self.table: pa.Table | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._engine.run(self._sql, limit=self._limit, on_start=self._note_id)
            self.table = self.result.read_all()
            if self.result.cursor is not None and self.result.cost_usd is None:
                self._engine.cancel(self.result.query_id)  # nobody asks for the rest
        except BaseException as error:  # it is raised again where the user waits
            self.error = error

    def _note_id(self, query_id: str) -> None:
        self.query_id = query_id


def run_interruptibly(engine: QueryEngine, sql: str, limit: int) -> QueryResult | None:
    """Return an answer whose rows are all here, None if Ctrl-C cancelled the query.

    Raises:
        DataLakeError: as `QueryEngine.run`.
    """
    asked = _Asked(engine, sql, limit)
    asked.start()
    try:
        asked.join(PATIENCE)
        if asked.is_alive():
            say("Running; Ctrl-C cancels it.")
        while asked.is_alive():
            asked.join(0.05)
    except KeyboardInterrupt:
        if asked.query_id is not None:
            engine.cancel(asked.query_id)
        return None
    if asked.error is not None:
        raise asked.error
    if asked.result is None or asked.table is None:
        return None
    asked.result.batches = iter(asked.table.to_batches())
    return asked.result
