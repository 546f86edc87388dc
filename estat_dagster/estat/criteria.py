"""What tables are searched for: what getStatsList filters itself is asked of it, the rest is filtered here.

Source: API 3.0 specification, 3.2 統計表情報取得.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from estat_dagster.errors import ValidationError
from estat_dagster.estat.fields import FIELDS
from estat_dagster.estat.models import TableInfo
from estat_dagster.estat.words import Query, fold, parse_query

AREA_LEVELS = {"national": "1", "prefecture": "2", "municipality": "3"}
_AREA_NAMES = {"全国": "1", "都道府県": "2", "市区町村": "3", **AREA_LEVELS, **{code: code for code in "123"}}
CYCLES = {"annual": "年次", "fiscal": "年度次", "quarterly": "四半期", "monthly": "月次"}
_DATE = re.compile(r"([12]\d{3})(?:-?(\d{2})(?:-?(\d{2}))?)?", re.ASCII)
_DIGITS_RANGE = re.compile(r"(\d{4}|\d{6}|\d{8})-(\d{4}|\d{6}|\d{8})", re.ASCII)


@dataclass(frozen=True)
class Criteria:
    """What is searched for; every part may be left out, but not all of them.

    Args:
        words: search words; AND, OR and NOT are e-Stat's.
        field: 統計分野, two or four digits.
        survey: 政府統計コード, eight digits, or five for all of an organisation.
        area: national, prefecture or municipality; 全国, 都道府県, 市区町村; or e-Stat's 1 to 3.
        cycle: part of 提供周期, such as 年次, or annual, fiscal, quarterly, monthly. Filtered here.
        years: 調査年月: `2020`, `2020-10`, `2015..2020`.
        updated: 更新日付: `2026`, `2026-01`, `2026-01-15`, `2026-01-01..2026-01-31`, or `2026-01-01..` up to today.
        small_areas: tables of small areas and meshes (小地域・地域メッシュ) instead of the others.
    """

    words: str = ""
    field: str | None = None
    survey: str | None = None
    area: str | None = None
    cycle: str | None = None
    years: str | None = None
    updated: str | None = None
    small_areas: bool = False

    @property
    def query(self) -> Query:
        """The words as they are sent.

        Raises:
            ValidationError: an operator has no word.
        """
        return parse_query(self.words)

    def parameters(self, today: date) -> dict[str, str]:
        """Return the parameters of getStatsList.

        Raises:
            ValidationError: a part cannot be asked for, or there is none.
        """
        asked = {
            "searchWord": self.query.text,
            "statsField": _code(self.field, r"\d{2}|\d{4}", "field", f"The fields are {_field_names()}."),
            "statsCode": _code(self.survey, r"\d{5}|\d{8}", "survey code", "It has eight digits, as 00200521."),
            "collectArea": _area(self.area),
            "surveyYears": _years(self.years),
            "updatedDate": _updated(self.updated, today),
        }
        given = {name: value for name, value in asked.items() if value}
        if not given:
            raise ValidationError(
                "Nothing is asked of e-Stat.", hint="Give words, a field, a survey, an area level or dates."
            )
        return given | ({"searchKind": "2"} if self.small_areas else {})

    def keeps(self, table: TableInfo) -> bool:
        """Whether a table that e-Stat found passes what e-Stat cannot filter: the cycle."""
        return not self.cycle or fold(CYCLES.get(fold(self.cycle), self.cycle)) in fold(table.cycle)


def _field_names() -> str:
    return ", ".join(f"{code} {name}" for code, name in FIELDS.items())


def _code(text: str | None, pattern: str, what: str, hint: str) -> str | None:
    code = fold(text) if text else None
    if code and not re.fullmatch(pattern, code, re.ASCII):
        raise ValidationError(f"{text!r} is no {what}.", hint=hint)
    return code


def _area(text: str | None) -> str | None:
    if not text:
        return None
    if fold(text) not in _AREA_NAMES:
        raise ValidationError(f"{text!r} is no area level.", hint=f"Choose {', '.join(AREA_LEVELS)}.")
    return _AREA_NAMES[fold(text)]


def _years(text: str | None) -> str | None:
    """Return `yyyy`, `yyyymm` or `yyyymm-yyyymm`."""
    if not text:
        return None
    hint = "Write 2020, 2020-10 or 2015..2020."
    first, last = _bounds(text, "years", hint)
    if max(len(first.digits), len(last.digits)) > len("yyyymm"):
        raise ValidationError(f"The years {text!r} name a day, and e-Stat takes months.", hint=hint)
    return first.digits if first == last else f"{first.start:%Y%m}-{last.end:%Y%m}"


def _updated(text: str | None, today: date) -> str | None:
    """Return `yyyy`, `yyyymm`, `yyyymmdd` or `yyyymmdd-yyyymmdd`."""
    if not text:
        return None
    whole = f"{text}{today}" if text.endswith("..") else text
    first, last = _bounds(whole, "update window", "Write 2026, 2026-01, 2026-01-15 or 2026-01-01..2026-01-31.")
    return first.digits if first == last else window(first.start, last.end)


def window(first: date, last: date) -> str:
    """Return the `updatedDate` from one day to another, both of them in it."""
    return f"{first:%Y%m%d}-{last:%Y%m%d}"


class _Date(NamedTuple):
    """A year, a month or a day: its digits as e-Stat takes them, its first and its last day."""

    digits: str
    start: date
    end: date


def _bounds(text: str, what: str, hint: str) -> tuple[_Date, _Date]:
    """Return the two dates of a range, or a single one twice."""
    digits = _DIGITS_RANGE.fullmatch(text)
    first, dots, last = text.partition("..")
    try:
        found = [_date(part) for part in (digits.groups() if digits else (first, last if dots else first))]
    except ValueError:
        found = []
    if not found or found[0].start > found[1].end:
        raise ValidationError(f"{text!r} is no {what}.", hint=hint)
    return found[0], found[1]


def _date(text: str) -> _Date:
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(text)
    year, month, day = (int(part) if part else 0 for part in match.groups())
    start = date(year, month if match[2] else 1, day if match[3] else 1)
    end = start
    if not match[3]:
        last = start.month if match[2] else 12
        end = date(year, last, calendar.monthrange(year, last)[1])
    return _Date("".join(part for part in match.groups() if part), start, end)
