"""Values for the `?` of a query: each becomes a literal of its own type in the tree, never text in the SQL."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal

from sqlglot import exp

from estat_dagster.errors import ValidationError


def bind(tree: exp.Expr, parameters: Sequence[object]) -> exp.Expr:
    """Return a copy of the tree with its `?` replaced, in the order in which the text has them.

    Raises:
        ValidationError: too many values, too few, or one of a type that SQL has no literal for.
    """
    tree = tree.copy()
    places = sorted(tree.find_all(exp.Placeholder), key=lambda place: int(place.meta["start"]))
    if len(places) != len(parameters):
        raise ValidationError(f"The SQL has {len(places)} ? and {len(parameters)} parameters were given.")
    for place, value in zip(places, parameters, strict=True):
        place.replace(literal(value))
    return tree


def literal(value: object) -> exp.Expr:
    """Return the literal of a Python value.

    Raises:
        ValidationError: SQL has no literal for its type.
    """
    match value:
        case None:
            return exp.Null()
        case bool():
            return exp.Boolean(this=value)
        case str():
            return _text(value)
        case int():
            return _number(str(abs(value)), negative=value < 0)
        case Decimal() if value.is_finite():
            return _number(f"{abs(value):f}", negative=value < 0)
        case float():
            return _cast(_double(value), exp.DType.DOUBLE)
        case dt.datetime():
            in_utc = value.astimezone(dt.UTC) if value.tzinfo else value
            return _cast(in_utc.isoformat(sep=" "), exp.DType.TIMESTAMPTZ if value.tzinfo else exp.DType.TIMESTAMP)
        case dt.date():
            return _cast(value.isoformat(), exp.DType.DATE)
        case _:
            raise ValidationError(
                f"A parameter is a {type(value).__name__}, which SQL has no literal for.",
                hint="Give a text, a number, a boolean, a date, a datetime or None.",
            )


def _text(value: str) -> exp.Expr:
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise ValidationError("A parameter holds characters that are not text.")
    return exp.Literal.string(value)


def _double(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else f"{'-' if value < 0 else ''}Infinity"


def _number(digits: str, *, negative: bool) -> exp.Expr:
    number = exp.Literal.number(digits)
    return exp.Paren(this=exp.Neg(this=number)) if negative else number


def _cast(text: str, kind: exp.DType) -> exp.Expr:
    return exp.Cast(this=exp.Literal.string(text), to=exp.DataType(this=kind))
