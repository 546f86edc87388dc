"""What of a result can be drawn: numbers with their series, region, period and unit, read by the columns' names."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from estat_dagster.errors import ValidationError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 20_000

_REGION = ("region_code", "region_name")
_UNIT = "unit"
_PERIOD = ("year", "quarter", "month", "time_code", "time_name", "period_start", "period_end", "survey_date")
_REMARKS = ("value_text", "missing_reason", "annotation", "updated_at")
_NO_VALUES = frozenset({*_PERIOD, "place", "position", "level", "regions", "periods"})

_IN_JAPANESE = {
    "年": "year",
    "年度": "year",
    "月": "month",
    "地域": "region_name",
    "都道府県": "region_name",
    "単位": "unit",
    "値": "value",
}
"""Names that a query may give the lake's columns: `year AS 年`."""

When = int | float | dt.date


@dataclass(frozen=True)
class Point:
    """One number: None where there is none, which is drawn as a gap."""

    value: float | None
    when: When | None
    period: str
    region_code: str
    region: str
    series: str

    @property
    def label(self) -> str:
        """Region and series, as a person reads them."""
        return " ".join(part for part in (self.region, self.series) if part)


@dataclass(frozen=True)
class Points:
    """What will be drawn, in the order of the rows.

    Args:
        measure: what the numbers are, for the axis, without the unit.
        common: what all rows have in common, for the title.
    """

    points: Sequence[Point]
    measure: str
    unit: str
    common: str

    @property
    def axis_label(self) -> str:
        """The measure and its unit."""
        unit = f"単位：{self.unit}" if self.unit else ""
        return " ".join(filter(None, (self.measure, unit)))

    @property
    def periods(self) -> list[When]:
        """The different periods, the earliest first."""
        return sorted({point.when for point in self.points if point.when is not None}, key=_as_number)

    def of_last_period(self) -> Points:
        """Return the points of the last period for which there is any number; all, where there are no periods."""
        numbered = [p.when for p in self.points if p.when is not None and p.value is not None]
        last = last_of(numbered) if numbered else None
        kept = [point for point in self.points if point.when == last or not numbered]
        period = kept[0].period if len({point.period for point in kept}) == 1 else ""
        return Points(kept, self.measure, self.unit, " ".join(filter(None, (self.common, period))))


def read(table: pa.Table, value: str | None = None) -> Points:
    """Return the points of a result.

    Args:
        table: rows with a number, and a region or a period.
        value: the column of the numbers; None takes `value`, else the first column of numbers that is no period.

    Raises:
        ValidationError: there is nothing to draw, or the rows mix units, or several numbers stand at one place.
    """
    if not 0 < table.num_rows <= MOST_ROWS:
        raise ValidationError(
            f"A result of {table.num_rows:,} rows cannot be drawn.", hint="Draw between 1 and 20,000 rows."
        )
    table, value = _in_the_lakes_words(table), _IN_JAPANESE.get(value or "", value)
    rows = table.to_pylist()
    numbers = _value_column(table, value)
    _refuse_infinite([row[numbers] for row in rows])
    varying, common = _texts(table, rows)
    whens = _whens(table, rows, varying)
    points = [
        Point(
            value=None if row[numbers] is None else float(row[numbers]),
            when=when,
            period=str(row.get("time_name") or _period_name(when)),
            region_code=str(row.get("region_code") or ""),
            region=str(row.get("region_name") or row.get("region_code") or ""),
            series=" ".join(str(row[name]) for name in varying if row[name] is not None),
        )
        for row, when in zip(rows, whens, strict=True)
    ]
    _refuse_two_at_a_place(points)
    return Points(points, "" if numbers == "value" else numbers, _unit(rows), common)


def last_of(periods: Iterable[When | None]) -> When | None:
    """Return the last of some periods, None where there is none."""
    return max((when for when in periods if when is not None), key=_as_number, default=None)


