"""CAST and TRY_CAST as Athena means them: how doubles round and print, and which texts are numbers."""

from __future__ import annotations

from sqlglot import exp

from estat_dagster.query.calls import call, macro, unavailable

_WHOLE = (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT)
_REAL = (exp.DType.FLOAT, exp.DType.DOUBLE)
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
        _cast_to_text(node)
    elif kind.this in _WHOLE:
        node.set("this", value if is_digits else macro(f"{trying}whole", value))
    elif kind.this in _REAL:
        node.set("this", value if is_digits else macro(f"{trying}real", value))
    elif kind.this == exp.DType.JSON:
        node.replace(call("to_json", value))
    elif kind.this == exp.DType.DECIMAL and not kind.expressions:
        if is_literal and value.is_string:
            raise unavailable("DECIMAL without precision and scale")
        kind.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(digits)) for digits in (38, 0)])


def _cast_to_text(node: exp.Cast) -> None:
    length = node.to.expressions
    text = node.this if isinstance(node.this, exp.Literal) and node.this.is_string else macro("text", node.this)
    node.replace(call("substr", text, exp.Literal.number(1), length[0].this) if length else text)
