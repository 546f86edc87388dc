"""The columns of a page in the lake's terms: codes joined with names, times with periods, cells with values.

Every cell becomes one row; nothing is judged here. Which rows are good is `quality`'s matter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from estat_dagster.columns import EXTRA_AXES, Column, axis_columns, frame_schema
from estat_dagster.domains import Domain
from estat_dagster.errors import DataError
from estat_dagster.estat.models import Axis, Metadata
from estat_dagster.estat.periods import NONE, Period
from estat_dagster.estat.timecodes import parse_period, parse_survey_date
from estat_dagster.records.classes import distinct_axes
from estat_dagster.records.decode import ANNOTATION, ANNOTATION_VARIANT, PLAIN, UNIT, decode_values
from estat_dagster.records.texts import absent, ask, choose, constant, counts, distinct, encode, first_of, pick
from estat_dagster.records.uniform import VALUE
from estat_dagster.records.values import find_note, is_symbol, value_columns

PAGE, POSITION = "source_page", "source_position"
SOURCE_COLUMNS = (
    Column(PAGE, "int", "ページ", "number of the raw page, from 1"),
    Column(POSITION, "long", "位置", "position in the table, from 1"),
)
LOADED_AT = "updated_at"
COUNTRY = ("00000", "全国")
KNOWN_AXES = ("tab", "cat01", *EXTRA_AXES, "area", "time")
Pair = tuple[pa.DictionaryArray, pa.DictionaryArray]


@dataclass
class MappingReport:
    """What a person should know of a mapping, each as text -> number of rows."""

    rows: int = 0
    unknown_codes: Counter[str] = field(default_factory=Counter)
    doubtful_periods: Counter[str] = field(default_factory=Counter)
    unexplained_symbols: Counter[str] = field(default_factory=Counter)
    unknown_attributes: Counter[str] = field(default_factory=Counter)

    def add(self, other: MappingReport) -> None:
        """Count another report's rows too."""
        self.rows += other.rows
        self.unknown_codes += other.unknown_codes
        self.doubtful_periods += other.doubtful_periods
        self.unexplained_symbols += other.unexplained_symbols
        self.unknown_attributes += other.unknown_attributes


