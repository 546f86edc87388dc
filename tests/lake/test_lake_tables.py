"""The Iceberg tables: one dataset's rows replaced at once, columns added to a live table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.exceptions import ValidationException
from pyiceberg.manifest import ManifestFile

from estat_dagster.columns import Column, axis_columns
from estat_dagster.errors import ValidationError
from estat_dagster.lake import schemas
from estat_dagster.lake.datafiles import write_data_files
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.replacing import data_folder, replace
from estat_dagster.lake.transactions import Transaction
from tests.lake.shore import POPULATION, frame, group, load

A, B = "0000000001", "0000000002"


def values(lake: Lake, dataset_id: str) -> list[float | None]:
    table = lake.tables.load(POPULATION.table_name)
    found = table.scan(row_filter=f"dataset_id = '{dataset_id}'").to_arrow().column("value").to_pylist()
    return sorted(found, key=lambda value: (value is None, value))


def test_a_load_replaces_exactly_its_datasets_rows_in_one_snapshot(lake: Lake) -> None:
    load(lake, frame(A, [1.0, 2.0, None]))
    load(lake, frame(B, [5.0]))
    snapshot = load(lake, frame(A, [7.0, 8.0]))
    assert values(lake, A) == [7.0, 8.0]
    assert values(lake, B) == [5.0]
    table = lake.tables.load(POPULATION.table_name)
    assert len(table.snapshots()) == 3
    assert table.current_snapshot().snapshot_id == snapshot
    assert table.current_snapshot().summary["estat.dataset-id"] == A


def test_earlier_snapshots_keep_their_rows(lake: Lake) -> None:
    first = load(lake, frame(A, [1.0]))
    load(lake, frame(A, [2.0]))
    table = lake.tables.load(POPULATION.table_name)
    assert table.scan(snapshot_id=first).to_arrow().column("value").to_pylist() == [1.0]


def test_no_rows_take_the_dataset_out(lake: Lake) -> None:
    load(lake, frame(A, [1.0]))
    load(lake, frame(B, [2.0]))
    lake.tables.replace_rows(POPULATION.table_name, A, [], {})
    assert values(lake, A) == []
    assert values(lake, B) == [2.0]


def test_a_file_holds_one_year_in_order_and_carries_the_field_ids(lake: Lake) -> None:
    load(lake, frame(A, [1.0, 2.0, 3.0, 4.0], [2001, None, 2000, 2001]))
    table = lake.tables.load(POPULATION.table_name)
    tasks = list(table.scan().plan_files())
    assert sorted(str(task.file.partition[0]) for task in tasks) == ["2000", "2001", "None"]
    for task in tasks:
        with lake.store.open(str(lake.store.path_of(task.file.file_path))) as stream:
            held = pq.read_table(stream)
        assert held.column("region_code").to_pylist() == sorted(held.column("region_code").to_pylist())
        ids = [int(field.metadata[b"PARQUET:field_id"]) for field in held.schema]
        assert ids == [field.field_id for field in table.schema().fields]


def test_a_new_axis_adds_its_columns_to_the_live_table(lake: Lake) -> None:
    load(lake, frame(A, [1.0]))
    names = lake.tables.get_table_schema(POPULATION.table_name).column_names
    with_axis = frame(B, [2.0]).append_column("cat02_code", [["x"]]).append_column("cat02_name", [["ex"]])
    load(lake, with_axis, axis_columns("cat02"))
    assert lake.tables.get_table_schema(POPULATION.table_name).column_names == [*names, "cat02_code", "cat02_name"]
    rows = {row["dataset_id"]: row["cat02_name"] for row in scan(lake)}
    assert rows == {A: None, B: "ex"}


def stored(lake: Lake) -> list[str]:
    """Return the paths of the data files that are there, also of those that no snapshot names."""
    return sorted(file.path for file in lake.store.walk("iceberg-tables") if file.path.endswith(".parquet"))


def scan(lake: Lake) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = lake.tables.load(POPULATION.table_name).scan().to_arrow().to_pylist()
    return rows


def test_a_column_of_another_type_is_refused_before_anything_changes(lake: Lake) -> None:
    load(lake, frame(A, [1.0]))
    schema = lake.tables.get_table_schema(POPULATION.table_name)
    with pytest.raises(ValidationError, match="has value as double"):
        lake.tables.prepare(POPULATION, (Column("fresh", "string", "", ""), Column("value", "string", "", "")))
    assert lake.tables.get_table_schema(POPULATION.table_name) == schema


def test_a_batch_that_fails_leaves_the_table_and_no_files(lake: Lake) -> None:
    load(lake, frame(A, [1.0]))
    before = stored(lake)

    schema = schemas.file_schema(lake.tables.get_table_schema(POPULATION.table_name))

    def broken() -> Iterator[pa.Table]:
        yield group(frame(A, [3.0]), schema)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        lake.tables.replace_rows(POPULATION.table_name, A, broken(), {})
    assert values(lake, A) == [1.0]
    assert stored(lake) == before


def test_rows_of_a_file_that_holds_other_datasets_too_are_still_replaced_alone(lake: Lake) -> None:
    load(lake, frame(A, [1.0], [2000]))
    load(lake, frame(B, [2.0], [2000]))
    table = lake.tables.load(POPULATION.table_name)
    table.overwrite(table.scan().to_arrow())  # as a compaction would: both datasets in one file
    assert len(list(table.scan().plan_files())) == 1
    load(lake, frame(A, [9.0], [2000]))
    assert values(lake, A) == [9.0]
    assert values(lake, B) == [2.0]


def test_a_table_made_without_the_properties_of_names_gets_them(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    load(lake, frame(A, [1.0]))
    name = "write.metadata.metrics.column.region_name"
    with lake.tables.load(POPULATION.table_name).transaction() as transaction:
        transaction.remove_properties(name)
    load(lake, frame(B, [2.0]))
    assert lake.tables.load(POPULATION.table_name).properties[name] == "none"
    assert "statistics missing" not in caplog.text


def test_a_transaction_copies_the_metadata_once_for_each_change(lake: Lake) -> None:
    load(lake, frame(A, [1.0]))
    table = lake.tables.load(POPULATION.table_name)
    with Transaction(table) as transaction:
        before = transaction.table_metadata
        assert transaction.table_metadata is before is not table.metadata
        transaction.set_properties({"a": "1"})
        after = transaction.table_metadata
        assert transaction.table_metadata is after
        assert ("a" in before.properties, after.properties["a"]) == (False, "1")
        table.refresh()
        assert transaction.table_metadata is not after
    assert lake.tables.load(POPULATION.table_name).properties["a"] == "1"


FEW = 4


@pytest.fixture
def merging_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "PROPERTIES", schemas.PROPERTIES | {"commit.manifest.min-count-to-merge": str(FEW)})


@pytest.mark.usefixtures("merging_early")
def test_loads_leave_few_manifests_and_every_snapshot_keeps_its_rows(lake: Lake) -> None:
    ids = [f"{number:010d}" for number in range(1, 8)]
    held: dict[str, float] = {}
    then: list[tuple[int, dict[str, float]]] = []
    for number, dataset_id in enumerate([*ids, *ids[::-1], *ids[::2]]):
        held[dataset_id] = float(number)
        then.append((load(lake, frame(dataset_id, [float(number)], [1990 + number % 3])), dict(held)))
        table = lake.tables.load(POPULATION.table_name)
        assert len(table.current_snapshot().manifests(table.io)) <= FEW + 1
    for snapshot, expected in then:
        found = table.scan(snapshot_id=snapshot).to_arrow().select(["dataset_id", "value"]).to_pylist()
        assert sorted((row["dataset_id"], row["value"]) for row in found) == sorted(expected.items())
    total = table.current_snapshot().summary
    assert (total["total-records"], total["total-data-files"]) == ("7", "7")


@pytest.mark.usefixtures("merging_early")
def test_a_load_that_lost_against_the_same_dataset_is_seen_though_manifests_were_merged_since(lake: Lake) -> None:
    load(lake, frame(A, [1.0]))
    before = lake.tables.load(POPULATION.table_name)
    groups = [group(frame(B, [9.0]), schemas.file_schema(before.schema()))]
    written = write_data_files(lake.store, data_folder(lake.store, before), B, groups, ["year"])
    load(lake, frame(B, [2.0]))
    for number in range(3, 10):
        load(lake, frame(f"{number:010d}", [float(number)]))
    with pytest.raises(ValidationException):
        replace(lake.store, before, [B], written, {})
    assert values(lake, B) == [2.0]


def test_a_first_load_opens_each_manifest_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3, 8):
        load(lake, frame(f"{number:010d}", [float(number)]))
    opened: list[str] = []
    fetch = ManifestFile.fetch_manifest_entry

    def count(self: ManifestFile, *args: Any, **options: Any) -> Any:
        opened.append(self.manifest_path)
        return fetch(self, *args, **options)

    monkeypatch.setattr(ManifestFile, "fetch_manifest_entry", count)
    load(lake, frame(A, [1.0]))
    assert len(opened) == len(set(opened)) == 5
