"""The SQL that is sent to Athena: what the guard checked, its tables at one snapshot each, its values beside it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query import grammar
from estat_dagster.query.parameters import literal
from estat_dagster.query.tables import Tables, references
from estat_dagster.snapshots import AsOf, snapshot_as_of

if TYPE_CHECKING:
    from pyiceberg.table import Table

LONGEST_PARAMETER = 1024  # StartQueryExecution, ExecutionParameters
_CHANGING = frozenset({"current_timestamp", "localtimestamp", "now", "rand", "random", "shuffle", "uuid"})


@dataclass(frozen=True)
class Request:
    """What Athena is asked.

    Args:
        sql: the statement, with a `?` for each value.
        parameters: the values as SQL literals, in the order of the `?` in `sql`.
        repeatable: whether asking it again must give the same answer, so that a stored one will do.
    """

    sql: str
    parameters: tuple[str, ...] = ()
    repeatable: bool = False


_MOMENTS = (exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.Localtime, exp.Localtimestamp)


def prepare(tree: exp.Expr, values: Sequence[object], tables: Tables, as_of: AsOf | None) -> Request:
    """Return the request for a query that the guard let pass.

    Every table is pinned to a snapshot: that of `as_of`, or the one that is current. The tables of one query are then
    of one moment, and the same SQL means the same rows: a stored result of it can be used again.

    Raises:
        ValidationError: a table or snapshot is not there, or the values do not fit.
    """
    tree = tree.copy()
    pinned = [_pin(reference, tables, as_of) for reference in references(tree)]
    sql, parameters = _write(tree, values)
    return Request(sql, parameters, repeatable=all(pinned) and not _changes(tree))


def _pin(reference: exp.Table, tables: Tables, as_of: AsOf | None) -> bool:
    name, _, metadata = reference.name.partition("$")
    table = tables.load(name)
    if metadata:
        return False
    if reference.args.get("version"):
        return as_of is None and reference.args["version"].this == "VERSION"
    snapshot_id = _current(table) if as_of is None else snapshot_as_of(table, as_of)
    if snapshot_id is None:
        return False
    number = exp.Literal.number(snapshot_id)
    reference.set("version", exp.Version(this="VERSION", kind="AS OF", expression=number))
    return True


def _current(table: Table) -> int | None:
    """Return the current snapshot, None where reading it would not show the table's current columns."""
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.schema_id != table.metadata.current_schema_id:
        return None
    return snapshot.snapshot_id


def _changes(tree: exp.Expr) -> bool:
    if tree.find(*_MOMENTS, exp.TableSample):
        return True
    return any(call.name.lower() in _CHANGING for call in tree.find_all(exp.Anonymous))


def _write(tree: exp.Expr, values: Sequence[object]) -> tuple[str, tuple[str, ...]]:
    """Return the SQL and its values, in the order in which the SQL as written now has its `?`."""
    places = sorted(tree.find_all(exp.Placeholder), key=lambda place: int(place.meta["start"]))
    if len(places) != len(values):
        raise ValidationError(f"The SQL has {len(places)} ? and {len(values)} parameters were given.")
    prefix = "value_"
    while prefix in grammar.write(tree):
        prefix += "_"
    for number, place in enumerate(places):
        place.replace(exp.Var(this=f"{prefix}{number}"))
    marks = re.compile(rf"{prefix}(\d+)")
    sql = grammar.write(tree)
    return marks.sub("?", sql), tuple(_literal(values[int(number)]) for number in marks.findall(sql))


def _literal(value: object) -> str:
    """Return a value as a literal of Athena's SQL.

    Raises:
        ValidationError: there is none for its type, or it is too long.
    """
    if isinstance(value, dt.datetime) and value.tzinfo:
        text = f"TIMESTAMP '{value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')} UTC'"
    else:
        text = _typed(literal(value))
    if len(text) > LONGEST_PARAMETER:
        raise ValidationError(
            f"A parameter is {len(text):,} characters long as SQL; Athena takes {LONGEST_PARAMETER:,}.",
            hint="Write the value into the SQL as a literal.",
        )
    return text


def _typed(tree: exp.Expr) -> str:
    if isinstance(tree, exp.Cast):
        return f"{grammar.write(tree.to)} {grammar.write(tree.this)}"
    return grammar.write(tree.unnest())
