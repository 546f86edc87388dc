"""e-Stat's time codes and names as periods.

A code is read by its digits and checked against its name; where the two differ the name is right (`YYYY001010` is
October in one table and the year from October in another). A form that neither shows is `unknown`: nothing is guessed.
Forms: API 3.0 specification, 時間軸事項; measured ones in real tables.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from dataclasses import dataclass, replace
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
OCTOBER = "001010"
MONTH_SPANS = {1: "month", 3: "quarter", 6: "half_year"}
ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}

_CODE = re.compile(r"(?P<year>\d{4})(?P<fiscal>[01])(?P<half>\d)(?P<first>\d{2})(?P<last>\d{2})", re.ASCII)
_YEAR = r"(?P<year>\d{4})年"
_NAMES = (
    (re.compile(_YEAR), "calendar_year"),
    (re.compile(_YEAR + "度"), "fiscal_year"),
    (re.compile(_YEAR + r"(?P<first>\d{1,2})月"), "months"),
    (re.compile(_YEAR + r"(?P<first>\d{1,2})月?-(?P<last>\d{1,2})月期?"), "months"),
    (re.compile(_YEAR + r"(?P<first>\d{1,2})月-(?P<end_year>\d{4})年(?P<last>\d{1,2})月"), "months"),
    (re.compile(_YEAR + r"第(?P<quarter>[1-4])四半期"), "quarter"),
    (re.compile(_YEAR + r"(?P<half>[上下])半?期"), "half_year"),
)


def parse_period(code: str, name: str = "") -> Period:
    """Return the period of a time code and its name; kind `unknown` with a doubt where neither can be read."""
    by_code, by_name = _parse_code(code), _parse_name(name)
    if by_code is None and by_name is None:
        return Period("unknown", doubt=f"time code {code!r} named {name!r} has no known form")
    if by_name is None and by_code is not None and name and code[4:] == OCTOBER:
        return replace(by_code, doubt=f"time code {code!r} leaves it open, and its name {name!r} has no known form")
    if by_name is None or by_code is None or by_name == by_code:
        return by_code or by_name or NONE
    if _name_decides(code, by_name):
        return by_name
    return replace(by_name, doubt=f"time code {code!r} says {by_code.kind} {by_code.year}, its name {name!r} differs")


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
        end=_last_day(last_year, last),
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
        return _year(int(code[:4]))
    match = _CODE.fullmatch(code)
    if not match or not 1000 <= int(match["year"]) <= 2999:
        return None
    year, half = int(match["year"]), int(match["half"])
    first, last = int(match["first"]), int(match["last"])
    if match["fiscal"] == "1":
        return _fiscal_year(year) if (half, first, last) == (0, 0, 0) else None
    if half:
        return _half(year, half) if half <= 2 and (first, last) == (0, 0) else None
    return _year(year) if (first, last) == (0, 0) else _months(year, first, year, last)


def _parse_name(name: str) -> Period | None:
    text = _normalise(name)
    for pattern, form in _NAMES:
        if match := pattern.fullmatch(text):
            return _from_name(form, match.groupdict())
    return None


def _from_name(form: str, found: dict[str, str | None]) -> Period | None:
    year = int(found["year"] or 0)
    if not 1000 <= year <= 2999:
        return None
    if form == "calendar_year":
        return _year(year)
    if form == "fiscal_year":
        return _fiscal_year(year)
    if form == "quarter":
        quarter = int(found["quarter"] or 0)
        return _months(year, 3 * quarter - 2, year, 3 * quarter)
    if form == "half_year":
        return _half(year, 1 if found["half"] == "上" else 2)
    first = int(found["first"] or 0)
    return _months(year, first, int(found.get("end_year") or year), int(found.get("last") or first))


def _normalise(name: str) -> str:
    text = re.sub(r"[~〜‐‑–—―−ー]", "-", unicodedata.normalize("NFKC", name))
    text = re.sub(r"\s+", "", text).replace("元年", "1年")
    return re.sub(f"({'|'.join(ERAS)})([1-9]\\d?)年", lambda era: f"{ERAS[era[1]] + int(era[2])}年", text)


def _name_decides(code: str, by_name: Period) -> bool:
    """Whether the code alone leaves it open: October or the year from October; a bare year, calendar or fiscal."""
    year = int(code[:4])
    if len(code) == 10:
        return code[4:] == OCTOBER and by_name.kind == "range" and by_name.start == date(year, 10, 1)
    return by_name == _fiscal_year(year)


def _year(year: int) -> Period:
    return Period("calendar_year", year, start=date(year, 1, 1), end=date(year, 12, 31))


def _fiscal_year(year: int) -> Period:
    return Period("fiscal_year", year, start=date(year, 4, 1), end=date(year + 1, 3, 31))


def _half(year: int, half: int) -> Period:
    return _months(year, 1, year, 6) if half == 1 else _months(year, 7, year, 12)  # type: ignore[return-value]


def _months(year: int, first: int, end_year: int, last: int) -> Period | None:
    """Return the period of the months; a quarter or half-year only where it starts as one does."""
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return None
    length = 12 * (end_year - year) + last - first + 1
    if length < 1:
        return None
    kind = MONTH_SPANS.get(length, "range")
    if (first - 1) % 3:
        kind = "month" if length == 1 else "range"
    return Period(
        kind,
        year,
        quarter=(first + 2) // 3 if kind == "quarter" else None,
        month=first if kind == "month" else None,
        start=date(year, first, 1),
        end=_last_day(end_year, last),
    )


def _last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
