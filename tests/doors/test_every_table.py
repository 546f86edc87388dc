"""Every table of the sandbox and every real sample comes into its Iceberg table cell by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from estat_dagster.sandbox.model import Cell, Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.sandbox.tables.catalogue import catalogue
from tests.doors.lakeside import Lakeside, columns_of, held_cells, is_plain_number
from tests.replay import WHOLE_TABLES, real_document, table_from_document

TABLES = {table.id: table for table in catalogue()}
DOMAINS = {
    "0000010101": "population",
    "0003005798": "labor",
    "0003109741": "economy",
    "0003425893": "labor",
    "9900000001": "labor",
    "9900000002": "population",
    "9900000003": "labor",
    "9900000004": "economy",
    "9900000005": "economy",
    "9900000006": "education",
    "9900000007": "health",
    "9900000008": "general",
    "9900000009": "general",
    "9900000010": "general",
    "9900000011": "general",
    "9900000012": "general",
    "9900000013": "general",
    "9900000014": "population",
}


def assert_cell_by_cell(lakeside: Lakeside, table: Table) -> None:
    """Compare the rows of the lake with the cells that the sandbox served."""
    notes = dict(table.notes)
    names = [{item.code: item.name for item in axis.items} for axis in table.axes]
    held = held_cells(lakeside.rows(table.id), table)
    assert len(held) == len(lakeside.rows(table.id)) == len(table.cells)
    label_columns = [column.replace("_code", "_name") for column in columns_of(table)]
    for cell in table.cells:
        row = held[cell.codes]
        assert_value(row, cell, notes)
        labels = [names[place].get(code) for place, code in enumerate(cell.codes)]
        assert [row[column] for column in label_columns] == labels


def assert_value(row: dict[str, object], cell: Cell, notes: dict[str, str]) -> None:
    assert row["missing_reason"] == notes.get(cell.value)
    if is_plain_number(cell):
        assert (row["value"], row["value_text"]) == (float(cell.value), None)
    else:
        assert (row["value"], row["value_text"]) == (None, cell.value)


@pytest.mark.parametrize("dataset_id", [table_id for table_id in TABLES if table_id != "9900000014"])
def test_a_table_of_the_sandbox_is_held_cell_by_cell(lakeside: Lakeside, dataset_id: str) -> None:
    outcome = lakeside.load(dataset_id)
    assert outcome.success, outcome.reason
    assert lakeside.entry(dataset_id).domain == DOMAINS[dataset_id]
    assert lakeside.failed_checks(outcome) == set()
    assert_cell_by_cell(lakeside, TABLES[dataset_id])


def test_a_table_of_three_pages_is_held_whole(lakeside: Lakeside) -> None:
    table = TABLES["9900000014"]
    outcome = lakeside.load(table.id)
    assert outcome.success, outcome.reason
    assert lakeside.facts(outcome, "raw_json")["requests"] == 3
    held = lakeside.table(table.id)
    numbers = [float(cell.value) for cell in table.cells if is_plain_number(cell)]
    assert len(held) == len(table.cells) == 250_000
    assert held.column("value").null_count == len(table.cells) - len(numbers)
    assert sum(value for value in held.column("value").to_pylist() if value is not None) == sum(numbers)


@pytest.mark.parametrize("name", WHOLE_TABLES)
def test_a_real_sample_is_held_cell_by_cell(tmp_path: Path, name: str) -> None:
    table = table_from_document(real_document(name))
    with Sandbox([table]) as sandbox:
        lakeside = Lakeside(tmp_path / "lake", sandbox)
        outcome = lakeside.load(table.id)
        assert outcome.success, outcome.reason
        assert "no_unexplained_nulls" not in lakeside.failed_checks(outcome)
        assert_cell_by_cell(lakeside, table)


def test_the_catalogue_is_listed_here_whole() -> None:
    assert set(DOMAINS) == set(TABLES)
    assert set(DOMAINS.values()) == {"population", "economy", "labor", "education", "health", "general"}
