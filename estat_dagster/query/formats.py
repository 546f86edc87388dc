"""Patterns that print and read values: those of Athena's `format`, `date_format` and `date_parse`, for DuckDB."""

from __future__ import annotations

import re

from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query.calls import call, cast, macro, text_of, unavailable

_FORMAT = re.compile(r"%(?:(\d+)\$)?[-#+ 0,(]*\d*(?:\.\d+)?([A-Za-z%])")
_FORMAT_TYPES = {"d": exp.DType.BIGINT, "x": exp.DType.BIGINT, "X": exp.DType.BIGINT} | dict.fromkeys(
    "eEfgG", exp.DType.DOUBLE
)
# MySQL's letters, which Athena's date_format and date_parse take, as strftime's.
_DATE_FORMAT = {letter: letter for letter in "abdHjmpSyYfIvT%"} | {
    "M": "B",
    "s": "S",
    "W": "A",
    "i": "M",
    "e": "-d",
    "c": "-m",
    "k": "-H",
    "l": "-I",
    "h": "I",
    "v": "V",
}


def date_format(value: exp.Expr, pattern: exp.Expr) -> exp.Expr:
    """Return `date_format` of DuckDB."""
    return call("strftime", value, _strftime(pattern))


def date_parse(value: exp.Expr, pattern: exp.Expr) -> exp.Expr:
    """Return `date_parse` of DuckDB."""
    return call("strptime", value, _strftime(pattern))


def _strftime(pattern: exp.Expr) -> exp.Expr:
    def letter(match: re.Match[str]) -> str:
        if match[1] not in _DATE_FORMAT:
            raise unavailable(f"The format %{match[1]}")
        return "%" + _DATE_FORMAT[match[1]]

    return exp.Literal.string(re.sub(r"%(.?)", letter, text_of(pattern, "date_format"), flags=re.DOTALL))


def printf(pattern: exp.Expr, *values: exp.Expr) -> exp.Expr:
    """Return `format` of DuckDB, whose printf wants each value to be of the type that its % says.

    Raises:
        ValidationError: the pattern is not a literal, or wants more values than there are.
    """
    template = text_of(pattern, "format")
    typed = list(values)
    following = 0
    for match in _FORMAT.finditer(template):
        if match[2] == "%":
            continue
        index = int(match[1]) - 1 if match[1] else following
        following += not match[1]
        if index >= len(typed):
            raise ValidationError(f"format has no argument for {match[0]}.", hint="Give one argument for each %.")
        typed[index] = _formatted(values[index], match[2])
    return call("printf", pattern, *typed)


def _formatted(value: exp.Expr, conversion: str) -> exp.Expr:
    if conversion == "s":
        return macro("text", value)
    if conversion not in _FORMAT_TYPES:
        raise unavailable(f"%{conversion} in format")
    return cast(value, _FORMAT_TYPES[conversion])
