"""Which rows of a table a query can need, as an Iceberg filter: it lets whole files be left unread.

The filter may keep too much and never too little: only conditions that every row of the answer meets are used, and
only those that mean the same in SQL and in Iceberg. The engine applies the whole WHERE again. Floating-point columns
are left out, because SQL and Iceberg disagree about NaN.
"""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
import operator
import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from pyiceberg import expressions as ice
from pyiceberg.types import DateType, IcebergType, IntegerType, LongType, NestedField, StringType
from sqlglot import exp

from estat_dagster.query import projected

if TYPE_CHECKING:
    from pyiceberg.schema import Schema

_COMPARISONS: dict[type[exp.Expr], type[ice.LiteralPredicate]] = {
    exp.EQ: ice.EqualTo,
    exp.GT: ice.GreaterThan,
    exp.GTE: ice.GreaterThanOrEqual,
    exp.LT: ice.LessThan,
    exp.LTE: ice.LessThanOrEqual,
}
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
}
# mypy takes their signatures from pydantic, which they do not have.
_IN: Any = ice.In
_STARTS_WITH: Any = ice.StartsWith
_OPERATORS: dict[type[exp.Expr], Callable[[int, int], int]] = {
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
}
_MAX_WORDS = 20  # of a number that is computed here
_PREFIX = re.compile(r"([^%_]+)%+")
_MAX_PARTS = 200  # Iceberg evaluates its filters recursively
_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)


def row_filter(table: exp.Table, schemas: Mapping[int, Schema]) -> ice.BooleanExpression:
    """Return the filter that the query's own WHERE puts on a table, `AlwaysTrue` where it puts none.

    So does the WHERE of a SELECT that reads the table through others, which pass its columns on as they are.

    Args:
        table: a table of the query, in the tree.
        schemas: the columns of every table of the lake in the query, by `id()` of its node.
    """
    fields = {field.name.lower(): field for field in schemas[id(table)].fields}
    source: exp.Expr | None = table
    found: list[ice.BooleanExpression] = []
    while source is not None and fields and (select := _filtering_select(source)) is not None:
        others = _others(source, select, schemas, fields)
        where = select.args.get("where")
        if where and (condition := _Conditions(source, fields, others).convert(where.this)):
            found.append(condition)
        fields = projected.columns(select, source, fields, others)
        source = projected.reader(select)
    return _join(ice.And, found) or ice.AlwaysTrue()


def _filtering_select(table: exp.Expr) -> exp.Select | None:
    """Return the SELECT whose WHERE, if any, every row of the table must meet to count, None where there is none.

    A row of a table that stands in FROM, or is joined to it by an inner join, is lost with its WHERE whatever the
    other joins are, but for RIGHT and FULL joins, which would put NULLs in its place. A table on the right of a LEFT
    JOIN is left alone: without its row the partner would meet NULLs, and WHERE may ask for those. So is a sample.
    """
    place = table.parent
    select = place.parent if isinstance(place, exp.From | exp.Join) else None
    if not isinstance(select, exp.Select) or table.args.get("sample"):
        return None
    joins: list[exp.Join] = select.args.get("joins") or []
    if any(join.side in ("RIGHT", "FULL") or join.method for join in joins):
        return None
    return None if isinstance(place, exp.Join) and place.side else select


