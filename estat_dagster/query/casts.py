"""CAST and TRY_CAST as Athena means them: how doubles round and print, and which texts are numbers."""

from __future__ import annotations

import re

from sqlglot import exp

from estat_dagster.query.calls import call, macro

_WHOLE = (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT)
_REAL = (exp.DType.FLOAT, exp.DType.DOUBLE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMES = (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ)
_TEXT = (exp.DType.VARCHAR, exp.DType.TEXT)


def cast(node: exp.Cast) -> None:
    """Let CAST and TRY_CAST read and print values as Athena does.

    Raises:
        ValidationError: DuckDB has no like for the cast.
    """
    kind, value = node.to, node.this
    is_literal = isinstance(value, exp.Literal)
    is_digits = is_literal and not value.is_string and value.this.isdecimal()
    trying = "try_" if isinstance(node, exp.TryCast) else ""
    if kind.this in _TEXT:
        _cast_to_text(node, trying)
    elif kind.this in _TIMES:
        _cast_to_time(node)
    elif kind.this in _WHOLE:
        node.set("this", value if is_digits else macro(f"{trying}whole", value))
    elif kind.this in _REAL:
        node.set("this", value if is_digits else macro(f"{trying}real", value))
    elif kind.this == exp.DType.JSON:
        node.replace(call("to_json", value))
    elif kind.this == exp.DType.DECIMAL:
        node.set("this", value if is_digits else macro("decimal_source", value))
        if not kind.expressions:
            kind.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(digits)) for digits in (38, 0)])
    elif kind.this == exp.DType.BOOLEAN:
        node.replace(macro(f"{trying}truth", value))
    elif kind.this == exp.DType.DATE and not (is_literal and _DATE.fullmatch(value.name)):
        node.replace(macro(f"{trying}date", value))


def _cast_to_text(node: exp.Cast, trying: str) -> None:
    value, length = node.this, node.to.expressions
    if length:
        node.replace(macro(f"{trying}fit", value, length[0].this))
    else:
        node.replace(value if isinstance(value, exp.Literal) and value.is_string else macro("text", value))


def _cast_to_time(node: exp.Cast) -> None:
    if node.to.this == exp.DType.TIMESTAMP or isinstance(node.this, exp.Literal):
        node.set("this", macro("timestamp_source", node.this))
    else:
        node.replace(macro("instant", node.this))
