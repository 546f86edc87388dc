"""Joining texts: `||` and `concat` take no numbers on Athena, and DuckDB would write them as texts."""

from __future__ import annotations

from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query.calls import macro


def join(node: exp.DPipe) -> None:
    """Refuse a number among texts: written as such, or by the type of its column."""
    if not isinstance(node.parent, exp.DPipe):
        check(list(node.flatten()))


def check(parts: list[exp.Expr]) -> None:
    """Refuse a number among the parts of a text, and let those that are columns be checked by their types.

    Raises:
        ValidationError: there is a number.
    """
    if not any(isinstance(part, exp.Literal) and part.is_string for part in parts):
        return
    for part in parts:
        if isinstance(part, exp.Literal) and not part.is_string:
            raise ValidationError(f"A text and the number {part.name} cannot be joined.", hint="CAST(... AS varchar)")
        if isinstance(part, exp.Column):
            part.replace(macro("textual", part.copy()))
