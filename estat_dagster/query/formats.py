"""Patterns that print and read values: those of Athena's `format`, `date_format` and `date_parse`, for DuckDB."""

from __future__ import annotations

import re

from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query.calls import call, cast, macro, text_of, unavailable

_FORMAT = re.compile(r"%(?:(\d+)\$)?[-#+ 0,(]*(\d*)(?:\.(\d+))?([A-Za-z%])")
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
    "x": "G",
}
_JODA = {
    "yyyy": "Y",
    "YYYY": "Y",
    "yy": "y",
    "MMMM": "B",
    "MMM": "b",
    "MM": "m",
    "M": "-m",
    "dd": "d",
    "d": "-d",
    "DDD": "j",
    "HH": "H",
    "H": "-H",
    "hh": "I",
    "h": "-I",
    "mm": "M",
    "m": "-M",
    "ss": "S",
    "s": "-S",
    "SSS": "g",
    "SSSSSS": "f",
    "a": "p",
    "EEEE": "A",
    "EEE": "a",
    "E": "a",
}
_MOST_WIDTH = 1_000


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


def format_datetime(value: exp.Expr, pattern: exp.Expr) -> exp.Expr:
    """Return `format_datetime` of DuckDB."""
    return call("strftime", value, _joda(pattern, "format_datetime"))


def parse_datetime(value: exp.Expr, pattern: exp.Expr) -> exp.Expr:
    """Return `parse_datetime` of DuckDB. A time without a zone is of UTC, and no pattern here has one."""
    return cast(call("strptime", value, _joda(pattern, "parse_datetime")), exp.DType.TIMESTAMPTZ)


def _joda(pattern: exp.Expr, function: str) -> exp.Expr:
    """Return a pattern of Joda-Time as strftime's: letters are fields, what stands in quotes is text."""

    def field(match: re.Match[str]) -> str:
        quoted, letters = match[1], match[2]
        if quoted is not None:
            return quoted or "'"
        if letters not in _JODA:
            raise unavailable(f"{letters} in the format of {function}")
        return "%" + _JODA[letters]

    text = text_of(pattern, function).replace("%", "%%")
    return exp.Literal.string(re.sub(r"'([^']*)'|(([A-Za-z])\3*)", field, text))


def printf(pattern: exp.Expr, *values: exp.Expr) -> exp.Expr:
    """Return `format` of DuckDB, whose printf wants each value to be of the type that its % says.

    Raises:
        ValidationError: the pattern is not a literal, or wants more values than there are.
    """
    template = text_of(pattern, "format")
    typed = list(values)
    following = 0
    for match in _FORMAT.finditer(template):
        if match[4] == "%":
            continue
        index = int(match[1]) - 1 if match[1] else following
        following += not match[1]
        if int(match[2] or 0) > _MOST_WIDTH or int(match[3] or 0) > _MOST_WIDTH:
            raise ValidationError(f"format pads to {_MOST_WIDTH} characters at most.", hint="Use a smaller width.")
        if index >= len(typed):
            raise ValidationError(f"format has no argument for {match[0]}.", hint="Give one argument for each %.")
        typed[index] = _formatted(values[index], match[4])
    return call("printf", pattern, *typed)


def _formatted(value: exp.Expr, conversion: str) -> exp.Expr:
    if conversion == "s":
        return macro("text", value)
    if conversion not in _FORMAT_TYPES:
        raise unavailable(f"%{conversion} in format")
    return cast(value, _FORMAT_TYPES[conversion])
