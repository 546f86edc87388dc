"""Mistakes made on purpose: each must be seen by the comparison with the slow reading, which is worth little otherwise.

A mutant is a module whose source has one piece replaced, with all that lean on it made anew; the project's own modules
stay as they are.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from estat_dagster.estat.pages import parse_stats_page
from estat_dagster.records.order import TableRun, coordinate_columns, order_columns, sort_rows
from tests.records.documents import Document, documents
from tests.records.frames import duplicates
from tests.records.reference import Reference

DOCUMENTS = 500
RECORDS, TIMES = ("classes", "values", "mapper", "duplicates", "quality"), ("periods", "timenames", "timecodes")
CHAIN = (*(f"estat.{name}" for name in TIMES), *(f"records.{name}" for name in RECORDS))
"""The modules that are made anew, in the order of their imports."""


class Mutant(NamedTuple):
    """A piece of a module's source, and what stands there instead."""

    module: str
    piece: str
    instead: str


MAPPER, VALUES, PERIODS = "records.mapper", "records.values", "estat.periods"
MUTANTS = {
    "a wrong axis": Mutant(MAPPER, '_axis_pair("tab", "tab_code"', '_axis_pair("cat01", "tab_code"'),
    "code and name swapped": Mutant(
        MAPPER,
        "return codes, ask(codes, self._mapper.names(axis).get)",
        "return ask(codes, self._mapper.names(axis).get), codes",
    ),
    "a footnote lost": Mutant(MAPPER, "self._annotation(),", "absent(self._rows),"),
    "a unit of another axis": Mutant(MAPPER, "ask(self._codes(axis.id), known", 'ask(self._codes("tab"), known'),
    "the country in place of no region": Mutant(MAPPER, 'if self._mapper.axis("area") or ', "if "),
    "a position too far": Mutant(
        MAPPER, "np.arange(from_number, from_number +", "np.arange(1 + from_number, 1 + from_number +"
    ),
    "a symbol that is not told": Mutant(MAPPER, "is None and is_symbol(text)", "is None and not text"),
    "the last name of a code": Mutant(
        "records.classes", "known.setdefault(item.code, item)", "known[item.code] = item"
    ),
    "a zero for a symbol": Mutant(VALUES, "[parse_number(text) for", "[parse_number(text) or 0.0 for"),
    "△ read as plus": Mutant(VALUES, 'in ("-", "△", "▲")', 'in ("-", "▲")'),
    "no reason from NOTE": Mutant(
        VALUES, "_reasons(words, plain, others, notes),", "_reasons(words, plain, others, {}),"
    ),
    "a fiscal year from January": Mutant(
        PERIODS, '"fiscal_year", year, start=date(year, 4', '"fiscal_year", year, start=date(year, 1'
    ),
    "a copy kept": Mutant("records.quality", "(repeated, REPEATED)", "(repeated & False, REPEATED)"),
    "the first of contradicting rows kept": Mutant(
        "records.duplicates", "= in_conflict, later & ~in_conflict", "= in_conflict & later, later & ~in_conflict"
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mistake_is_seen(monkeypatch: pytest.MonkeyPatch, name: str):
    mapper, quality = _made_anew(monkeypatch, MUTANTS[name])
    with pytest.raises(AssertionError):
        _compare_all(mapper, quality)


def test_without_a_mistake_nothing_is_seen(monkeypatch: pytest.MonkeyPatch):
    _compare_all(*_made_anew(monkeypatch, None))


def _made_anew(monkeypatch: pytest.MonkeyPatch, mutant: Mutant | None) -> tuple[ModuleType, ModuleType]:
    """Return the mapper and the quality rules, they or what they import with a mistake."""
    for name in CHAIN:
        spec = importlib.util.find_spec(f"estat_dagster.{name}")
        assert spec
        assert spec.origin
        source = Path(spec.origin).read_text("utf-8")
        if mutant and mutant.module == name:
            if source.count(mutant.piece) != 1:
                pytest.fail(f"{mutant.piece!r} is not in {name} once: choose another mistake")
            source = source.replace(mutant.piece, mutant.instead)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        exec(compile(source, spec.origin, "exec"), module.__dict__)
    return sys.modules["estat_dagster.records.mapper"], sys.modules["estat_dagster.records.quality"]


@functools.cache
def _documents() -> list[Document]:
    found: list[Document] = []

    @settings(
        max_examples=DOCUMENTS, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(documents())
    def collect(document: Document) -> None:
        found.append(document)

    collect()
    return found


def _compare_all(mapper: ModuleType, quality: ModuleType) -> None:
    for document in _documents():
        _compare(document, mapper, quality)


def _compare(document: Document, mapper: ModuleType, quality: ModuleType) -> None:
    """Compare the rows of a document, what is told of them, and which are rejected, with a slow reading."""
    reference = Reference(document.parsed, document.domain)
    pages = [parse_stats_page(document.body(number)) for number in range(len(document.pages))]
    first = pages[0]
    schema = mapper.SchemaMapper(first.metadata, first.notes, first.annotations, document.domain)
    report, tables, rows, start = mapper.MappingReport(), [], [], 1
    for number, (page, records) in enumerate(zip(pages, document.pages, strict=True), start=1):
        table, found = schema.map_page(page.values, page=number, from_number=start)
        expected = reference.rows(records, page=number, start=start)
        assert table.to_pylist() == expected
        report.add(found)
        tables.append(table)
        rows += expected
        start += len(records)
    for oddity in ("unknown_codes", "unknown_attributes", "doubtful_periods", "unexplained_symbols"):
        assert getattr(report, oddity) == getattr(reference, oddity)
    names = list(dict.fromkeys(chain.from_iterable(table.column_names for table in tables)))
    order = order_columns(document.domain.order, names)
    validator = quality.DataQualityValidator([TableRun(sort_rows(table, order)) for table in tables], order)
    rejected = {
        row["source_position"]: row["reason"] for read in validator.parts() for row in read().quarantined.to_pylist()
    }
    wrong_alone = {position for position, reason in rejected.items() if reason in (quality.NO_CELL, quality.NOT_FINITE)}
    repeated, conflicting = (
        {number + 1 for number in numbers} for numbers in duplicates(rows, coordinate_columns(names))
    )
    assert {place for place, reason in rejected.items() if reason == quality.REPEATED} == repeated - wrong_alone
    assert {place for place, reason in rejected.items() if reason == quality.CONFLICTING} == conflicting - wrong_alone
