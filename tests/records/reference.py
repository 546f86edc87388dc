"""The mapping from e-Stat's records to the lake's rows, written as slowly and plainly as possible, to compare with.

It walks over parsed JSON, record by record. Of the project it uses only what other tests cover: periods and columns.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from estat_dagster.domains import Domain
from estat_dagster.estat.periods import NONE, Period
from estat_dagster.estat.timecodes import parse_period, parse_survey_date
from tests.replay import as_list

WIDE = dict(zip("０１２３４５６７８９．，－＋−ｅＥ　\N{NO-BREAK SPACE}", "0123456789.,-+-eE  ", strict=True))
LETTERS = {chr(code + 0xFEE0): chr(code) for code in range(ord("A"), ord("z") + 1)}
CATEGORIES = tuple(f"cat{number:02d}" for number in range(1, 16))
AXES = ("tab", *CATEGORIES, "area", "time")
OTHERS = ("$", "@unit", "@annotation", "@anotation")


def number_of(text: str) -> float | None:
    """Return the number that a text writes, or None: by hand, from left to right.

    One that is too small for a double is none: it is not 0.
    """
    words = "".join(WIDE.get(char, char) for char in text.strip())
    negative = words.startswith(("-", "△", "▲"))
    if words.startswith(("+", "-", "△", "▲")):
        words = words[1:].lstrip(" \t\n\r\f\v")
    mantissa, has_exponent, exponent = words.replace("E", "e").partition("e")
    if has_exponent and not _digits(exponent[1:] if exponent.startswith(("+", "-")) else exponent):
        return None
    whole, point, part = mantissa.partition(".")
    if "," in whole:
        first, *groups = whole.split(",")
        if not (_digits(first) and len(first) <= 3 and first[0] != "0"):
            return None
        if not all(_digits(group) and len(group) == 3 for group in groups):
            return None
        whole = first + "".join(groups)
    if (whole and not _digits(whole)) or (point and not _digits(part)) or not (whole or part):
        return None
    number = float(f"{whole or '0'}.{part or '0'}e{exponent or '0'}")
    if number == 0 and any(char in "123456789" for char in whole + part):
        return None
    return -number if negative else number


def _digits(text: str) -> bool:
    return text != "" and all(char in "0123456789" for char in text)


def text_of(node: Any) -> str | None:
    return None if node is None else str(node)


class Reference:
    """What a document says, in plain dicts."""

    def __init__(self, document: dict[str, Any], domain: Domain) -> None:
        data = document["GET_STATS_DATA"]["STATISTICAL_DATA"]
        self.domain, self.table = domain, data["TABLE_INF"]
        self.axes: dict[str, dict[str, Any]] = {}
        for axis in as_list(data["CLASS_INF"].get("CLASS_OBJ")):
            first = self.axes.setdefault(axis["@id"], {**axis, "CLASS": []})
            first["CLASS"] = [*first["CLASS"], *as_list(axis["CLASS"])]
        inf = data.get("DATA_INF") or {}
        self.notes = {note["@char"]: note["$"] for note in as_list(inf.get("NOTE"))}
        self.annotations = {note["@annotation"]: note["$"] for note in as_list(inf.get("ANNOTATION"))}
        self.unknown_codes: Counter[str] = Counter()
        self.doubtful_periods: Counter[str] = Counter()
        self.unexplained_symbols: Counter[str] = Counter()
        self.unknown_attributes: Counter[str] = Counter()

    def rows(self, records: list[dict[str, Any]], *, page: int, start: int) -> list[dict[str, Any]]:
        """Return the rows of one page."""
        present = set(self.axes) | {axis for axis in AXES if any(f"@{axis}" in record for record in records)}
        self._count(records)
        return [
            self._row(record, present) | {"source_page": page, "source_position": start + number}
            for number, record in enumerate(records)
        ]

    def class_of(self, axis: str, code: str | None) -> dict[str, Any]:
        """Return the CLASS of a code, nothing where there is none."""
        items = self.axes[axis]["CLASS"] if axis in self.axes else []
        return next((item for item in items if item["@code"] == code), {})

    def _row(self, record: dict[str, Any], present: set[str]) -> dict[str, Any]:
        text = text_of(record.get("$"))
        number = None if text is None else number_of(text)
        row: dict[str, Any] = {
            "dataset_id": self.table["@id"],
            "value": number,
            "value_text": text if number is None else None,
            "missing_reason": None if text is None else self._note(text),
            "unit": self._unit(record),
            "annotation": self._annotation(record),
        }
        row |= self._axis(record, "tab", "tab")
        by_measure = "cat01" not in self.axes and record.get("@cat01") is None
        row |= self._axis(record, "tab" if by_measure else "cat01", "category")
        row |= self._axis(record, "area", "region")
        if "area" not in self.axes and row["region_code"] is None and self.table.get("COLLECT_AREA") == "全国":
            row |= {"region_code": "00000", "region_name": "全国"}
        row |= self._axis(record, "time", "time")
        row |= self._period_columns(self._period(record))
        for axis in CATEGORIES[1:]:
            if axis in present:
                row |= self._axis(record, axis, axis)
        for own in self.domain.own:
            row[own.name] = self._own(record, own.axis_words, "code" if own.name.endswith("_code") else "name")
        return row

    def _axis(self, record: dict[str, Any], axis: str, column: str) -> dict[str, str | None]:
        code = text_of(record.get(f"@{axis}"))
        return {f"{column}_code": code, f"{column}_name": self.class_of(axis, code).get("@name")}

    def _own(self, record: dict[str, Any], words: tuple[str, ...], what: str) -> str | None:
        for axis_id, axis in self.axes.items():
            if axis_id.startswith("cat") and any(word in axis["@name"] for word in words):
                return self._axis(record, axis_id, "own")[f"own_{what}"]
        return None

    def _period(self, record: dict[str, Any]) -> Period:
        code = text_of(record.get("@time"))
        if code is None:
            return NONE if "time" in self.axes else parse_survey_date(str(self.table["SURVEY_DATE"]))
        return parse_period(code, self.class_of("time", code).get("@name", ""))

    @staticmethod
    def _period_columns(period: Period) -> dict[str, Any]:
        return {
            "year": period.year,
            "quarter": period.quarter,
            "month": period.month,
            "time_kind": period.kind,
            "period_start": period.start,
            "period_end": period.end,
        }

    def _unit(self, record: dict[str, Any]) -> str | None:
        if has_words(record.get("@unit")):
            return text_of(record["@unit"])
        for axis in self.axes:
            if unit := self.class_of(axis, text_of(record.get(f"@{axis}"))).get("@unit"):
                return str(unit)
        return None

    def _annotation(self, record: dict[str, Any]) -> str | None:
        marks = next((record[name] for name in ("@annotation", "@anotation") if has_words(record.get(name))), None)
        if marks is None or self.annotations.get(marks):
            return self.annotations[marks] if marks else None
        texts = [self.annotations.get(mark) or mark for mark in re.split(r"[,\s]+", str(marks)) if mark]
        return " / ".join(texts) if texts else None

    def _note(self, text: str) -> str | None:
        return self.notes[text] if text in self.notes else self.notes.get(text.strip())

    def _count(self, records: list[dict[str, Any]]) -> None:
        for record in records:
            for name, code in record.items():
                axis = name.removeprefix("@")
                if axis in AXES and code is not None and not self.class_of(axis, text_of(code)):
                    self.unknown_codes[f"{axis} {code}"] += 1
                elif axis not in AXES and name not in OTHERS and code is not None:
                    self.unknown_attributes[name] += 1
            if doubt := self._period(record).doubt:
                self.doubtful_periods[doubt] += 1
            text = text_of(record.get("$"))
            if text and number_of(text) is None and self._note(text) is None and _is_symbol(text):
                self.unexplained_symbols[text] += 1


def has_words(node: Any) -> bool:
    return node is not None and str(node).strip() != ""


def _is_symbol(text: str) -> bool:
    letters = [char for char in text if char.isalpha() and char not in "xXｘＸχΧー"]
    plain = "".join(LETTERS.get(char, char) for char in letters).lower()
    return plain in ("", "e", "na", "nan", "inf", "infinity", "none", "null")