class SchemaMapper:
    """Maps the pages of one dataset to the columns of its domain's table.

    Args:
        metadata: table and axes, from the first page.
        notes: NOTE, symbol -> meaning.
        annotations: ANNOTATION, mark -> text.
        domain: decides the columns beyond those that every table has.

    Raises:
        DataError: the table has no id.
    """

    def __init__(
        self, metadata: Metadata, notes: Mapping[str, str], annotations: Mapping[str, str], domain: Domain
    ) -> None:
        if not metadata.table.id:
            raise DataError("TABLE_INF does not say which table the rows are of.", hint="Load the dataset again.")
        self.metadata, self.notes, self.annotations, self.domain = distinct_axes(metadata), notes, annotations, domain
        axes = self.metadata.axes
        self._axes = {axis.id: axis for axis in axes}
        self._names = {axis.id: {item.code: item.name for item in axis.classes} for axis in axes}
        names = [(axis.id, axis.name) for axis in axes]
        self._own = {own.name: own.find_axis(names) for own in domain.own}
        self._survey_period = parse_survey_date(metadata.table.survey_date)

    def columns(self, extra_axes: tuple[str, ...] = ()) -> tuple[Column, ...]:
        """Return the columns of this dataset's frames: the table's without `updated_at`, then the extra axes'."""
        axes = [axis for axis in EXTRA_AXES if axis in self._axes or axis in extra_axes]
        own = [column for column in self.domain.columns if column.name != LOADED_AT]
        return (*own, *(column for axis in axes for column in axis_columns(axis)))

    def map_page(self, values: bytes, *, page: int, from_number: int) -> tuple[pa.Table, MappingReport]:
        """Return the rows of a page, under `columns`, `source_page` and `source_position`, and what to know of them.

        Texts are dictionary-encoded, as in `columns.frame_schema`. Pages may be mapped side by side.

        Raises:
            DataError: the page's VALUE is not an array of records.
        """
        cells = decode_values(values, list(self._axes))
        rows = _Rows(self, cells)
        extra = tuple(axis for axis in EXTRA_AXES if f"@{axis}" in cells.column_names)
        table = rows.build(self.columns(extra))
        pages = pa.array(np.full(len(table), page, np.int32))
        positions = pa.array(np.arange(from_number, from_number + len(table), dtype=np.int64))
        return table.append_column(PAGE, pages).append_column(POSITION, positions), rows.report()

    def axis(self, axis_id: str) -> Axis | None:
        """Return the axis, or None where the table's CLASS_INF has none of that id."""
        return self._axes.get(axis_id)

    def own_axis(self, column: str) -> str | None:
        """Return the axis that fills a column of the domain's own."""
        return self._own[column]

    def period(self, code: str) -> Period:
        """Return the period of a time code of this table."""
        return parse_period(code, self.names("time").get(code, ""))

    @property
    def survey_period(self) -> Period:
        """The period of a table without a time axis."""
        return self._survey_period

    def names(self, axis_id: str) -> Mapping[str, str]:
        """Return code -> name of an axis."""
        return self._names.get(axis_id, {})

    def units(self, axis_id: str) -> dict[str, str]:
        """Return code -> unit of an axis's classes that have one."""
        axis = self._axes.get(axis_id)
        return {item.code: item.unit for item in axis.classes if item.unit} if axis else {}

    def measure(self) -> list[str]:
        """Return the columns that tell what a cell measures: those of tab, of the category, and of axes with units."""
        axes = [axis.id for axis in self.metadata.axes if axis.id in KNOWN_AXES and self.units(axis.id)]
        named = (CODE_COLUMNS.get(axis, f"{axis}_code") for axis in axes)
        return list(dict.fromkeys(["tab_code", CATEGORY[0], *named]))


