"""The condition of a reader, as text like SQL's WHERE: read by PyIceberg, held against the table's columns."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from estat_dagster.errors import ValidationError

if TYPE_CHECKING:
    from pyiceberg.expressions import BooleanExpression, Reference, UnboundPredicate
    from pyiceberg.schema import Schema

FORMS = (
    "Write it like year = 2020 and region_code in ('13000', '27000'): texts in single quotes; "
    "=, !=, <, <=, >, >=, in, between, is null, like 'a%', and, or, not."
)


def read(where: str | BooleanExpression | None, schema: Schema) -> BooleanExpression:
    """Return a condition whose columns are the table's and whose values fit them; no text is no condition.

    NULL meets a comparison as little as its opposite, as in SQL: `!= 'a'` and `not in ('a', 'b')` leave it out.

    Raises:
        ValidationError: the text is no condition, names a column that is not there, or compares it with another type.
    """
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.expressions.visitors import bind, rewrite_not

    condition = where if isinstance(where, BooleanExpression) else _parse(where or "")
    for predicate in _predicates(condition):
        name = cast("Reference", predicate.term).name
        _check_column(name, schema)
        _check_whole(name, predicate, schema)
        try:
            bind(schema, predicate, case_sensitive=True)
        except (ValueError, TypeError) as error:
            kind = schema.find_field(name).field_type
            raise ValidationError(
                f"{name} holds values of type {kind}: {error}.",
                hint="Texts, dates and codes stand in single quotes: region_code = '01000'. Numbers stand without.",
            ) from error
    return _without_nulls(rewrite_not(condition))


def _without_nulls(condition: BooleanExpression) -> BooleanExpression:
    """Return a condition, in which nothing is negated as a whole, that leaves out NULL where it says `not in`.

    PyIceberg takes NULL for a value that is not in a set; every other comparison leaves it out by itself.
    """
    from pyiceberg.expressions import And, NotIn, NotNull, Or

    if isinstance(condition, And | Or):
        return type(condition)(_without_nulls(condition.left), _without_nulls(condition.right))
    if isinstance(condition, NotIn):
        return And(condition, NotNull(condition.term))  # type: ignore[call-arg]  # its types know no positions
    return condition


def _parse(where: str) -> BooleanExpression:
    from pyiceberg.expressions import AlwaysTrue, parser
    from pyparsing import ParseException

    if not where.strip():
        return AlwaysTrue()
    try:
        return parser.parse(where)
    except ParseException as error:
        raise ValidationError(
            f"The condition {where!r} cannot be read from character {error.column} on.", hint=FORMS
        ) from error
    except ValueError as error:
        raise ValidationError(f"The condition {where!r} cannot be read: {error}.", hint=FORMS) from error


def _predicates(condition: BooleanExpression) -> Iterator[UnboundPredicate]:
    from pyiceberg.expressions import And, Not, Or, UnboundPredicate

    if isinstance(condition, And | Or):
        yield from _predicates(condition.left)
        yield from _predicates(condition.right)
    elif isinstance(condition, Not):
        yield from _predicates(condition.child)
    elif isinstance(condition, UnboundPredicate):
        yield condition


def _check_column(name: str, schema: Schema) -> None:
    names = schema.column_names
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        raise ValidationError(
            f"There is no column {name!r}.",
            hint=(f"Did you mean {near[0]}? " if near else "") + f"There are {', '.join(names)}.",
        )


def _check_whole(name: str, predicate: UnboundPredicate, schema: Schema) -> None:
    """Refuse a fraction beside a whole number: PyIceberg rounds it, and year > 1.5 would become year > 2."""
    from pyiceberg.types import IntegerType, LongType

    if not isinstance(schema.find_field(name).field_type, IntegerType | LongType):
        return
    literals = getattr(predicate, "literals", None) or {getattr(predicate, "literal", None)}
    for value in (literal.value for literal in literals if literal is not None):
        if not isinstance(value, int | str) and value != int(value):
            raise ValidationError(f"{name} holds whole numbers, {value} is none.", hint=f"Write {int(value)}, say.")
