"""What a query engine is and what it answers: the interface that Athena and the embedded engine share.

No engine's own code belongs here, and nothing heavy is imported.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from estat_dagster.errors import ValidationError

if TYPE_CHECKING:
    import pyarrow as pa

    from estat_dagster.snapshots import AsOf


@dataclass(frozen=True)
class Column:
    """A column of a result.

    Args:
        name: as the query names it, `_col0`, `_col1`, ... where it does not.
        type: in Athena's words: `bigint`, `varchar`, `timestamp(6) with time zone`, `array(double)`.
    """

    name: str
    type: str


class QueryResult:
    """The answer to a query: Arrow batches that are fetched as they are read, once.

    `row_count`, `truncated`, `cursor` and `elapsed_seconds` tell of what has been read so far: `truncated` that there
    are more rows than `limit`, and `cursor`, passed to `run` with the same SQL, asks for those.
    Read it to the end, or close it: an open result holds the engine's memory.

    Args:
        schema: names and types of the columns.
        batches: the rows, not cut yet.
        sql: what ran on the engine.
        query_id: the engine's name for the query, which `cancel` takes; the same for all its pages.
        limit: the most rows to give.
        bytes_scanned: bytes of storage that the query had to look at, None if unknown.
        cost_usd: what the query costs in US dollars, None where nothing is charged.
        started: `time.monotonic()` when the query was sent.
        on_more: takes the rows beyond the limit, to keep them, and returns the cursor that asks for them, None if they
            cannot be kept. It frees the resources in `on_close`'s stead when those rows are done with.
        on_close: frees the engine's resources; called once.
    """

    def __init__(
        self,
        schema: pa.Schema,
        batches: Iterator[pa.RecordBatch],
        *,
        sql: str,
        query_id: str = "",
        limit: int | None = None,
        bytes_scanned: int | None = None,
        cost_usd: float | None = None,
        started: float | None = None,
        on_more: Callable[[Iterator[pa.RecordBatch]], str | None] | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self.schema = schema
        self.sql = sql
        self.query_id = query_id
        self.bytes_scanned = bytes_scanned
        self.cost_usd = cost_usd
        self.row_count = 0
        self.truncated = False
        self.cursor: str | None = None
        self._started = time.monotonic() if started is None else started
        self._on_more = on_more
        self._on_close = on_close
        self.elapsed_seconds = time.monotonic() - self._started
        self.batches: Iterator[pa.RecordBatch] = self._read(batches, limit)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in order, with Athena's type names."""
        from estat_dagster.query.types import column_type_name

        return tuple(Column(field.name, column_type_name(field)) for field in self.schema)

    def read_all(self) -> pa.Table:
        """Return the rows that are left as one table, and close the result."""
        import pyarrow as pa

        return pa.Table.from_batches(list(self.batches), schema=self.schema)

    def close(self) -> None:
        """Free what the engine holds. Rows that were not read are lost."""
        callback, self._on_close = self._on_close, None
        if callback:
            callback()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, batches: Iterator[pa.RecordBatch], limit: int | None) -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                room = batch.num_rows if limit is None else limit - self.row_count
                self.truncated = batch.num_rows > room
                kept = batch.slice(0, room)
                self.row_count += kept.num_rows
                self.elapsed_seconds = time.monotonic() - self._started
                if kept.num_rows:
                    yield kept
                if self.truncated:
                    self._keep(itertools.chain([batch.slice(room)], batches))
                    return
            self.elapsed_seconds = time.monotonic() - self._started
        finally:
            self.close()

    def _keep(self, rest: Iterator[pa.RecordBatch]) -> None:
        self.cursor = self._on_more(rest) if self._on_more else None
        if self.cursor is not None:
            self._on_close = None  # it belongs to the rest now


def check_limit(limit: int | None) -> None:
    """Refuse a number of rows that is none.

    Raises:
        ValidationError: it is less than 0.
    """
    if limit is not None and limit < 0:
        raise ValidationError(f"limit is {limit}; it cannot be less than 0.")


class QueryEngine(Protocol):
    """Something that answers Athena's SQL over the lake's tables, and cannot change them."""

    def run(
        self,
        sql: str,
        parameters: Sequence[object] = (),
        *,
        limit: int | None = None,
        cursor: str | None = None,
        as_of: AsOf | None = None,
        on_start: Callable[[str], None] | None = None,
    ) -> QueryResult:
        """Answer one statement: a query, SHOW TABLES, DESCRIBE or EXPLAIN.

        Args:
            sql: Athena SQL, one statement.
            parameters: values for its `?`, in the order of the text.
            limit: the most rows to return. More rows make the result `truncated`.
            cursor: that of a result which more rows follow. The SQL, its parameters and `as_of` must be the same.
            as_of: a snapshot or a moment: every table is read as it was then, but those with FOR ... AS OF.
            on_start: told the query's id before it works, so that another thread can cancel it.

        Raises:
            ValidationError: the SQL is not allowed, not right, or asks for what is not there; the cursor has expired.
            RequestTimeoutError: it ran longer than it may.
            StorageError: the tables could not be read.
            UnknownError: it was cancelled.
        """
        ...

    def explain(self, sql: str, parameters: Sequence[object] = (), *, as_of: AsOf | None = None) -> str:
        """Return how a query would be answered, without running it.

        Raises:
            ValidationError: the SQL is not allowed, not right, or asks for what is not there.
        """
        ...

    def cancel(self, query_id: str) -> bool:
        """Stop a query of this engine from another thread, and give up the rows that its cursor would ask for.

        Returns:
            Whether there was such a query. Whoever reads it meets UnknownError.
        """
        ...

    def tables(self) -> list[str]:
        """Return the names of the tables, sorted."""
        ...

    def describe(self, table: str) -> pa.Table:
        """Return a table's columns as rows of `column`, `type`, `comment`, in order.

        Raises:
            ValidationError: there is no such table.
        """
        ...
