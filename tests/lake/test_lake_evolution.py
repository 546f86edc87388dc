"""Tables whose columns grow and whose partitions are what domains.py says: no row is lost, old states stay readable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from estat_dagster.columns import Column, arrow_schema, axis_columns
from estat_dagster.domains import DOMAINS, Domain
from estat_dagster.errors import ValidationError
from estat_dagster.lake import rowgroups, schemas
from estat_dagster.lake.compacting import compact
from estat_dagster.lake.history import snapshots
from estat_dagster.lake.lake import Lake
from tests.lake.shore import POPULATION, STAGED, frame, lake_in, load

A, B = "0000000001", "0000000002"
LONG = "とても長い名前の地域" * 5


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return lake_in(tmp_path / "lake")


def texts(rows: pa.Table, columns: Sequence[str]) -> list[str]:
    return sorted(map(str, rows.select(columns).to_pylist()))


def test_columns_of_a_later_dataset_leave_old_files_and_snapshots_readable(lake: Lake) -> None:
    first = load(lake, frame(A, [1.0, None]))
    names = lake.tables.get_table_schema(POPULATION.table_name).column_names
    [file, *_] = [task.file for task in lake.tables.load(POPULATION.table_name).scan().plan_files()]
    wide = frame(B, [2.0]).append_column("cat15_code", [["x"]]).append_column("cat15_name", [["ex"]])
    load(lake, wide, axis_columns("cat15"))
    grown = replace(POPULATION, own=(*POPULATION.own, replace(POPULATION.own[0], name="nationality")))
    lake.tables.prepare(grown, grown.columns)
    table = lake.tables.load(POPULATION.table_name)
    assert table.schema().column_names == [*names, "cat15_code", "cat15_name", "nationality"]
    assert table.scan(snapshot_id=first).to_arrow().column_names == names
    now = table.scan(f"dataset_id = '{A}'").to_arrow()
    assert texts(now, names) == texts(table.scan(snapshot_id=first).to_arrow(), names)
    assert now.column("cat15_code").null_count == len(now) == 2
    assert pq.read_schema(file.file_path.removeprefix("file://")).names == names
    back = lake.tables.replace_rows(POPULATION.table_name, A, old_groups(lake, file.file_path), {})
    assert table.refresh().scan(f"dataset_id = '{A}'", snapshot_id=back).count() == 1


def old_groups(lake: Lake, uri: str) -> list[pa.Table]:
    """Read a file that was written before the table grew, under the columns of today."""
    schema = schemas.file_schema(lake.tables.get_table_schema(POPULATION.table_name))
    path = uri.removeprefix("file://")
    return [rowgroups.read_row_group(path, pq.read_metadata(path), 0, schema)]


def test_a_column_that_would_change_its_type_stops_before_anything_is_written(lake: Lake) -> None:
    load(lake, frame(A, [1.0]))
    listed, table = snapshots(lake.tables.load(POPULATION.table_name)), lake.tables.load(POPULATION.table_name)
    files = sorted(file for file in Path(lake.store.full()).rglob("*") if file.name != "catalog.db")
    for changed in (Column("cat02_code", "string", "", ""), Column("year", "string", "", "")):
        columns = [*POPULATION.columns, changed]
        if changed.name == "year":
            with pytest.raises(ValidationError, match="has year as int, the dataset needs string") as refused:
                lake.tables.prepare(POPULATION, [Column("cat03_code", "string", "", ""), *columns])
            assert refused.value.hint
            assert sorted(f for f in Path(lake.store.full()).rglob("*") if f.name != "catalog.db") == files
            assert lake.tables.load(POPULATION.table_name).schema() == table.schema()
    assert snapshots(lake.tables.load(POPULATION.table_name)) == listed


SPECS: list[tuple[str, ...]] = [
    (),
    ("year",),
    ("year", "region_code"),
    ("region_name",),
    ("dataset_id", "time_kind"),
    ("period_start",),
    ("value", "quarter", "month"),
]


@pytest.mark.parametrize("partition_by", SPECS, ids=lambda spec: "+".join(spec) or "none")
def test_any_columns_can_partition_a_table(lake: Lake, partition_by: tuple[str, ...]) -> None:
    domain = replace(DOMAINS["health"], name="spec", partition_by=partition_by)
    for dataset_id in (A, B):
        put(lake, domain, rows_of(dataset_id))
    put(lake, domain, rows_of(A)[::2])
    table = lake.tables.load(domain.table_name)
    assert [field.name for field in table.spec().fields] == list(partition_by)
    for task in table.scan().plan_files():
        held = pq.read_table(task.file.file_path.removeprefix("file://"))
        assert all(len(set(held.column(name).to_pylist())) == 1 for name in partition_by)
    expected = rows_of(A)[::2] + rows_of(B)
    assert texts(table.scan().to_arrow(), STAGED_NAMES) == sorted(map(str, expected))
    found_by_each_column(table, expected)
    before = texts(table.scan().to_arrow(), STAGED_NAMES)
    compact(lake.tables, domain.table_name)
    put(lake, domain, rows_of(A)[::2])
    assert texts(lake.tables.load(domain.table_name).scan().to_arrow(), STAGED_NAMES) == before


STAGED_NAMES = (
    "dataset_id",
    "year",
    "quarter",
    "month",
    "region_code",
    "region_name",
    "value",
    "time_kind",
    "period_start",
)


def rows_of(dataset_id: str) -> list[dict[str, Any]]:
    """Return rows whose columns are null now and then, with names that begin alike and are long."""
    return [
        {
            "dataset_id": dataset_id,
            "year": None if n == 4 else 2000 + n % 2,
            "quarter": n % 3 or None,
            "month": None,
            "region_code": None if n == 5 else f"{n % 2:02d}000",
            "region_name": None if n == 5 else LONG + str(n % 2),
            "value": None if n == 3 else float(n % 3),
            "time_kind": "month" if n % 2 else None,
            "period_start": None if n == 2 else dt.date(1950 + n % 2 * 60, 1, 1),
        }
        for n in range(7)
    ]


def put(lake: Lake, domain: Domain, rows: list[dict[str, Any]]) -> None:
    table = lake.tables.ensure(domain.name, domain.table_name, domain.columns, domain.partition_by, domain.sort_by)
    staged = pa.Table.from_pylist(rows, schema=arrow_schema(c for c in domain.columns if c.name != "updated_at"))
    ordered = staged.sort_by([(name, "ascending") for name in domain.order])
    moment = pa.scalar(dt.datetime.now(dt.UTC), pa.timestamp("us", "UTC"))
    made = {"updated_at": pa.repeat(moment, len(rows))}
    group = rowgroups.under(ordered, schemas.file_schema(table.schema()), **made)
    lake.tables.replace_rows(
        domain.table_name, rows[0]["dataset_id"], [group], {"estat.dataset-id": rows[0]["dataset_id"]}
    )


def found_by_each_column(table: Any, expected: list[dict[str, Any]]) -> None:
    """See that a filter on any column finds its rows: files of wrong partitions would be left unread."""
    for name, text in {
        "year": "year = 2001",
        "region_name": f"region_name = '{LONG}1'",
        "region_code": "region_code is null",
        "period_start": "period_start = '1950-01-01'",
        "time_kind": "time_kind is null",
        "value": "value is null",
    }.items():
        wanted = [row for row in expected if row[name] == WANTED[name]]
        assert texts(table.scan(text).to_arrow(), STAGED_NAMES) == sorted(map(str, wanted)), text
        assert wanted


WANTED: dict[str, Any] = {
    "year": 2001,
    "region_name": f"{LONG}1",
    "region_code": None,
    "period_start": dt.date(1950, 1, 1),
    "time_kind": None,
    "value": None,
}
assert {column.name for column in STAGED} >= set(STAGED_NAMES)