class _Rows:
    """One page on its way into the lake's columns."""

    def __init__(self, mapper: SchemaMapper, cells: pa.Table) -> None:
        self._mapper, self._rows = mapper, len(cells)
        self._attributes = {name: cells.column(name).combine_chunks() for name in cells.column_names}
        self._values = value_columns(self._attributes[VALUE], mapper.notes)
        self._periods = [mapper.period(code) for code in distinct(self._codes("time"))]
        self._fallback = NONE if mapper.axis("time") else mapper.survey_period

    def build(self, columns: tuple[Column, ...]) -> pa.Table:
        made = {
            "dataset_id": constant(self._mapper.metadata.table.id, self._rows),
            "unit": self._unit(),
            "annotation": self._annotation(),
            **self._values,
            **self._axis_pair("tab", "tab_code", "tab_name"),
            **dict(zip(CATEGORY, self._category(), strict=True)),
            **dict(zip(REGION, self._region(), strict=True)),
            **self._time(),
            **self._own(),
        }
        for axis in EXTRA_AXES:
            made |= self._axis_pair(axis, f"{axis}_code", f"{axis}_name")
        schema = frame_schema(columns)
        return pa.table([made[name] for name in schema.names], schema=schema)

    def report(self) -> MappingReport:
        report = MappingReport(rows=self._rows)
        for name in self._attributes:
            axis = name.removeprefix("@")
            if axis in KNOWN_AXES:
                names = self._mapper.names(axis)
                report.unknown_codes.update({f"{axis} {c}": n for c, n in counts(self._codes(axis)) if c not in names})
            elif name not in PLAIN:
                report.unknown_attributes[name] += self._rows - self._attributes[name].null_count
        for doubt, rows in self._doubts():
            report.doubtful_periods[doubt] += rows
        symbols = counts(self._values["value_text"]) if self._values["value_text"].null_count < self._rows else []
        report.unexplained_symbols.update(
            {text: n for text, n in symbols if find_note(text, self._mapper.notes) is None and is_symbol(text)}
        )
        return report

    def _codes(self, axis: str) -> pa.DictionaryArray:
        name = f"@{axis}"
        return self._attributes[name] if name in self._attributes else absent(self._rows)

    def _pair(self, axis: str) -> Pair:
        """Return the codes of an axis and their names."""
        codes = self._codes(axis)
        return codes, ask(codes, self._mapper.names(axis).get)

    def _axis_pair(self, axis: str, code: str, name: str) -> dict[str, pa.Array]:
        return dict(zip((code, name), self._pair(axis), strict=True))

    def _category(self) -> Pair:
        own = self._pair("cat01")
        return own if self._mapper.axis("cat01") else _filled(own, self._pair("tab"))

    def _region(self) -> Pair:
        own = self._pair("area")
        if self._mapper.axis("area") or self._mapper.metadata.table.collect_area != COUNTRY[1]:
            return own
        return _filled(own, (constant(COUNTRY[0], self._rows), constant(COUNTRY[1], self._rows)))

    def _doubts(self) -> list[tuple[str, int]]:
        codes = self._codes("time")
        doubts = {code: period.doubt for code, period in zip(distinct(codes), self._periods, strict=True)}
        found = [(doubts[code], rows) for code, rows in counts(codes)]
        return [(doubt, rows) for doubt, rows in (*found, (self._fallback.doubt, codes.null_count)) if doubt and rows]

    def _time(self) -> dict[str, pa.Array]:
        codes = self._codes("time")
        types = {"year": pa.int32(), "quarter": pa.int32(), "month": pa.int32()}
        types |= {"period_start": pa.date32(), "period_end": pa.date32(), "time_kind": pa.string()}
        made = {}
        for name, type_ in types.items():
            attribute = PERIOD_ATTRIBUTES.get(name, name)
            values = [getattr(period, attribute) for period in self._periods]
            made[name] = pick(codes, values, type_, getattr(self._fallback, attribute))
        return made | {"time_kind": encode(made["time_kind"])} | self._axis_pair("time", "time_code", "time_name")

    def _own(self) -> dict[str, pa.Array]:
        made = {}
        for own in self._mapper.domain.own:
            axis = self._mapper.own_axis(own.name) or ""
            pair = self._axis_pair(axis, "code", "name")
            made[own.name] = pair["code" if own.name.endswith("_code") else "name"]
        return made

    def _unit(self) -> pa.DictionaryArray:
        units = [self._words(UNIT)]
        for axis in self._mapper.metadata.axes:
            if known := self._mapper.units(axis.id):
                units.append(ask(self._codes(axis.id), known.get))
        return first_of(units)

    def _annotation(self) -> pa.DictionaryArray:
        marks = first_of([self._words(ANNOTATION), self._words(ANNOTATION_VARIANT)])
        return ask(marks, self._annotation_texts)

    def _words(self, name: str) -> pa.DictionaryArray:
        """Return the texts of an attribute; one without a word is as good as none."""
        column = self._attributes[name]
        blank = any(not text.strip() for text in distinct(column))
        return ask(column, lambda text: text if text.strip() else None) if blank else column

    def _annotation_texts(self, marks: str) -> str | None:
        """Return the texts of one mark or of several; a mark without a text stays itself."""
        known = self._mapper.annotations
        if known.get(marks):
            return known[marks]
        return " / ".join(known.get(mark) or mark for mark in re.split(r"[,\s]+", marks) if mark) or None


def _filled(pair: Pair, other: Pair) -> Pair:
    """Return codes and names, both the other's in the rows without a code."""
    codes, names = pair
    if codes.null_count == len(codes):
        return other
    return choose(codes.is_valid(), codes, other[0]), choose(codes.is_valid(), names, other[1])


CATEGORY = ("category_code", "category_name")
REGION = ("region_code", "region_name")
CODE_COLUMNS = {"cat01": CATEGORY[0], "area": REGION[0]}
PERIOD_ATTRIBUTES = {"period_start": "start", "period_end": "end", "time_kind": "kind"}
