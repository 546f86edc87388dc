"""Which version of a table a query reads: FOR VERSION AS OF and FOR TIMESTAMP AS OF, or one moment for all tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyiceberg.table import Table
from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.snapshots import AsOf, snapshot_as_of

if TYPE_CHECKING:
    from pyiceberg.table.metadata import TableMetadata


def named(reference: exp.Table, evaluate: Callable[[exp.Expr], object]) -> AsOf | None:
    """Return the version that a place in a query asks for, None where it asks for none.

    Args:
        evaluate: returns the value of an expression without columns.

    Raises:
        ValidationError: what stands behind AS OF is neither a snapshot's id nor a moment.
    """
    version = reference.args.get("version")
    if version is None:
        return None
    value = evaluate(version.expression)
    if version.name.upper() == "VERSION":
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise ValidationError(
            "FOR VERSION AS OF takes a snapshot's id, a whole number.",
            hint=f'The table "{reference.name}$snapshots" lists them.',
        )
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time(), dt.UTC)
    raise ValidationError(
        "FOR TIMESTAMP AS OF takes a timestamp or a date.",
        hint="Write TIMESTAMP '2026-04-01 09:00:00 Asia/Tokyo', or without a zone for UTC.",
    )


def at(table: Table, as_of: AsOf) -> Table:
    """Return a table as it was: with the columns that it had then, and the rows.

    Raises:
        ValidationError: it did not exist yet, or has no such snapshot.
    """
    metadata: TableMetadata = table.metadata
    snapshot = table.snapshot_by_id(snapshot_as_of(table, as_of))
    if snapshot is None:
        return table
    then = {"current_snapshot_id": snapshot.snapshot_id}
    if snapshot.schema_id is not None:
        then["current_schema_id"] = snapshot.schema_id
    past = metadata.model_copy(update=then)
    return Table(table.name(), past, table.metadata_location, table.io, table.catalog)
