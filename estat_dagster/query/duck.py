"""Running one query on DuckDB: its tables placed, its syntax translated, its rows fetched as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from estat_dagster.query import macros, output, problems, sources, translate
from estat_dagster.query.cursors import Rows
from estat_dagster.query.scan import Plans
from estat_dagster.query.session import connect, select

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from estat_dagster.query.scan import Scan
    from estat_dagster.query.tables import Tables
    from estat_dagster.query.work import Work
    from estat_dagster.snapshots import AsOf

_BATCH_ROWS = 10_000


class Duck:
    """Runs queries, each on a DuckDB of its own.

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
        connection = stack.enter_context(self._connection(query, work))
        with work.on(connection):
            relation = select(connection, query.sql)
            reader = relation.to_arrow_reader(_BATCH_ROWS)
        schema = output.schema(reader.schema, relation.types, all_unnamed=isinstance(tree, exp.Values))
        batches = output.within(_batches(reader, schema, work, connection), reach)
        return Rows(query.sql, schema, batches, sum(scan.bytes for scan in query.scans.values()))

    def plan(self, tree: exp.Expr, tables: Tables, as_of: AsOf | None, work: Work) -> str:
        """Return how a query would be run: the SQL for DuckDB, the bytes of each table, and DuckDB's plan."""
        query = self._prepare(tree, tables, as_of, work)
        with self._connection(query, work) as connection, work.on(connection):
            plan = select(connection, query.sql).explain()
        reads = [f"{name}: {len(scan.files)} files, {scan.bytes:,} bytes" for name, scan in query.scans.items()]
        return "\n".join([f"DuckDB SQL: {query.sql}", *reads, plan])

    def _prepare(self, tree: exp.Expr, tables: Tables, as_of: AsOf | None, work: Work) -> _Prepared:
        scans = sources.place(tree, tables, as_of, lambda expression: self._value(expression, work), self._plans.plan)
        work.columns = [name for scan in scans.values() for name in scan.columns]
        return _translated(tree, scans)

    def _value(self, expression: exp.Expr, work: Work) -> object:
        """Return the value of an expression without columns."""
        query = _translated(exp.Select(expressions=[expression.copy()]), {})
        with self._connection(query, work) as connection, work.on(connection):
            return select(connection, query.sql).to_arrow_table()[0][0].as_py()

    @contextmanager
    def _connection(self, query: _Prepared, work: Work) -> Iterator[DuckDBPyConnection]:
        with work.errors():
            connection = connect(query.scans, query.macros, self._memory_limit, self._threads)
        with closing(connection):
            yield connection


@dataclass(frozen=True)
class _Prepared:
    """A query as DuckDB gets it."""

    sql: str
    macros: list[str]
    scans: dict[str, Scan]


def _translated(tree: exp.Expr, scans: dict[str, Scan]) -> _Prepared:
    sql = translate.to_duckdb(tree)
    return _Prepared(sql, macros.creation_sql(translate.needed_macros(tree)), scans)


def _batches(
    reader: pa.RecordBatchReader, schema: pa.Schema, work: Work, connection: DuckDBPyConnection
) -> Iterator[pa.RecordBatch]:
    while True:
        with work.on(connection):
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except OSError as error:
                raise problems.of_stream(error) from error
        yield output.fit(batch, schema)
