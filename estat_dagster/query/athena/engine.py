"""The engine that asks Athena: the same interface and the same guard as the embedded one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from estat_dagster.errors import ValidationError
from estat_dagster.query import catalogue, statements
from estat_dagster.query.athena import pages, workgroup
from estat_dagster.query.athena.client import Client
from estat_dagster.query.athena.executions import Execution, Executions
from estat_dagster.query.athena.pages import Pages, Place
from estat_dagster.query.athena.prepare import Request, prepare
from estat_dagster.query.engine import QueryResult, check_limit
from estat_dagster.query.tables import Tables

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from estat_dagster.snapshots import AsOf


class AthenaEngine:
    """Answers Athena's SQL with Athena, over a namespace of the Glue catalog.

    Args:
        client: Athena's API.
        catalog: the lake's PyIceberg catalog, which names the tables and their snapshots.
        namespace: the database whose tables can be asked.
        group: the workgroup, which must bound what a query scans.
        seconds: the longest a query may wait and work.
        reuse_minutes: how old a stored result may be to answer the same query over the same snapshots; 0: never.
    """

    def __init__(
        self,
        client: Client,
        catalog: Catalog,
        namespace: str,
        *,
        group: str,
        seconds: float = 600,
        reuse_minutes: int = 60,
    ) -> None:
        self._client, self._catalog, self._namespace, self._group = client, catalog, namespace, group
        self._executions = Executions(client, group, namespace, seconds=seconds, reuse_minutes=reuse_minutes)

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
        statement = statements.read(sql, namespace=self._namespace)
        asked = pages.fingerprint(sql, parameters, as_of)
        place = None if cursor is None else pages.from_cursor(cursor, asked)
        if statement.kind in ("show_tables", "describe"):
            table = catalogue.answer(statement, self, parameters)
            return _listed(table, place.skip if place else 0, sql=sql, limit=limit, asked=asked)
        if place is not None:
            return self._result(self._revisited(place), place, sql=sql, limit=limit, asked=asked, started=started)
        request = self._request(statement, parameters, as_of)
        query_id = self._executions.start(request)
        execution = self._executions.finish(query_id, on_start)
        return self._result(execution, Place(query_id), sql=request.sql, limit=limit, asked=asked, started=started)

    def explain(self, sql: str, parameters: Sequence[object] = (), *, as_of: AsOf | None = None) -> str:
        """Return Athena's plan. See `QueryEngine.explain`."""
        is_one = statements.read(sql, namespace=self._namespace).kind == "explain"
        answer = self.run(sql if is_one else f"EXPLAIN {sql}", parameters, as_of=as_of).read_all()
        lines = answer.column(0).to_pylist()
        return "\n".join("" if line is None else line for line in lines)

    def cancel(self, query_id: str) -> bool:
        """Stop a query. See `QueryEngine.cancel`."""
        return self._executions.stop(query_id)

    def tables(self) -> list[str]:
        """Return the names of the tables, sorted."""
        return Tables(self._catalog, self._namespace).names()

    def describe(self, table: str) -> pa.Table:
        """Return a table's columns. See `QueryEngine.describe`."""
        return catalogue.describe(Tables(self._catalog, self._namespace).load(table))

    @cached_property
    def _settings(self) -> dict[str, Any]:
        return workgroup.check(self._client, self._group)

    def _request(self, statement: statements.Statement, parameters: Sequence[object], as_of: AsOf | None) -> Request:
        _ = self._settings  # no query runs in a workgroup that does not bound it
        request = prepare(statement.tree, parameters, Tables(self._catalog, self._namespace), as_of)
        if statement.kind == "explain":
            return Request(f"EXPLAIN {request.sql}", request.parameters)
        return request

    def _revisited(self, place: Place) -> Execution:
        """Return the query whose rows a cursor goes on with."""
        try:
            execution = self._executions.look(place.query_id)
        except ValidationError as error:
            raise _expired() from error
        if execution.workgroup != self._group or execution.state != "SUCCEEDED":
            raise _expired()
        return execution

    def _result(
        self, execution: Execution, place: Place, *, sql: str, limit: int | None, asked: str, started: float
    ) -> QueryResult:
        try:
            rows = Pages(self._client, execution, place)
        except ValidationError as error:
            raise _expired() from error
        return QueryResult(
            rows.schema,
            rows.batches(),
            sql=sql,
            query_id=execution.query_id,
            limit=limit,
            bytes_scanned=execution.scanned_bytes,
            cost_usd=execution.cost_usd,
            started=started,
            on_more=lambda _: pages.to_cursor(rows.place_after(limit or 0), asked),
        )


def _listed(table: pa.Table, skip: int, *, sql: str, limit: int | None, asked: str) -> QueryResult:
    """Return what was not asked of Athena, from a row on."""
    return QueryResult(
        table.schema,
        iter(table.slice(skip).to_batches()),
        sql=sql,
        limit=limit,
        bytes_scanned=0,
        on_more=lambda _: pages.to_cursor(Place("", skip=skip + (limit or 0)), asked),
    )


def _expired() -> ValidationError:
    return ValidationError("The cursor has expired: Athena no longer has the rows.", hint="Run the query again.")