class _Conditions:
    """Conditions of a WHERE as Iceberg filters on one table. What cannot be converted is None: "any row may match"."""

    def __init__(self, source: exp.Expr, fields: Mapping[str, NestedField], others: Set[str]) -> None:
        self._name = source.alias_or_name.lower()
        self._fields = fields
        self._bare = set(fields) - others

    def convert(self, node: exp.Expr) -> ice.BooleanExpression | None:
        """Return a filter that holds for every row for which the condition is true."""
        match node:
            case exp.Paren():
                return self.convert(node.this)
            case exp.And():
                return _join(ice.And, [part for part in self._parts(node) if part is not None])
            case exp.Or():
                parts = self._parts(node)
                complete = [part for part in parts if part is not None]
                return _join(ice.Or, complete) if len(complete) == len(parts) <= _MAX_PARTS else None
            case exp.Between():
                low = self._compare(ice.GreaterThanOrEqual, node.this, node.args["low"])
                high = self._compare(ice.LessThanOrEqual, node.this, node.args["high"])
                return _join(ice.And, [part for part in (low, high) if part is not None])
            case exp.In():
                return self._is_in(node)
            case exp.Is() if isinstance(node.expression, exp.Null):
                return self._unary(ice.IsNull, node.this)
            case exp.Not() if isinstance(node.this, exp.Is) and isinstance(node.this.expression, exp.Null):
                return self._unary(ice.NotNull, node.this.this)
            case exp.Like() if not node.args.get("negate"):
                return self._starts_with(node)
            case _ if type(node) in _COMPARISONS:
                return self._comparison(node)
            case _:
                return None

    def _parts(self, node: exp.Expr) -> list[ice.BooleanExpression | None]:
        return [self.convert(part) for part in node.flatten()]

    def _comparison(self, node: exp.Expr) -> ice.BooleanExpression | None:
        if isinstance(node.this, exp.Column):
            return self._compare(_COMPARISONS[type(node)], node.this, node.expression)
        return self._compare(_COMPARISONS[_MIRRORED[type(node)]], node.expression, node.this)

    def _compare(
        self, predicate: type[ice.LiteralPredicate], column: exp.Expr, value: exp.Expr
    ) -> ice.BooleanExpression | None:
        field = self._field(column)
        constant = None if field is None else _constant(value, field.field_type)
        return None if field is None or constant is None else predicate(field.name, constant)

    def _is_in(self, node: exp.In) -> ice.BooleanExpression | None:
        field = self._field(node.this)
        if field is None or node.args.get("query"):
            return None
        constants = [_constant(value, field.field_type) for value in node.expressions]
        return None if None in constants or not constants else _IN(field.name, constants)

    def _unary(self, predicate: type[ice.UnaryPredicate], column: exp.Expr) -> ice.BooleanExpression | None:
        field = self._field(column)
        return None if field is None else predicate(field.name)

    def _starts_with(self, node: exp.Like) -> ice.BooleanExpression | None:
        field = self._field(node.this)
        pattern = node.expression
        if field is None or not isinstance(field.field_type, StringType) or not pattern.is_string:
            return None
        prefix = _PREFIX.fullmatch(pattern.this)
        return _STARTS_WITH(field.name, prefix[1]) if prefix else None

    def _field(self, column: exp.Expr) -> NestedField | None:
        if not isinstance(column, exp.Column) or isinstance(column.this, exp.Star):
            return None
        name, owner = column.name.lower(), column.table.lower()
        return self._fields.get(name) if owner == self._name or (not owner and name in self._bare) else None


def _others(
    source: exp.Expr, select: exp.Select, schemas: Mapping[int, Schema], fields: Mapping[str, NestedField]
) -> set[str]:
    """Return the names that may mean another source's column where they stand alone: all, if a source is unknown."""
    places = [place.this for place in (select.args.get("from_"), *(select.args.get("joins") or [])) if place]
    others = [place for place in places if place is not source]
    if any(id(other) not in schemas for other in others) or select.args.get("laterals"):
        return set(fields)
    return {field.name.lower() for other in others for field in schemas[id(other)].fields}


def _join(kind: type[ice.And | ice.Or], parts: Sequence[ice.BooleanExpression]) -> ice.BooleanExpression | None:
    match parts:
        case []:
            return None
        case [part]:
            return part
        case _:
            return kind(*parts[:_MAX_PARTS])


def _constant(node: exp.Expr, kind: IcebergType) -> int | str | dt.date | None:
    """Return the value of a literal if it is one of the column's own type."""
    match kind:
        case IntegerType() | LongType():
            return _whole_number(node, _INT32 if isinstance(kind, IntegerType) else _INT64)
        case StringType() if isinstance(node, exp.Literal) and node.is_string:
            return str(node.this)
        case DateType() if isinstance(node, exp.Cast) and node.to.this == exp.DType.DATE and node.this.is_string:
            return _date(node.this.this)
        case _:
            return None


def _whole_number(node: exp.Expr, allowed: range) -> int | None:
    is_small = len(list(itertools.islice(node.walk(), _MAX_WORDS + 1))) <= _MAX_WORDS
    number = _computed(node) if is_small else None
    return number if number is not None and number in allowed else None


def _computed(node: exp.Expr) -> int | None:
    """Return the value of a whole number, of a sum, difference or product of such, or of a cast of one to its type."""
    match node:
        case exp.Paren():
            return _computed(node.this)
        case exp.Neg():
            number = _computed(node.this)
            return None if number is None else -number
        case exp.Cast() if node.to.this in (exp.DType.INT, exp.DType.BIGINT):
            return _computed(node.this)
        case exp.Literal() if not node.is_string and node.this.isdecimal():
            return int(node.this)
        case _ if type(node) in _OPERATORS:
            left, right = _computed(node.this), _computed(node.expression)
            return None if left is None or right is None else _OPERATORS[type(node)](left, right)
        case _:
            return None


def _date(text: str) -> dt.date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return None
    year, month, day = (int(part) for part in text.split("-"))
    exists = year >= 1 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
    return dt.date(year, month, day) if exists else None
