"""Periods of time: years, fiscal years, half-years, quarters, months, and spans of other months."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Period:
    """A period of time.

    `year` is the calendar year, or the fiscal year for a fiscal one; `quarter` and `month` only where it is one.
    `start` and `end` are its first and last day. `doubt` says why a person should look at it, "" where nothing is odd.
    """

    kind: str
    year: int | None = None
    quarter: int | None = None
    month: int | None = None
    start: date | None = None
    end: date | None = None
    doubt: str = ""


NONE = Period("none")
MONTH_SPANS = {1: "month", 3: "quarter", 6: "half_year"}


def calendar_year(year: int) -> Period:
    """Return January to December."""
    return Period("calendar_year", year, start=date(year, 1, 1), end=date(year, 12, 31))


def fiscal_year(year: int) -> Period:
    """Return April to March (年度)."""
    return Period("fiscal_year", year, start=date(year, 4, 1), end=date(year + 1, 3, 31))


def months(year: int, first: int, end_year: int, last: int) -> Period | None:
    """Return the period from the first month to the last, None where these are no months or in no order.

    Twelve months from January or April are that year; three or six are a quarter or half-year where they start as one.
    """
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return None
    length = 12 * (end_year - year) + last - first + 1
    if length < 1:
        return None
    if length == 12 and first in (1, 4):
        return calendar_year(year) if first == 1 else fiscal_year(year)
    kind = MONTH_SPANS.get(length, "range")
    if (first - 1) % 3:
        kind = "month" if length == 1 else "range"
    return Period(
        kind,
        year,
        quarter=(first + 2) // 3 if kind == "quarter" else None,
        month=first if kind == "month" else None,
        start=date(year, first, 1),
        end=last_day(end_year, last),
    )


def last_day(year: int, month: int) -> date:
    """Return the last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])
