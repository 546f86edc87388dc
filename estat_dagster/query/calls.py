"""The small parts that translation is built from: calls of DuckDB's functions and of our macros, and its one error."""

from __future__ import annotations

from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query.macros import PREFIX


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Return a call of a DuckDB function."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def macro(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Return a call of one of our macros."""
    return call(PREFIX + name, *arguments)


def cast(value: exp.Expr, kind: exp.DType) -> exp.Cast:
    """Return a value cast to a type."""
    return exp.Cast(this=value, to=exp.DataType(this=kind))


def unavailable(construct: str, instead: str = "") -> ValidationError:
    """Return the error for what Athena can do and the embedded engine cannot.

    Args:
        instead: a sentence that says what to write.
    """
    hint = f"Athena has it. {instead}" if instead else "Athena has it; here, write it another way."
    return ValidationError(f"{construct} is not available in the embedded engine.", hint=hint)


def text_of(argument: exp.Expr, function: str) -> str:
    """Return the text of a literal.

    Raises:
        ValidationError: the argument is not one.
    """
    if not isinstance(argument, exp.Literal) or not argument.is_string:
        raise unavailable(f"{function} with a format or unit that is not a literal text")
    return str(argument.this)
