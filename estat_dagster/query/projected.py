"""What a SELECT passes on of a table's columns, and who reads it: a condition put there is one of the table's rows."""

from __future__ import annotations

from collections.abc import Mapping, Set

from pyiceberg.types import NestedField
from sqlglot import exp

from estat_dagster.query import tables
from estat_dagster.query.functions import AGGREGATES
from estat_dagster.query.guard import parts_of

_PASSING = frozenset({"with_", "expressions", "from_", "joins", "where", "order", "distinct"})
_AGGREGATES = frozenset(AGGREGATES.split())


def columns(
    select: exp.Select, source: exp.Expr, fields: Mapping[str, NestedField], others: Set[str]
) -> dict[str, NestedField]:
    """Return the columns of a source that a SELECT passes on as they are, row by row, by the names that it gives them.

    Args:
        source: the place in FROM, or a join.
        fields: its columns.
        others: names that other sources may have.
    """
    if not _passes_rows(select):
        return {}
    passed: list[tuple[str, NestedField | None]] = []
    for column in select.expressions:
        inner = column.unalias()
        if inner.is_star:
            if isinstance(inner, exp.Column) and inner.table.lower() != source.alias_or_name.lower():
                return {}
            passed += [*fields.items(), *((name, None) for name in others if isinstance(inner, exp.Star))]
        elif column.alias_or_name:
            passed.append((column.alias_or_name.lower(), _field(inner, source, fields, others)))
    names = [name for name, _ in passed]
    return {name: field for name, field in passed if field and names.count(name) == 1}


def reader(select: exp.Select) -> exp.Expr | None:
    """Return the one place in another SELECT where the rows of this one are read under its own names."""
    holder = select.parent
    if not isinstance(holder, exp.Subquery | exp.CTE) or not set(parts_of(holder)) <= {"this", "alias"}:
        return None
    alias = holder.args.get("alias")
    if alias and alias.columns:
        return None
    if isinstance(holder, exp.Subquery):
        return holder
    places = [table for table in select.root().find_all(exp.Table) if tables.meant(table) is holder]
    clause = holder.parent
    return places[0] if len(places) == 1 and clause and not clause.args.get("recursive") else None


def _passes_rows(select: exp.Select) -> bool:
    """Say whether each row of the answer is made of one row of the sources alone."""
    if not set(parts_of(select)) <= _PASSING or select.find(exp.Window, exp.GroupConcat):
        return False
    distinct = select.args.get("distinct")
    return not (distinct and distinct.args.get("on")) and not any(
        call.name.lower() in _AGGREGATES for one in select.expressions for call in one.find_all(exp.Anonymous)
    )


def _field(
    column: exp.Expr, source: exp.Expr, fields: Mapping[str, NestedField], others: Set[str]
) -> NestedField | None:
    if not isinstance(column, exp.Column):
        return None
    name, owner = column.name.lower(), column.table.lower()
    is_own = owner == source.alias_or_name.lower() or (not owner and name not in others)
    return fields.get(name) if is_own else None
