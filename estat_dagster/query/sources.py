"""From the tables that a query names to what DuckDB reads for each: which version, which files, under which view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyiceberg.expressions import AlwaysTrue
from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query import metadata_tables, pruning, tables, versions
from estat_dagster.query.scan import Scan
from estat_dagster.query.worker.sql import SCHEMA

if TYPE_CHECKING:
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.table import Table

    from estat_dagster.snapshots import AsOf


def place(
    tree: exp.Expr,
    catalog: tables.Tables,
    as_of: AsOf | None,
    evaluate: Callable[[exp.Expr], object],
    plan: Callable[[Table, BooleanExpression], Scan],
) -> dict[str, Scan]:
    """Plan what is read for each table that the query names, and let the query name DuckDB's view of it instead.

    Args:
        tree: the query; it is changed.
        as_of: the version of every table that asks for none.
        evaluate: returns the value of an expression without columns.
        plan: returns what has to be read of a table; see `scan`.

    Returns:
        What is read, by the view's name.

    Raises:
        ValidationError: there is no such table, or it was not there at that moment.
        StorageError: it cannot be read.
    """
    references = tables.references(tree)
    versioned = {id(reference): _load(reference, catalog, as_of, evaluate) for reference in references}
    data = {id(reference): versioned[id(reference)].schema() for reference in references if not _kind(reference)}
    filters = [AlwaysTrue() if _kind(one) else pruning.row_filter(one, data) for one in references]
    scans: dict[str, Scan] = {}
    views: dict[tuple[object, ...], str] = {}
    for reference, row_filter in zip(references, filters, strict=True):
        table, name = versioned[id(reference)], reference.name.lower()
        key = (name, table.metadata.current_snapshot_id, table.metadata.current_schema_id, repr(row_filter))
        if key not in views:
            views[key] = name if name not in scans else f"{name} ({len(scans)})"
            kind = _kind(reference)
            scans[views[key]] = Scan(rows=metadata_tables.read(table, kind)) if kind else plan(table, row_filter)
        tables.rename(reference, views[key], SCHEMA)
    tables.strip_namespace(tree, catalog.namespace)
    return scans


def _kind(reference: exp.Table) -> str:
    return reference.name.lower().partition("$")[2]


def _load(
    reference: exp.Table, catalog: tables.Tables, as_of: AsOf | None, evaluate: Callable[[exp.Expr], object]
) -> Table:
    name, _, kind = reference.name.partition("$")
    if kind and kind.lower() not in metadata_tables.KINDS:
        known = ", ".join(f"${one}" for one in metadata_tables.KINDS)
        raise ValidationError(f"{name} has no metadata table ${kind}.", hint=f"There are {known}.")
    own = versions.named(reference, evaluate)
    if kind and own is not None:
        raise ValidationError(
            f'"{reference.name}" is read as it is now: FOR ... AS OF is for tables of data.',
            hint="Filter by snapshot_id or by time with WHERE.",
        )
    table = catalog.load(name)
    wanted = as_of if own is None else own
    return table if wanted is None else versions.at(table, wanted)
