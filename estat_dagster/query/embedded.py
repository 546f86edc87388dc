"""The engine that needs nothing but Python: Athena's SQL answered by DuckDB over the lake's own files.

Each query gets a DuckDB of its own, which can read the data files of that query and nothing else.
"""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query import macros, output, parameters, problems, pruning, statements, tables, translate
from estat_dagster.query.budget import Budget
from estat_dagster.query.engine import QueryResult
from estat_dagster.query.scan import Scan, plan
from estat_dagster.query.session import SCHEMA, connect, select
from estat_dagster.query.types import iceberg_type_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from pyiceberg.catalog import Catalog

_BATCH_ROWS = 10_000


class EmbeddedEngine:
    """Answers Athena's SQL with DuckDB over the current snapshots of a namespace's Iceberg tables.

    Args:
        catalog: the lake's PyIceberg catalog.
        namespace: the database whose tables can be asked.
        memory_limit: the most memory a query may use, as DuckDB writes it. Nothing is spilled to disk.
        threads: threads a query.
        seconds: the longest a query may work.
    """

    def __init__(
        self, catalog: Catalog, namespace: str, *, memory_limit: str = "1GB", threads: int = 2, seconds: float = 60
    ) -> None:
        self._catalog = catalog
        self._namespace = namespace
        self._memory_limit = memory_limit
        self._threads = threads
        self._seconds = seconds

    def run(self, sql: str, parameters: Sequence[object] = (), *, limit: int | None = None) -> QueryResult:
        """Answer one statement. See `QueryEngine.run`."""
        if limit is not None and limit < 0:
            raise ValidationError(f"limit is {limit}; it cannot be less than 0.")
        statement = statements.read(sql, namespace=self._namespace)
        match statement.kind:
            case "show_tables":
                names = [name for name in self.tables() if _matches(name, statement.pattern)]
                return _answer(pa.table({"tab_name": pa.array(names, pa.string())}), sql, limit)
            case "describe":
                return _answer(self.describe(statement.table), sql, limit)
            case "explain":
                return self._query(statement.tree, parameters, limit=limit, explain=True)
            case _:
                return self._query(statement.tree, parameters, limit=limit)

    def tables(self) -> list[str]:
        """Return the names of the tables, sorted."""
        return tables.Tables(self._catalog, self._namespace).names()

    def describe(self, table: str) -> pa.Table:
        """Return a table's columns. See `QueryEngine.describe`."""
        fields = tables.Tables(self._catalog, self._namespace).load(table).schema().fields
        return pa.table(
            {
                "column": pa.array([field.name for field in fields], pa.string()),
                "type": pa.array([iceberg_type_name(field.field_type) for field in fields], pa.string()),
                "comment": pa.array([field.doc for field in fields], pa.string()),
            }
        )

    def _query(
        self, tree: exp.Expr, values: Sequence[object], *, limit: int | None, explain: bool = False
    ) -> QueryResult:
        started = time.monotonic()
        tree = parameters.bind(tree, values)
        scans = self._place_scans(tree)
        if limit is not None and not explain:
            output.limit_rows(tree, limit + 1)
        sql = translate.to_duckdb(tree)
        macro_sql = macros.creation_sql(translate.needed_macros(tree))
        work = _Work(Budget(self._seconds), scans.values())
        with work.errors(), ExitStack() as stack:
            connection = stack.enter_context(closing(connect(scans, macro_sql, self._memory_limit, self._threads)))
            with work.on(connection):
                relation = select(connection, sql)
                if explain:
                    return _answer(_plan_table(relation, sql, scans), sql, limit)
                reader = relation.to_arrow_reader(_BATCH_ROWS)
            schema = output.schema(reader.schema, relation.types, all_unnamed=isinstance(tree, exp.Values))
            return QueryResult(
                schema,
                _batches(reader, schema, work, connection),
                sql=sql,
                limit=limit,
                bytes_scanned=sum(scan.bytes for scan in scans.values()),
                started=started,
                on_close=stack.pop_all().close,
            )

    def _place_scans(self, tree: exp.Expr) -> dict[str, Scan]:
        """Plan what is read for each table that the query names, and let the query name DuckDB's view of it instead."""
        catalog = tables.Tables(self._catalog, self._namespace)
        references = tables.references(tree)
        loaded = {id(reference): catalog.load(reference.name) for reference in references}
        schemas = {key: table.schema() for key, table in loaded.items()}
        filters = [pruning.row_filter(reference, schemas) for reference in references]
        scans: dict[str, Scan] = {}
        views: dict[tuple[str, str], str] = {}
        for reference, row_filter in zip(references, filters, strict=True):
            name = reference.name.lower()
            key = (name, repr(row_filter))
            if key not in views:
                views[key] = name if name not in scans else f"{name} ({len(scans)})"
                scans[views[key]] = plan(loaded[id(reference)], row_filter)
            tables.rename(reference, views[key], SCHEMA)
        tables.strip_namespace(tree, self._namespace)
        return scans


class _Work:
    """DuckDB's work for one query: bounded in time, its errors made ours."""

    def __init__(self, budget: Budget, scans: Iterable[Scan]) -> None:
        self._budget = budget
        self._columns = [field.name for scan in scans for field in scan.schema.fields]

    @contextmanager
    def on(self, connection: DuckDBPyConnection) -> Iterator[None]:
        with self.errors(), self._budget.spend(connection):
            yield

    @contextmanager
    def errors(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise problems.translate(error, self._columns) from error


def _batches(
    reader: pa.RecordBatchReader, schema: pa.Schema, work: _Work, connection: DuckDBPyConnection
) -> Iterator[pa.RecordBatch]:
    while True:
        with work.on(connection):
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
        yield output.fit(batch, schema)


def _answer(table: pa.Table, sql: str, limit: int | None) -> QueryResult:
    return QueryResult(table.schema, iter(table.to_batches()), sql=sql, limit=limit, bytes_scanned=0)


def _matches(name: str, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(name, part.strip().lower()) for part in pattern.split("|"))


def _plan_table(relation: DuckDBPyRelation, sql: str, scans: dict[str, Scan]) -> pa.Table:
    reads = [f"{name}: {len(scan.files)} files, {scan.bytes:,} bytes" for name, scan in scans.items()]
    lines = [f"DuckDB SQL: {sql}", *reads, *relation.explain().splitlines()]
    return pa.table({"Query Plan": pa.array(lines, pa.string())})
