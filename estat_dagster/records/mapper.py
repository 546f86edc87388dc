"""The columns of a page in the lake's terms: codes joined with names, times with periods, cells with values.

Every cell becomes one row; nothing is judged here. Which rows are good is `quality`'s matter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.columns import EXTRA_AXES, Column, arrow_schema, axis_columns
from estat_dagster.domains import Domain
from estat_dagster.estat.models import Axis, Metadata
from estat_dagster.estat.timecodes import NONE, Period, parse_period, parse_survey_date
from estat_dagster.records.decode import ANNOTATION, ANNOTATION_VARIANT, UNIT, VALUE, decode_values
from estat_dagster.records.values import is_symbol, value_columns

PAGE, POSITION = "source_page", "source_position"
SOURCE_COLUMNS = (
    Column(PAGE, "int", "ページ", "number of the raw page, from 1"),
    Column(POSITION, "long", "位置", "position in the table, from 1"),
)
LOADED_AT = "updated_at"
COUNTRY = ("00000", "全国")
KNOWN_AXES = ("tab", "cat01", *EXTRA_AXES, "area", "time")


@dataclass
class MappingReport:
    """What a person should know of a mapping, each as text -> number of rows."""

    rows: int = 0
    unknown_codes: Counter[str] = field(default_factory=Counter)
    doubtful_periods: Counter[str] = field(default_factory=Counter)
    unexplained_symbols: Counter[str] = field(default_factory=Counter)
    unknown_attributes: Counter[str] = field(default_factory=Counter)


class SchemaMapper:
    """Maps the pages of one dataset to the columns of its domain's table.

    Args:
        metadata: table and axes, from the first page.
        notes: NOTE, symbol -> meaning.
        annotations: ANNOTATION, mark -> text.
        domain: decides the columns beyond those that every table has.
    """

    def __init__(
        self, metadata: Metadata, notes: Mapping[str, str], annotations: Mapping[str, str], domain: Domain
    ) -> None:
        self.metadata, self.notes, self.annotations, self.domain = metadata, notes, annotations, domain
        self.report = MappingReport()
        self._axes = {axis.id: axis for axis in metadata.axes}
        names = [(axis.id, axis.name) for axis in metadata.axes]
        self._own = {own.name: own.find_axis(names) for own in domain.own}
        self._survey_period = parse_survey_date(metadata.table.survey_date)

    def columns(self, extra_axes: tuple[str, ...] = ()) -> tuple[Column, ...]:
        """Return the columns of this dataset's frames: the table's without `updated_at`, then the extra axes'."""
        axes = [axis for axis in EXTRA_AXES if axis in self._axes or axis in extra_axes]
        own = [column for column in self.domain.columns if column.name != LOADED_AT]
        return (*own, *(column for axis in axes for column in axis_columns(axis)))

    def map_page(self, values: bytes, *, page: int, from_number: int) -> pa.Table:
        """Return the rows of a page: the columns of `columns`, then `source_page` and `source_position`.

        Raises:
            DataError: the page's VALUE is not an array of records.
        """
        cells = decode_values(values, list(self._axes))
        rows = _Rows(self, cells)
        extra = tuple(axis for axis in EXTRA_AXES if f"@{axis}" in cells.column_names)
        table = rows.build(self.columns(extra))
        self.report.rows += len(table)
        positions = pa.array(range(from_number, from_number + len(table)), pa.int64())
        pages = pa.array([page] * len(table), pa.int32())
        return table.append_column(PAGE, pages).append_column(POSITION, positions)

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

    def names(self, axis_id: str) -> dict[str, str]:
        """Return code -> name of an axis."""
        axis = self._axes.get(axis_id)
        return {item.code: item.name for item in axis.classes} if axis else {}

    def units(self, axis_id: str) -> dict[str, str]:
        """Return code -> unit of an axis's classes that have one."""
        axis = self._axes.get(axis_id)
        return {item.code: item.unit for item in axis.classes if item.unit} if axis else {}


