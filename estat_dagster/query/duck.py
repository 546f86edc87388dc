"""Running one query on DuckDB: its tables placed, its syntax translated, its rows fetched as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from estat_dagster.query import macros, output, sources, translate
from estat_dagster.query.cursors import Rows
from estat_dagster.query.scan import Plans, select_sql
from estat_dagster.query.worker import wire
from estat_dagster.query.worker.process import pool
from estat_dagster.query.worker.sql import Question, quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from estat_dagster.query.scan import Scan
    from estat_dagster.query.tables import Tables
    from estat_dagster.query.work import Work
    from estat_dagster.query.worker.process import Process
    from estat_dagster.snapshots import AsOf


class Duck:
    """Runs queries, each on a DuckDB of its own, in a process of its own.

    Args:
        memory_limit: the most memory a query may use, as DuckDB writes it.
        threads: threads a query.
    """

    def __init__(self, memory_limit: str, threads: int) -> None:
        self._memory_limit = memory_limit
        self._threads = threads
        self._plans = Plans()

    def rows(
        self, tree: exp.Expr, tables: Tables, as_of: AsOf | None, limit: int | None, work: Work, stack: ExitStack
    ) -> Rows:
        """Return the rows of a query.

        Args:
            tree: the query, with its parameters; it is used up.
            limit: rows a page.
            stack: closes what the rows need.
        """
        reach = output.limit_sorted(tree, limit)
        query = self._prepare(tree, tables, as_of, work)
        process = stack.enter_context(pool().process())
        _, head = work.ask(process, *self._messages(query))
        schema = output.schema(*wire.read_schema(head), all_unnamed=isinstance(tree, exp.Values))
        batches = output.within(_batches(process, schema, work), reach)
        return Rows(query.sql, schema, batches, sum(scan.bytes for scan in query.scans.values()))

    def plan(self, tree: exp.Expr, tables: Tables, as_of: AsOf | None, work: Work) -> str:
        """Return how a query would be run: the SQL for DuckDB, the bytes of each table, and DuckDB's plan."""
        query = self._prepare(tree, tables, as_of, work)
        with pool().process() as process:
            _, plan = work.ask(process, *self._messages(query, plan=True))
        reads = [f"{name}: {len(scan.files)} files, {scan.bytes:,} bytes" for name, scan in query.scans.items()]
        return "\n".join([f"DuckDB SQL: {query.sql}", *reads, plan.decode()])

    def _prepare(self, tree: exp.Expr, tables: Tables, as_of: AsOf | None, work: Work) -> _Prepared:
        pool().start()
        scans = sources.place(tree, tables, as_of, lambda expression: self._value(expression, work), self._plans.plan)
        work.columns = [name for scan in scans.values() for name in scan.columns]
        return _translated(tree, scans)

    def _value(self, expression: exp.Expr, work: Work) -> object:
        """Return the value of an expression without columns."""
        query = _translated(exp.Select(expressions=[expression.copy()]), {})
        with pool().process() as process:
            work.ask(process, *self._messages(query))
            _, batch = work.ask(process, wire.NEXT)
        return wire.read_batch(batch)[0][0].as_py()

    def _messages(self, query: _Prepared, *, plan: bool = False) -> list[bytes]:
        """Return what DuckDB's process is sent: the question, and the rows that were read already."""
        rows = {f"{name} rows": scan.rows for name, scan in query.scans.items() if scan.rows is not None}
        question = Question(
            sql=query.sql,
            views={name: _view(name, scan) for name, scan in query.scans.items()},
            files=[path for scan in query.scans.values() for path in scan.files],
            macros=query.macros,
            memory_limit=self._memory_limit,
            threads=self._threads,
            plan=plan,
        )
        return [wire.question(question, list(rows)), *map(wire.table, rows.values())]


def _view(name: str, scan: Scan) -> str:
    return select_sql(scan) if scan.rows is None else f"SELECT * FROM {quoted(f'{name} rows')}"  # noqa: S608 - quoted


@dataclass(frozen=True)
class _Prepared:
    """A query as DuckDB gets it."""

    sql: str
    macros: list[str]
    scans: dict[str, Scan]


def _translated(tree: exp.Expr, scans: dict[str, Scan]) -> _Prepared:
    sql = translate.to_duckdb(tree)
    return _Prepared(sql, macros.creation_sql(translate.needed_macros(tree)), scans)


def _batches(process: Process, schema: pa.Schema, work: Work) -> Iterator[pa.RecordBatch]:
    while True:
        kind, body = work.ask(process, wire.NEXT)
        if kind is wire.Kind.END:
            return
        yield output.fit(wire.read_batch(body), schema)
