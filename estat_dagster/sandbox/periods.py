"""The dates of getStatsList: surveyYears, openYears, updatedDate, and what they are compared with.

A period is a pair of eight-digit texts, first and last day, in which 00 and 99 stand for any month or day.
"""

from __future__ import annotations

import re

from estat_dagster.sandbox.refusal import wrong_value

Period = tuple[str, str]

_MONTH = r"\d{4}(?:0[1-9]|1[0-2])"
_DAY = rf"{_MONTH}(?:0[1-9]|[12]\d|3[01])"
_ALLOWED = {
    "surveyYears": ("調査年月", rf"\d{{4}}|{_MONTH}|{_MONTH}-{_MONTH}"),
    "openYears": ("公開年月", rf"\d{{4}}|{_MONTH}|{_MONTH}-{_MONTH}"),
    "updatedDate": ("更新日付", rf"\d{{4}}|{_MONTH}|{_DAY}|{_DAY}-{_DAY}"),
}


def parse(name: str, text: str) -> Period:
    """Return the period that a parameter asks for: yyyy, yyyymm, yyyymmdd or a range.

    Raises:
        RefusalError: STATUS 102 for another form, or a range that ends before it starts.
    """
    label, pattern = _ALLOWED[name]
    if not re.fullmatch(pattern, text, re.ASCII):
        raise wrong_value(label, name)
    period = span(text)
    if period[0] > period[1]:
        raise wrong_value(label, name)
    return period


def span(text: str) -> Period:
    """Return the period of a date or range as e-Stat writes it: 2015, 201510, 2015-10-26, 202001-202012."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        text = text.replace("-", "")
    first, _, last = text.partition("-")
    return first.ljust(8, "0"), (last or first).ljust(8, "9")


def overlap(one: Period, other: Period) -> bool:
    """Whether two periods share a day."""
    return one[0] <= other[1] and other[0] <= one[1]