class _Rows:
    """One page on its way into the lake's columns."""

    def __init__(self, mapper: SchemaMapper, cells: pa.Table) -> None:
        self._mapper, self._cells = mapper, cells
        self._values = value_columns(cells.column(VALUE), mapper.notes)
        self._count_oddities()

    def build(self, columns: tuple[Column, ...]) -> pa.Table:
        made = {
            "dataset_id": pa.repeat(pa.scalar(self._mapper.metadata.table.id), len(self._cells)),
            "unit": self._unit(),
            "annotation": self._annotation(),
            **self._values,
            **self._axis_pair("tab", "tab_code", "tab_name"),
            **self._axis_pair("cat01" if "@cat01" in self._cells.column_names else "tab", *CATEGORY),
            **self._region(),
            **self._time(),
            **self._own(),
        }
        for axis in EXTRA_AXES:
            made |= self._axis_pair(axis, f"{axis}_code", f"{axis}_name")
        schema = arrow_schema(columns)
        return pa.table([made[name] for name in schema.names], schema=schema)

    def _codes(self, axis: str) -> pa.ChunkedArray:
        name = f"@{axis}"
        if name in self._cells.column_names:
            return self._cells.column(name)
        return pa.chunked_array([pa.nulls(len(self._cells), pa.string())])

    def _axis_pair(self, axis: str, code: str, name: str) -> dict[str, pa.ChunkedArray]:
        codes = self._codes(axis)
        return {code: codes, name: lookup(codes, self._mapper.names(axis).get, pa.string())}

    def _region(self) -> dict[str, pa.ChunkedArray]:
        whole_country = self._mapper.metadata.table.collect_area == COUNTRY[1]
        if "@area" in self._cells.column_names or not whole_country:
            return self._axis_pair("area", *REGION)
        return {name: pa.repeat(pa.scalar(text), len(self._cells)) for name, text in zip(REGION, COUNTRY, strict=True)}

    def _time(self) -> dict[str, pa.ChunkedArray]:
        codes = self._codes("time")
        if "@time" in self._cells.column_names:
            periods = {code: self._mapper.period(code) for code in _distinct(codes)}
            fallback = NONE
        else:
            periods, fallback = {}, self._mapper.survey_period
        doubts = [(periods[code].doubt, count) for code, count in _counts(codes)]
        for doubt, count in (*doubts, (fallback.doubt, codes.null_count)):
            if doubt and count:
                self._mapper.report.doubtful_periods[doubt] += count
        types = {"year": pa.int32(), "quarter": pa.int32(), "month": pa.int32()}
        types |= {"period_start": pa.date32(), "period_end": pa.date32(), "time_kind": pa.string()}
        attributes = {"period_start": "start", "period_end": "end", "time_kind": "kind"}
        made = {
            name: lookup(
                codes,
                {c: getattr(p, attributes.get(name, name)) for c, p in periods.items()}.get,
                type_,
                getattr(fallback, attributes.get(name, name)),
            )
            for name, type_ in types.items()
        }
        return made | self._axis_pair("time", "time_code", "time_name")

    def _own(self) -> dict[str, pa.ChunkedArray]:
        made = {}
        for own in self._mapper.domain.own:
            axis = self._mapper.own_axis(own.name) or ""
            pair = self._axis_pair(axis, "code", "name")
            made[own.name] = pair["code" if own.name.endswith("_code") else "name"]
        return made

    def _unit(self) -> pa.ChunkedArray:
        units = [self._cells.column(UNIT)]
        for axis in self._mapper.metadata.axes:
            if known := self._mapper.units(axis.id):
                units.append(lookup(self._codes(axis.id), known.get, pa.string()))
        return pc.coalesce(*units)

    def _annotation(self) -> pa.ChunkedArray:
        marks = pc.coalesce(self._cells.column(ANNOTATION), self._cells.column(ANNOTATION_VARIANT))
        return lookup(marks, self._annotation_texts, pa.string())

    def _annotation_texts(self, marks: str) -> str:
        """Return the texts of one mark or of several; a mark without a text stays itself."""
        known = self._mapper.annotations
        if marks in known:
            return known[marks]
        return " / ".join(known.get(mark, mark) for mark in re.split(r"[,\s]+", marks.strip()))

    def _count_oddities(self) -> None:
        report = self._mapper.report
        for name in self._cells.column_names:
            axis = name.removeprefix("@")
            if axis in KNOWN_AXES:
                names = self._mapper.names(axis)
                report.unknown_codes.update({f"{axis} {c}": n for c, n in _counts(self._codes(axis)) if c not in names})
            elif name not in (VALUE, UNIT, ANNOTATION, ANNOTATION_VARIANT):
                report.unknown_attributes[name] += len(self._cells) - self._cells.column(name).null_count
        texts = self._values["value_text"].filter(pc.is_null(self._values["missing_reason"]))
        report.unexplained_symbols.update({words: n for words, n in _counts(texts) if is_symbol(words)})


CATEGORY = ("category_code", "category_name")
REGION = ("region_code", "region_name")


def lookup(
    keys: pa.ChunkedArray, find: Callable[[str], object], type_: pa.DataType, absent: object = None
) -> pa.ChunkedArray:
    """Return for each key what `find` gives for it, asked once for each distinct key; `absent` for null keys."""
    distinct = [*_distinct(keys), None]
    found = [absent if key is None else find(key) for key in distinct]
    places = pc.index_in(keys, pa.array(distinct, pa.string()))
    return pa.array(found, type_).take(places)


def _distinct(keys: pa.ChunkedArray) -> list[str]:
    return [key for key in pc.unique(keys).to_pylist() if key is not None]


def _counts(keys: pa.ChunkedArray) -> list[tuple[str, int]]:
    pairs = pc.value_counts(keys).to_pylist()
    return [(pair["values"], pair["counts"]) for pair in pairs if pair["values"] is not None]