def _in_the_lakes_words(table: pa.Table) -> pa.Table:
    """Return a result whose columns have the lake's names where it gives them Japanese ones, each once."""
    names = list(table.column_names)
    for place, name in enumerate(names):
        if _IN_JAPANESE.get(name, name) not in names:
            names[place] = _IN_JAPANESE[name]
    return table.rename_columns(names)


def _refuse_infinite(values: Sequence[Any]) -> None:
    numbers = [float(value) for value in values if value is not None]
    if numbers and not any(map(math.isfinite, numbers)):
        raise ValidationError("The result has no finite number to draw.", hint="Leave divisions by 0 out with NULLIF.")


def _value_column(table: pa.Table, value: str | None) -> str:
    import pyarrow.types as at

    def is_number(name: str) -> bool:
        kind = table.schema.field(name).type
        return bool(at.is_integer(kind) or at.is_floating(kind) or at.is_decimal(kind))

    if value is not None and (value not in table.column_names or not is_number(value)):
        raise ValidationError(f"There is no column of numbers {value!r} to draw.")
    found = [name for name in table.column_names if is_number(name) and name not in _NO_VALUES]
    names = [value] if value else [name for name in found if name == "value"] or found
    if not names:
        raise ValidationError("The result has no column of numbers to draw.", hint="Select value, and year or region.")
    return names[0]


def _texts(table: pa.Table, rows: Sequence[dict[str, Any]]) -> tuple[list[str], str]:
    """Return the text columns that tell series apart, and the words that all rows share."""
    import pyarrow.types as at

    names = [
        name
        for name in table.column_names
        if at.is_string(table.schema.field(name).type) and name not in (*_REGION, *_PERIOD, *_REMARKS, _UNIT)
    ]
    named = [name for name in names if not name.endswith("_code") or f"{name[:-5]}_name" not in names]
    varying = [name for name in named if len({row[name] for row in rows}) > 1]
    same = [str(rows[0][name]) for name in named if name not in varying and name.endswith("_name") and rows[0][name]]
    return varying, " ".join(dict.fromkeys(same))


def _unit(rows: Sequence[dict[str, Any]]) -> str:
    units = sorted({str(row[_UNIT]) for row in rows if row.get(_UNIT)})
    if len(units) > 1:
        raise ValidationError(f"The rows have several units: {', '.join(units)}.", hint="Draw one: WHERE unit = '...'.")
    return units[0] if units else ""


def _whens(table: pa.Table, rows: Sequence[dict[str, Any]], varying: Sequence[str]) -> list[When | None]:
    """Return when each row is: its year where that tells its periods apart, else its first day, or its month."""
    names = set(table.column_names)
    if "year" not in names:
        return [row.get("period_start") or row.get("month") for row in rows]
    places = {(row["year"], row.get("region_code"), row.get("region_name"), *(row[n] for n in varying)) for row in rows}
    if len(places) == len(rows):
        return [row["year"] for row in rows]
    if "period_start" in names:
        return [row["period_start"] for row in rows]
    return [_month(row) for row in rows]


def _month(row: dict[str, Any]) -> float | None:
    month = row.get("month") or (row["quarter"] * 3 - 2 if row.get("quarter") else 1)
    return None if row["year"] is None else row["year"] + (month - 1) / 12


def _period_name(when: When | None) -> str:
    if not isinstance(when, float):
        return "" if when is None else str(when)
    year, months = divmod(round(when * 12), 12)
    return f"{year}-{months + 1:02}" if months else str(year)


def _as_number(when: When) -> float:
    return when.toordinal() if isinstance(when, dt.date) else float(when)


def _refuse_two_at_a_place(points: Sequence[Point]) -> None:
    seen: set[tuple[object, ...]] = set()
    for point in points:
        place = (point.when, point.region_code, point.region, point.series)
        if place in seen:
            where = " ".join(filter(None, (point.period, point.label))) or "one place"
            raise ValidationError(
                f"The result has several numbers for {where}.",
                hint="Select what tells them apart (tab_name, category_name, ...), or narrow it with WHERE.",
            )
        seen.add(place)
