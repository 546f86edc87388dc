"""`/`, and `+` and `-` of dates and intervals, as Athena means them."""

from __future__ import annotations

from sqlglot import exp

from estat_dagster.query.calls import macro

_KEEP_SCALE = frozenset({"abs", "coalesce", "max", "min", "nullif", "round", "sum"})


def divide(node: exp.Div) -> None:
    """Let a quotient be what Athena says: of whole numbers whole, of decimals rounded, of doubles a double."""
    scale = max(_scale(node.this), _scale(node.expression))
    if scale:
        node.replace(macro("divide_decimals", node.this, node.expression, exp.Literal.number(scale)))
    else:
        node.replace(macro("divide", node.this, node.expression))


def _scale(node: exp.Expr) -> int:
    """Return the number of decimals that a value has if it is a decimal: Athena rounds a quotient of decimals to it.

    A decimal that a subquery made is not seen.
    """
    match node:
        case exp.Literal() if not node.is_string and "e" not in node.this.lower():
            return len(node.this.partition(".")[2])
        case exp.Paren() | exp.Neg() | exp.Window() | exp.Filter():
            return _scale(node.this)
        case exp.Add() | exp.Sub() | exp.Mod():
            return max(_scale(node.this), _scale(node.expression))
        case exp.Mul():
            return _scale(node.this) + _scale(node.expression)
        case exp.Cast() if node.to.this == exp.DType.DECIMAL and len(node.to.expressions) > 1:
            return int(node.to.expressions[1].this.this)
        case exp.Anonymous() if node.name == "trino_divide_decimals":
            return int(node.expressions[2].this)
        case exp.Anonymous() if node.name in _KEEP_SCALE and node.expressions:
            return _scale(node.expressions[0])
        case _:
            return 0


def add(node: exp.Add | exp.Sub) -> None:
    """Let a date with an interval added stay a date."""
    name = "plus" if isinstance(node, exp.Add) else "minus"
    if isinstance(node.expression.unnest(), exp.Interval):
        node.replace(macro(name, node.this, node.expression))
    elif isinstance(node.this.unnest(), exp.Interval) and name == "plus":
        node.replace(macro(name, node.expression, node.this))
