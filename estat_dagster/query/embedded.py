"""The engine that needs nothing but Python: Athena's SQL answered by DuckDB over the lake's own files.

Each query gets a DuckDB of its own, in a process of its own, which can read the data files of that query and nothing
else.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from estat_dagster.errors import ValidationError
from estat_dagster.query import catalogue, statements
from estat_dagster.query import parameters as values
from estat_dagster.query.cursors import Answer, Cursors, Rows
from estat_dagster.query.duck import Duck
from estat_dagster.query.engine import QueryResult, check_limit
from estat_dagster.query.tables import Tables
from estat_dagster.query.work import Work

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from estat_dagster.query.statements import Statement
    from estat_dagster.snapshots import AsOf

_GROWTH = 3  # times the limit: what DuckDB computes for some 2,000 rows at a time it does not count
_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
_OPEN_ANSWERS = 4
_OPEN_SECONDS = 300.0


class EmbeddedEngine:
    """Answers Athena's SQL with DuckDB over a namespace's Iceberg tables.

    Args:
        catalog: the lake's PyIceberg catalog.
        namespace: the database whose tables can be asked.
        memory_limit: the most memory a query may use: `500MB`, `1GB`. Nothing is spilled to disk. Its process may grow
            by three times as much.
        threads: threads a query.
        seconds: the longest a query may work.
        open_answers: answers whose further rows are kept for their cursors; each holds its memory.
        open_seconds: how long they are kept.
    """

    def __init__(
        self,
        catalog: Catalog,
        namespace: str,
        *,
        memory_limit: str = "1GB",
        threads: int = 2,
        seconds: float = 60,
        open_answers: int = _OPEN_ANSWERS,
        open_seconds: float = _OPEN_SECONDS,
    ) -> None:
        self._catalog = catalog
        self._namespace = namespace
        self._duck = Duck(memory_limit, threads)
        self._seconds = seconds
        self._most_bytes = _GROWTH * _bytes(memory_limit)
        self._cursors = Cursors(most=open_answers, seconds=open_seconds)
        self._works: dict[str, Work] = {}

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
        """Answer one statement. See `QueryEngine.run`."""
        check_limit(limit)
        started = time.monotonic()
        question = repr((sql, list(parameters), as_of))
        if cursor is not None:
            return self._page(self._cursors.take(cursor, question), limit, started)
        with self._working() as (work, stack):
            if on_start:
                on_start(work.query_id)
            statement = statements.read(sql, namespace=self._namespace)
            if statement.kind == "query":
                tree = values.bind(statement.tree, parameters)
                rows = self._duck.rows(tree, self._tables(), as_of, limit, work, stack)
            else:
                table = self._about(statement, parameters, as_of, work)
                rows = Rows(sql, table.schema, iter(table.to_batches()))
            answer = Answer(work.query_id, question, rows, close=stack.pop_all().close)
        return self._page(answer, limit, started)

    def explain(self, sql: str, parameters: Sequence[object] = (), *, as_of: AsOf | None = None) -> str:
        """Return how a query would be answered. See `QueryEngine.explain`."""
        statement = statements.read(sql, namespace=self._namespace)
        if statement.kind not in ("query", "explain"):
            raise ValidationError("Only a query has a plan.", hint="Explain one SELECT.")
        with self._working() as (work, _):
            return self._duck.plan(values.bind(statement.tree, parameters), self._tables(), as_of, work)

    def cancel(self, query_id: str) -> bool:
        """Stop a query. See `QueryEngine.cancel`."""
        work = self._works.get(query_id)
        if work is None:
            return False
        work.cancel()
        self._cursors.give_up(query_id)
        return True

    def tables(self) -> list[str]:
        """Return the names of the tables, sorted."""
        return self._tables().names()

    def describe(self, table: str) -> pa.Table:
        """Return a table's columns. See `QueryEngine.describe`."""
        return catalogue.describe(self._tables().load(table))

    def _tables(self) -> Tables:
        return Tables(self._catalog, self._namespace)

    @contextmanager
    def _working(self) -> Iterator[tuple[Work, ExitStack]]:
        """Give a new query its name and what frees its resources, at the end unless it was taken over."""
        work = Work(uuid.uuid4().hex, self._seconds, self._most_bytes)
        with ExitStack() as stack:
            stack.callback(self._works.pop, work.query_id, None)
            self._works[work.query_id] = work
            yield work, stack

    def _page(self, answer: Answer, limit: int | None, started: float) -> QueryResult:
        rows = answer.rows
        return QueryResult(
            rows.schema,
            rows.batches,
            sql=rows.sql,
            query_id=answer.query_id,
            limit=limit,
            bytes_scanned=rows.bytes_scanned,
            started=started,
            on_more=lambda rest: self._cursors.keep(replace(answer, rows=replace(rows, batches=rest))),
            on_close=answer.close,
        )

    def _about(self, statement: Statement, parameters: Sequence[object], as_of: AsOf | None, work: Work) -> pa.Table:
        """Answer SHOW TABLES, DESCRIBE and EXPLAIN."""
        if statement.kind != "explain":
            return catalogue.answer(statement, self, parameters)
        plan = self._duck.plan(values.bind(statement.tree, parameters), self._tables(), as_of, work)
        return pa.table({"Query Plan": pa.array(plan.splitlines(), pa.string())})


def _bytes(size: str) -> float:
    """Return the bytes of a size such as `500MB`."""
    return float(size[:-2]) * _UNITS[size[-2:]]
