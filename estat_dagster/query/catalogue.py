"""What tables there are and what their columns mean, read from the Iceberg catalog: no engine has to work for it."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from estat_dagster.errors import ValidationError
from estat_dagster.query.types import iceberg_type_name

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from estat_dagster.query.engine import QueryEngine
    from estat_dagster.query.statements import Statement


def answer(statement: Statement, engine: QueryEngine, parameters: Sequence[object] = ()) -> pa.Table:
    """Return the answer to SHOW TABLES or DESCRIBE.

    Raises:
        ValidationError: values were given, which neither has a place for.
    """
    if parameters:
        raise ValidationError(f"The SQL has 0 ? and {len(parameters)} parameters were given.")
    if statement.kind == "describe":
        return engine.describe(statement.table)
    return pa.table({"tab_name": pa.array(_matching(engine.tables(), statement.pattern), pa.string())})


def describe(table: Table) -> pa.Table:
    """Return a table's columns as rows of `column`, `type`, `comment`, in order."""
    fields = table.schema().fields
    return pa.table(
        {
            "column": pa.array([field.name for field in fields], pa.string()),
            "type": pa.array([iceberg_type_name(field.field_type) for field in fields], pa.string()),
            "comment": pa.array([field.doc for field in fields], pa.string()),
        }
    )


def _matching(names: Sequence[str], pattern: str) -> list[str]:
    """Return the names that fit a pattern: `*` for any letters, `|` between alternatives."""
    patterns = [part.strip().lower() for part in pattern.split("|")]
    return [name for name in names if any(fnmatch.fnmatchcase(name, part) for part in patterns)]
