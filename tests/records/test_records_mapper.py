"""Pages as the lake's rows, cell by cell against a slow reading of the same JSON."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.columns import frame_schema
from estat_dagster.domains import DOMAINS
from estat_dagster.estat.pages import parse_stats_page
from estat_dagster.records.mapper import SOURCE_COLUMNS, MappingReport, SchemaMapper
from tests.estat.answers import body
from tests.hypothesis_profiles import many_examples
from tests.records.documents import Document, documents
from tests.records.reference import Reference
from tests.replay import WHOLE_TABLES, real_document


def mapper_of(answer: bytes, domain: str = "general") -> tuple[SchemaMapper, bytes]:
    page = parse_stats_page(answer)
    return SchemaMapper(page.metadata, page.notes, page.annotations, DOMAINS[domain]), page.values


@many_examples(20)
@given(documents())
def test_every_cell_of_every_document_is_the_row_that_a_slow_reading_gives(document: Document):
    reference = Reference(document.parsed, document.domain)
    mapper, _ = mapper_of(document.body(0), document.domain.name)
    report = MappingReport()
    for number, records in enumerate(document.pages, start=1):
        values, start = parse_stats_page(document.body(number - 1)).values, 100_000 * number - 99_999
        table, found = mapper.map_page(values, page=number, from_number=start)
        report.add(found)
        assert table.to_pylist() == reference.rows(records, page=number, start=start)
        axes = tuple(name[:5] for name in table.column_names if name.endswith("_code") and name.startswith("cat"))
        assert table.schema == frame_schema([*mapper.columns(axes), *SOURCE_COLUMNS])
    assert report.rows == sum(map(len, document.pages))
    assert report.unknown_codes == reference.unknown_codes
    assert report.unknown_attributes == reference.unknown_attributes
    assert report.doubtful_periods == reference.doubtful_periods
    assert report.unexplained_symbols == reference.unexplained_symbols


@many_examples(3)
@given(documents(), st.integers(1, 3))
def test_rows_do_not_depend_on_where_pages_begin(document: Document, size: int):
    records = list(itertools.chain.from_iterable(document.pages))
    pages = tuple(records[start : start + size] for start in range(0, len(records), size)) or ([],)
    assert _rows_of(replace(document, pages=pages)) == _rows_of(replace(document, pages=(records,)))


def _rows_of(document: Document) -> tuple[list[dict[str, Any]], MappingReport]:
    """Return the rows of all pages without what is null, and what to know of them."""
    mapper, _ = mapper_of(document.body(0), document.domain.name)
    rows, report, start = [], MappingReport(), 1
    for number, records in enumerate(document.pages):
        values = parse_stats_page(document.body(number)).values
        table, found = mapper.map_page(values, page=1, from_number=start)
        rows += [{name: cell for name, cell in row.items() if cell is not None} for row in table.to_pylist()]
        report.add(found)
        start += len(records)
    return rows, report


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("name", WHOLE_TABLES)
def test_every_cell_of_the_real_tables_is_the_row_that_a_slow_reading_gives(name: str, domain: str):
    document = real_document(name)
    records = document["GET_STATS_DATA"]["STATISTICAL_DATA"]["DATA_INF"]["VALUE"]
    mapper, values = mapper_of(body(document), domain)
    table, report = mapper.map_page(values, page=1, from_number=1)
    rows = table.to_pylist()
    reference = Reference(document, DOMAINS[domain])
    assert rows == reference.rows(records, page=1, start=1)
    assert all(row["value"] is not None for row in rows), "the samples hold numbers only"
    assert not report.unknown_codes
    assert not report.doubtful_periods
