"""`/`, and `+` and `-` of dates and intervals, as Athena means them."""

from __future__ import annotations

from sqlglot import exp

from estat_dagster.query.calls import macro

_PLAIN = (exp.Column, exp.Cast, exp.Anonymous, exp.CurrentDate)


def divide(node: exp.Div) -> None:
    """Let a quotient be what Athena says: of whole numbers whole, of decimals rounded, of doubles a double."""
    node.replace(macro("divide", node.this, node.expression))


def add(node: exp.Add | exp.Sub) -> None:
    """Let a date with an interval added stay a date, and refuse the difference of dates, which is not of days alone."""
    name = "plus" if isinstance(node, exp.Add) else "minus"
    if isinstance(node.expression.unnest(), exp.Interval):
        node.replace(macro(name, node.this, node.expression))
    elif isinstance(node.this.unnest(), exp.Interval) and name == "plus":
        node.replace(macro(name, node.expression, node.this))
    elif name == "minus" and isinstance(node.this.unnest(), _PLAIN) and isinstance(node.expression.unnest(), _PLAIN):
        node.replace(macro("difference", node.this, node.expression))
