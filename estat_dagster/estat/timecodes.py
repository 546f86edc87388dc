"""e-Stat's time codes and names as periods.

A code is read by its digits and checked against its name (`YYYY001010` is October in one table and the year from
October in another). Where the two differ the name is right, if it can be read, and a doubt says so; a name that speaks
against the code without being readable, or a form that neither shows, leaves the period `unknown`: nothing is guessed.
Forms: API 3.0 specification, 時間軸事項; measured ones in real tables.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from estat_dagster.estat.periods import NONE, Period, calendar_year, fiscal_year, last_day, months
from estat_dagster.estat.timenames import contradicts, parse_name

OCTOBER = "001010"
_CODE = re.compile(r"(?P<year>\d{4})(?P<fiscal>[01])(?P<half>\d)(?P<first>\d{2})(?P<last>\d{2})", re.ASCII)


def parse_period(code: str, name: str = "") -> Period:
    """Return the period of a time code and its name, with a doubt wherever they do not tell the same."""
    by_code, by_name = _parse_code(code), parse_name(name)
    if by_code is None:
        known = by_name or Period("unknown")
        return replace(known, doubt=f"time code {code!r} named {name!r} has no known form")
    if by_name is None:
        return _by_code_alone(code, name, by_code)
    decided = by_name if by_name == by_code or _name_decides(code, by_name) else None
    if decided and not contradicts(name, decided):
        return decided
    doubt = f"time code {code!r} says {by_code.kind} {by_code.year}, its name {name!r} differs"
    return replace(by_name, doubt=doubt)


def _by_code_alone(code: str, name: str, by_code: Period) -> Period:
    """Return the period of a code whose name cannot be read as a whole."""
    if name and contradicts(name, by_code):
        return Period("unknown", doubt=f"time code {code!r} says {by_code.kind} {by_code.year}, its name {name!r} not")
    if name and code[4:] == OCTOBER:
        return replace(by_code, doubt=f"time code {code!r} leaves it open, and its name {name!r} has no known form")
    return by_code


def parse_survey_date(survey_date: str) -> Period:
    """Return the period of TABLE_INF.SURVEY_DATE: `0` or empty, `2015`, `201510`, `202001-202012`.

    The year is given only where the text names a single one.
    """
    if survey_date in ("", "0"):
        return NONE
    unknown = Period("unknown", doubt=f"SURVEY_DATE {survey_date!r} has no known form")
    parts = survey_date.split("-")
    spans = [span for span in map(_year_month, parts) if span]
    if len(spans) < len(parts) or len(parts) > 2:
        return unknown
    (first_year, first, _), (last_year, _, last) = spans[0], spans[-1]
    if (first_year, first) > (last_year, last):
        return unknown
    return Period(
        "survey_date",
        year=first_year if first_year == last_year else None,
        start=date(first_year, first, 1),
        end=last_day(last_year, last),
    )


def _year_month(part: str) -> tuple[int, int, int] | None:
    match = re.fullmatch(r"([12]\d{3})(\d{2})?", part, re.ASCII)
    if not match:
        return None
    year = int(match[1])
    if match[2] in (None, "00"):
        return year, 1, 12
    month = int(match[2])
    return (year, month, month) if 1 <= month <= 12 else None


def _parse_code(code: str) -> Period | None:
    if re.fullmatch(r"[12]\d{3}(0{7})?", code, re.ASCII):
        return calendar_year(int(code[:4]))
    match = _CODE.fullmatch(code)
    if not match or not 1000 <= int(match["year"]) <= 2999:
        return None
    year, half = int(match["year"]), int(match["half"])
    first, last = int(match["first"]), int(match["last"])
    if match["fiscal"] == "1":
        return fiscal_year(year) if (half, first, last) == (0, 0, 0) else None
    if half:
        return months(year, 6 * half - 5, year, 6 * half) if half <= 2 and (first, last) == (0, 0) else None
    return calendar_year(year) if (first, last) == (0, 0) else months(year, first, year, last)


def _name_decides(code: str, by_name: Period) -> bool:
    """Whether the code alone leaves it open: October or the year from October; a bare year, calendar or fiscal."""
    year = int(code[:4])
    if len(code) == 10:
        return code[4:] == OCTOBER and by_name.kind == "range" and by_name.start == date(year, 10, 1)
    return by_name == fiscal_year(year)
