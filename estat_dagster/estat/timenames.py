"""The names of e-Stat's time codes: the periods that they write out, and what they say against a period.

Eras (令和2年), full-width digits and every kind of dash are read; remarks behind a form (平均, 速報, brackets)
leave it what it is.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from estat_dagster.estat.periods import Period, calendar_year, fiscal_year, months

ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_ANY_ERA = "|".join(ERAS)
_FIRST_YEAR = re.compile(f"(?<={_ANY_ERA})元|元(?=年)")
_ERA = re.compile(f"({_ANY_ERA})([1-9]\\d?)年")
_BOTH = re.compile(
    f"(?P<era>{_ANY_ERA})(?P<number>[1-9]\\d?)\\((?P<year>\\d{{4}})\\)(?=年)"
    f"|(?P<plain>\\d{{4}})(?P<kind>年度?)?\\((?P<its_era>{_ANY_ERA})(?P<its_number>[1-9]\\d?)(?:年度?)?\\)"
)
"""A year in both ways: 令和2(2020)年, 2020(令和2)年, 2020年(令和2年)."""
_LETTER = re.compile(r"(?<![A-Z])([MTSHR])\.?([1-9]\d?)年")
_LETTERS = dict(zip("MTSHR", ERAS.values(), strict=True))

QUARTERS = {"1": 1, "2": 2, "3": 3, "4": 4, "一": 1, "二": 2, "三": 3, "四": 4, "I": 1, "II": 2, "III": 3, "IV": 4}
FIRST = ("上", "前")
"""How the first half of a year is named."""

_NEXT_YEAR = re.compile(r"(\d{4})(年[^年]*?)翌年")
_SHORT_QUARTER = re.compile(r"(?<![A-Z])Q([1-4])(?!\d)|(?<!\d)([1-4])Q(?![A-Z])")
_REMARKS = r"(?:末|分|平均|累計|合計|計|現在|速報値?|確報値?|確定値?|改定値?|見込み?|\([^()]*\))*"
_BASE = re.compile(r"\d{4}年度?(平均)?(基準|=100)")
_YEAR = r"(?P<year>\d{4})年"
_FORMS = tuple(
    (re.compile(pattern + _REMARKS), form)
    for pattern, form in (
        (_YEAR, "calendar_year"),
        (_YEAR + "度", "fiscal_year"),
        (_YEAR + r"(?P<first>\d{1,2})月期?", "months"),
        (_YEAR + r"(?P<first>\d{1,2})月?-(?P<last>\d{1,2})月期?", "months"),
        (_YEAR + r"(?P<first>\d{1,2})月-(?P<end_year>\d{4})年(?P<last>\d{1,2})月期?", "months"),
        (_YEAR + rf"(?P<fiscal>度)?第?(?P<quarter>{'|'.join(QUARTERS)})四半期", "quarter"),
        (_YEAR + r"(?P<fiscal>度)?(?P<half>[上下](?=半?期)|[前後](?=半))半?期?", "half_year"),
    )
)

_FISCAL = re.compile(r"([12]\d{3})年?度|FY\.?([12]\d{3})|年度|FY")
_PLAIN = re.compile(r"(?<!\d)(?<!FY)(?<!FY\.)([12]\d{3})(?![\d度])(?!年度)")
_CALENDAR = re.compile(r"\d年(?!度)")
_UNREAD_YEAR = re.compile(rf"[-・、,/]\d{{1,2}}年|{_ANY_ERA}")
_SPAN = re.compile(r"(?<!\d)(\d{1,2})(?:[かカヵヶケ箇]年|年間)")
_NUMERIC = re.compile(r"(?<!\d)[12]\d{3}(?:[/.-](\d{1,2})(?:-(\d{1,2}))?|(\d{2}))(?![\d年])")
_MONTHS = re.compile(r"(?:(\d{1,2})月?-)?(?<!\d)(\d{1,2})月")
_QUARTER = re.compile(rf"(?:第?({'|'.join(QUARTERS)}))?四半期")
_SHORT_PART = re.compile(rf"(?:(?<!\d)第?({'|'.join(QUARTERS)})|[前後])期(?!比)")
"""第2期, II期, 前期: parts of a year whose length the name does not say."""
_HALF = re.compile(r"([上下前後])半|([上下])期|(?<!四)半期")


def normalise(name: str) -> str:
    """Return a name without spaces, its digits and dashes plain, its eras as years."""
    text = re.sub(r"[~〜‐‑–—―−ー]", "-", unicodedata.normalize("NFKC", name))
    text = _FIRST_YEAR.sub("1", re.sub(r"\s+", "", text))
    text = _BOTH.sub(_agreed, text)
    text = _ERA.sub(lambda era: f"{ERAS[era[1]] + int(era[2])}年", text)
    text = _NEXT_YEAR.sub(lambda span: f"{span[1]}{span[2]}{int(span[1]) + 1}年", text)
    text = _SHORT_QUARTER.sub(lambda quarter: f"第{quarter[1] or quarter[2]}四半期", text)
    return _LETTER.sub(lambda era: f"{_LETTERS[era[1]] + int(era[2])}年", text)


def _agreed(both: re.Match[str]) -> str:
    """Return the year without its brackets where both ways say the same, else the text as it is."""
    era, number = both["era"] or both["its_era"], both["number"] or both["its_number"]
    year = both["year"] or both["plain"]
    return f"{year}{both['kind'] or ''}" if ERAS[era] + int(number) == int(year) else both[0]


def parse_name(name: str) -> Period | None:
    """Return the period that a name writes out, None where it does not."""
    text = normalise(name)
    for pattern, form in _FORMS:
        if match := pattern.fullmatch(text):
            return _period(form, match.groupdict())
    return None


def _period(form: str, found: dict[str, str | None]) -> Period | None:
    year = int(found["year"] or 0)
    if not 1000 <= year <= 2999:
        return None
    if form == "calendar_year":
        return calendar_year(year)
    if form == "fiscal_year":
        return fiscal_year(year)
    if form == "months":
        first = int(found["first"] or 0)
        return months(year, first, int(found.get("end_year") or year), int(found.get("last") or first))
    later = 3 if found["fiscal"] else 0
    if form == "quarter":
        return _part(year, 3 * QUARTERS[found["quarter"] or ""] - 2 + later, 3)
    return _part(year, (1 if found["half"] in FIRST else 7) + later, 6)


def _part(year: int, first: int, length: int) -> Period | None:
    """Return so many months from a month on, which may lie in the year after."""
    years, month = divmod(first - 1, 12)
    start = 12 * (year + years) + month
    return months(start // 12, month + 1, (start + length - 1) // 12, (start + length - 1) % 12 + 1)


def contradicts(name: str, period: Period) -> bool:
    """Whether a name, readable as a whole or not, speaks of other years, months or parts of a year than the period."""
    start, end = period.start, period.end
    if start is None or end is None:
        return False
    text = _BASE.sub("", normalise(name))
    return (
        _other_years(text, period.kind, start, end)
        or _other_length(text, start, end)
        or _other_months(text, start, end)
        or _other_quarter(text, period)
        or _other_part(text, period)
        or _other_half(text, period.kind, start)
    )


def _other_years(text: str, kind: str, start: date, end: date) -> bool:
    fiscal = [match[1] or match[2] for match in _FISCAL.finditer(text)]
    plain = {int(year) for year in _PLAIN.findall(text)}
    if _UNREAD_YEAR.search(text) or not plain <= {start.year, end.year}:
        return True
    if fiscal:
        known = [int(year) for year in fiscal if year]
        return not all(_is_within(start, end, year) for year in known) or (not known and kind != "fiscal_year")
    if kind == "fiscal_year" and _CALENDAR.search(text) and not _MONTHS.search(text):
        return True
    return bool(plain) and start.year not in plain


def _is_within(start: date, end: date, year: int) -> bool:
    return date(year, 4, 1) <= start and end <= date(year + 1, 3, 31)


def _other_length(text: str, start: date, end: date) -> bool:
    """Whether a name speaks of several years (3か年平均), or of the next one (翌年), and the period is shorter."""
    length = 12 * (end.year - start.year) + end.month - start.month + 1
    return ("翌" in text and end.year == start.year) or any(12 * int(years) != length for years in _SPAN.findall(text))


def _other_months(text: str, start: date, end: date) -> bool:
    pairs = (*_MONTHS.findall(text), *_NUMERIC.findall(text))
    found = {int(month) for pair in pairs for month in pair if month}
    return bool(found) and found != {start.month, end.month}


def _other_quarter(text: str, period: Period) -> bool:
    found = _QUARTER.search(text)
    if not found or period.quarter is None:
        return found is not None
    return found[1] is not None and QUARTERS[found[1]] != _quarter_of(text, period.quarter)


def _other_part(text: str, period: Period) -> bool:
    """Whether a name speaks of a part of a year that the period is not; how long 第2期 or 前期 is, it does not say."""
    found = _SHORT_PART.search(text)
    if not found:
        return False
    if found[1] and period.quarter is not None:
        return QUARTERS[found[1]] != _quarter_of(text, period.quarter)
    return period.kind in ("calendar_year", "fiscal_year")


def _quarter_of(text: str, quarter: int) -> int:
    """Return which quarter of its year a name calls a calendar quarter; a fiscal year's first is the second."""
    return (quarter - (2 if _FISCAL.search(text) else 1)) % 4 + 1


def _other_half(text: str, kind: str, start: date) -> bool:
    found = _HALF.search(text)
    if not found or kind != "half_year":
        return found is not None
    which = found[1] or found[2]
    return which is not None and (which in FIRST) != (start.month < 7)
