"""Tables whose columns grow and whose partitions are what domains.py says: no row is lost, old states stay readable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.expressions import parser
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionField
from pyiceberg.table import Table

from estat_dagster.columns import Column, arrow_schema, axis_columns
from estat_dagster.domains import DOMAINS, Domain
from estat_dagster.errors import ValidationError
from estat_dagster.lake import about, compacting, partitions, paths, rowgroups, schemas
from estat_dagster.lake.compacting import compact
from estat_dagster.lake.history import snapshots
from estat_dagster.lake.inventory import put_inventory
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.lake.replacing import path_in
from estat_dagster.partitioning import parse
from estat_dagster.query.scan import plan, select_sql
from tests.lake.shore import POPULATION, STAGED, frame, load

A, B = "0000000001", "0000000002"
LONG = "とても長い名前の地域" * 5


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
    with lake.store.open(path_in(lake.store, file.file_path)) as stream:
        assert pq.read_schema(stream).names == names
    back = lake.tables.replace_rows(POPULATION.table_name, A, old_groups(lake, file.file_path), {})
    assert table.refresh().scan(f"dataset_id = '{A}'", snapshot_id=back).count() == 1


def test_the_inventory_gets_columns_that_a_table_of_before_lacks(lake: Lake) -> None:
    few = [column for column in about.INVENTORY_COLUMNS if column.name != "credit"]
    lake.tables.ensure(about.INVENTORY, about.INVENTORY, few)
    entry = DatasetEntry(A, "population", "", "人口", "test", "2026-01-01T00:00:00+00:00", credit="出典")
    put_inventory(lake.tables, entry)
    table = lake.tables.create_dataset_inventory_table()
    assert table.schema().column_names[-1] == "credit"
    assert [row["credit"] for row in table.scan().to_arrow().to_pylist()] == ["出典"]


def old_groups(lake: Lake, uri: str) -> list[pa.Table]:
    """Read a file that was written before the table grew, under the columns of today."""
    schema = schemas.file_schema(lake.tables.get_table_schema(POPULATION.table_name))
    with lake.store.open(path_in(lake.store, uri)) as stream:
        return [rowgroups.read_row_group(stream, pq.read_metadata(stream), 0, schema)]


def stored(lake: Lake) -> list[str]:
    return sorted(file.path for file in lake.store.walk("") if file.path != paths.CATALOG_FILE)


def test_a_column_that_would_change_its_type_stops_before_anything_is_written(lake: Lake) -> None:
    load(lake, frame(A, [1.0]))
    listed, table = snapshots(lake.tables.load(POPULATION.table_name)), lake.tables.load(POPULATION.table_name)
    files = stored(lake)
    for changed in (Column("cat02_code", "string", "", ""), Column("year", "string", "", "")):
        columns = [*POPULATION.columns, changed]
        if changed.name == "year":
            with pytest.raises(ValidationError, match="has year as int, the dataset needs string") as refused:
                lake.tables.prepare(POPULATION, [Column("cat03_code", "string", "", ""), *columns])
            assert refused.value.hint
            assert stored(lake) == files
            assert lake.tables.load(POPULATION.table_name).schema() == table.schema()
    assert snapshots(lake.tables.load(POPULATION.table_name)) == listed


SPECS: list[tuple[str, ...]] = [
    (),
    ("year",),
    ("value", "quarter", "month"),
    ("year", "bucket(4, region_code)"),
    ("truncate(12, region_name)", "truncate(10, year)"),
    ("years(period_start)", "days(period_end)", "bucket(2, period_start)"),
]
MORE_SPECS: list[tuple[str, ...]] = [
    ("year", "region_code"),
    ("region_name",),
    ("dataset_id", "time_kind"),
    ("period_start",),
    ("bucket(16, dataset_id)",),
    ("truncate(2, region_code)",),
    ("bucket(3, region_name)", "quarter"),
    ("months(period_start)", "bucket(2, year)"),
]


def spec_name(spec: tuple[str, ...]) -> str:
    return "+".join(spec) or "none"


def on_aws(spec: tuple[str, ...]) -> list[pytest.MarkDecorator]:
    """What a partition is does not depend on the lake: on AWS one spec is tried each time, the others in the soak."""
    return [] if spec == SPECS[-1] else [pytest.mark.soak]


@pytest.mark.parametrize(
    ("lake_settings", "partition_by"),
    [
        *(pytest.param("local", spec, id=f"local-{spec_name(spec)}") for spec in SPECS),
        *(pytest.param("local", spec, id=f"local-{spec_name(spec)}", marks=pytest.mark.soak) for spec in MORE_SPECS),
        *(pytest.param("aws", spec, id=f"aws-{spec_name(spec)}", marks=on_aws(spec)) for spec in SPECS + MORE_SPECS),
    ],
    indirect=["lake_settings"],
)
def test_any_columns_can_partition_a_table(
    lake: Lake, partition_by: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = replace(DOMAINS["health"], name="spec", partition_by=partition_by)
    for dataset_id in (A, B):
        put(lake, domain, rows_of(dataset_id))
    put(lake, domain, rows_of(A)[::2])
    table = lake.tables.load(domain.table_name)
    assert partitions.fields_of(table) == list(partition_by)
    files = [task.file for task in table.scan().plan_files()]
    assert len(files) <= len({(file.partition, str(rows_in(lake, file)["dataset_id"][0])) for file in files}), (
        "a partition is not split needlessly"
    )
    for file in files:
        held = rows_in(lake, file)
        for field, value in zip(table.spec().fields, file.partition, strict=True):
            assert of_rows(table, field, held) == {value}
    expected = rows_of(A)[::2] + rows_of(B)
    assert texts(table.scan().to_arrow(), STAGED_NAMES) == sorted(map(str, expected))
    found_by_each_column(table, expected)
    before = texts(table.scan().to_arrow(), STAGED_NAMES)
    monkeypatch.setattr(compacting, "FEWEST", 2)
    compact(lake.tables, domain.table_name)
    found_by_each_column(lake.tables.load(domain.table_name), expected)
    put(lake, domain, rows_of(A)[::2])
    now = lake.tables.load(domain.table_name)
    assert texts(now.scan().to_arrow(), STAGED_NAMES) == before
    found_by_each_column(now, expected)


def rows_in(lake: Lake, file: DataFile) -> pa.Table:
    with lake.store.open(path_in(lake.store, file.file_path)) as stream:
        return pq.read_table(stream)


def of_rows(table: Table, field: PartitionField, rows: pa.Table) -> set[Any]:
    """Return the partition values of rows, row by row."""
    make = field.transform.transform(table.schema().find_field(field.source_id).field_type)
    values = rows.column(table.schema().find_column_name(field.source_id)).to_pylist()
    return {make((value - dt.date(1970, 1, 1)).days if isinstance(value, dt.date) else value) for value in values}


@pytest.mark.parametrize(
    ("field", "column", "value"),
    [
        # Appendix B of Iceberg's specification: hashes of 34, "iceberg" and 2017-11-16.
        ("bucket(1000000, year)", pa.array([34, None], pa.int32()), 2017239379 % 1000000),
        ("bucket(1000000, region_code)", pa.array(["iceberg", None]), 1210000089 % 1000000),
        ("bucket(1000, period_start)", pa.array([dt.date(2017, 11, 16), None]), (-653330422 & 0x7FFFFFFF) % 1000),
        ("truncate(2, region_code)", pa.array(["人口世帯", None]), "人口"),
        ("truncate(10, year)", pa.array([-1, None], pa.int32()), -10),
        ("months(period_start)", pa.array([dt.date(1970, 3, 1), None]), 2),
    ],
)
def test_partition_values_are_those_of_iceberg(field: str, column: pa.Array, value: Any) -> None:
    part = parse(field)
    assert str(part) == field
    places, values = partitions.keys(pa.table({part.column: column}), part)
    assert [values[place] for place in places] == [value, None]


@pytest.mark.parametrize(
    "text",
    ["", "bucket(year)", "bucket(0, year)", "truncate(2, year", "year)", "years(2, day)", "hash(4, year)", "a b"],
)
def test_what_is_no_partition_field_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is no partition field"):
        parse(text)


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
        if table.location().startswith("file:"):  # of a lake on AWS it is Athena that reads the files
            read = select_sql(plan(table, parser.parse(text)))
            found = duckdb.sql(f"FROM ({read}) WHERE {text}").to_arrow_table()
            assert texts(found, STAGED_NAMES) == sorted(map(str, wanted))
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
