"""A data file that is gone: it is named, nothing is half-changed, and the rows come back from the Parquet files."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from estat_dagster.errors import StorageError
from estat_dagster.lake import about, paths, schemas
from estat_dagster.lake.compacting import compact
from estat_dagster.lake.comparing import compare
from estat_dagster.lake.deleting import delete, holdings
from estat_dagster.lake.history import snapshots
from estat_dagster.lake.inventory import put_dimensions, put_inventory
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.maintenance import REPAIR, maintain
from estat_dagster.lake.parquet import write_parquet
from estat_dagster.lake.reading import LakeReader
from estat_dagster.lake.registry import FAILED, LOADED
from estat_dagster.lake.repairing import GONE, repair
from estat_dagster.lake.rollback import rollback
from estat_dagster.lake.sweeping import remove_orphans
from tests.cloud import aws_in_soak
from tests.lake.shore import POPULATION, frame, group, load, publish

NAME = POPULATION.table_name
IDS = [f"{number:010d}" for number in range(1, 7)]
VALUES: list[float | None] = [1.0, None, 3.0]
DAMAGES = [GONE, "cut", "a page", "its end"]


@pytest.fixture
def held(lake: Lake) -> Lake:
    return fill(lake)


def fill(lake: Lake) -> Lake:
    """Let six datasets share one file a year, each with its Parquet file and its entry."""
    for dataset_id in IDS:
        publish(lake, dataset_id, VALUES)
    compact(lake.tables, NAME)
    return lake


def lose(lake: Lake, condition: str, name: str = NAME, *, damage: str = GONE) -> str:
    """Remove or damage the one data file of a table in which a condition may hold, and return its address."""
    [uri] = [task.file.file_path for task in lake.tables.load(name).scan(condition).plan_files()]
    path = str(lake.store.path_of(uri))
    body = lake.store.read(path)
    if damage == GONE:
        lake.store.remove(path)
    else:
        place = {"cut": len(body) // 2, "a page": len(body) // 4, "its end": len(body) - 12}[damage]
        lake.store.write(path, body[:place] + (b"" if damage == "cut" else b"\xfe" * 8 + body[place + 8 :]))
    return uri


def rows(lake: Lake) -> list[Any]:
    found = LakeReader(lake).scan(NAME, columns=["dataset_id", "year", "value"]).to_pylist()
    return sorted((row["dataset_id"], row["year"], row["value"] or 0.0) for row in found)


@aws_in_soak
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_lost_file_is_named_with_its_remedy_wherever_it_is_needed(held: Lake, tmp_path: Path, damage: str) -> None:
    before = snapshots(held.tables.load(NAME))
    first = before[-1].snapshot_id
    lake, uri = held, lose(held, "year = 2000", damage=damage)
    name = uri.rpartition("/")[2]
    back = partial(rollback, lake, IDS[2], before[0].snapshot_id)
    scans = (
        partial(compare, lake.tables, IDS[2], first),
        partial(holdings, lake, IDS[2]),
        partial(delete, lake, IDS[2], tmp_path),
    )
    for needs in (lambda: load(lake, frame(IDS[2], [9.0], [2000])), lambda: LakeReader(lake).scan(NAME), back, *scans):
        with pytest.raises(StorageError) as refused:
            needs()
        assert "estat maintain" in refused.value.hint
        assert not refused.value.can_retry
        if damage == GONE or needs not in scans:  # PyIceberg's scans do not say which file is damaged
            assert name in refused.value.message
    assert len(snapshots(lake.tables.load(NAME))) == len(before)


def test_the_datasets_that_shared_a_lost_file_are_named(held: Lake) -> None:
    lose(held, "year = 2000")
    with pytest.raises(StorageError, match=f"datasets from {IDS[0]} to {IDS[-1]} had rows in it"):
        load(held, frame(IDS[2], [9.0], [2000]))


@pytest.mark.parametrize("damage", DAMAGES)
def test_rows_of_a_lost_file_come_back_from_the_parquet_files_in_one_commit(held: Lake, damage: str) -> None:
    expected, count = rows(held), len(snapshots(held.tables.load(NAME)))
    uri = lose(held, "year = 2000", damage=damage)
    told = repair(held, NAME, dry_run=True)
    assert (told.gone + told.damaged, told.mended, told.load_again, told.unknown_rows) == ((uri,), tuple(IDS), (), 0)
    assert bool(told.gone) == (damage == GONE)
    assert len(snapshots(held.tables.load(NAME))) == count
    assert repair(held, NAME) == told
    assert rows(held) == expected
    newest, *others = snapshots(held.tables.load(NAME))
    assert (newest.action, len(others)) == ("repair", count)
    for dataset_id in IDS:
        assert held.registry.get_dataset_info(dataset_id).snapshot_id == newest.snapshot_id
    done = repair(held, NAME)
    assert (done.gone, done.damaged) == ((), ())
    load(held, frame(IDS[2], [9.0], [2000]))
    assert len(rows(held)) == len(expected) - 2


@aws_in_soak
def test_a_dataset_without_its_parquet_file_is_taken_out_whole_and_said(held: Lake) -> None:
    lost, changed, forgotten = IDS[1], IDS[3], IDS[5]
    expected = [row for row in rows(held) if row[0] not in (lost, changed, forgotten)]
    lose(held, "year = 2000")
    held.store.remove(paths.parquet(POPULATION, lost))
    schema = schemas.file_schema(held.tables.get_table_schema(NAME))
    newer = [group(frame(changed, [5.0] * 3), schema)]
    write_parquet(held.store, paths.parquet(POPULATION, changed), newer, schema, "v:later")
    held.registry.remove(forgotten)
    done = repair(held, NAME)
    assert done.mended == (IDS[0], IDS[2], IDS[4])
    assert done.load_again == (lost, changed)
    assert done.unknown_rows == 2
    assert [row for row in rows(held) if row[0] != forgotten] == expected
    for dataset_id in (lost, changed):
        entry = held.registry.get_dataset_info(dataset_id)
        assert (entry.status, entry.snapshot_id, entry.loaded_version, entry.valid_count) == (FAILED, None, None, None)
        assert "load it again" in str(entry.error)
    publish(held, lost, VALUES)
    assert (lost, 2001, 1.0) in rows(held)


@aws_in_soak
def test_tables_about_the_datasets_are_repaired_too(held: Lake) -> None:
    for dataset_id in IDS:
        put_dimensions(held.tables, dataset_id, [{"dataset_id": dataset_id, "axis_id": "area", "code": "00000"}])
        put_inventory(held.tables, held.registry.get_dataset_info(dataset_id))
    lose(held, f"dataset_id = '{IDS[0]}'", about.INVENTORY)
    lose(held, f"dataset_id = '{IDS[1]}'", about.DIMENSIONS)
    done = {report.table: report.details for report in maintain(held, [REPAIR])}
    assert done[NAME]["gone"] == ()
    assert done[about.INVENTORY]["mended"] == (IDS[0],)
    assert done[about.DIMENSIONS]["load_again"] == (IDS[1],)
    assert LakeReader(held).datasets().column("dataset_id").to_pylist() == IDS
    assert len(LakeReader(held).scan(about.DIMENSIONS)) == 5
    assert held.registry.get_dataset_info(IDS[1]).status == LOADED
    put_dimensions(held.tables, IDS[1], [{"dataset_id": IDS[1], "axis_id": "area", "code": "00000"}])
    assert len(LakeReader(held).scan(about.DIMENSIONS)) == 6


def test_a_lost_list_of_manifests_is_a_storage_error(lake: Lake, tmp_path: Path) -> None:
    held, first = lake, load(lake, frame(IDS[2], [1.0]))
    publish(held, IDS[2], VALUES)
    snapshot = lake.tables.load(NAME).current_snapshot()
    assert snapshot is not None
    lake.store.remove(str(lake.store.path_of(snapshot.manifest_list)))
    name = snapshot.manifest_list.rpartition("/")[2]
    for needs in (
        lambda: load(held, frame(IDS[2], [9.0], [2000])),
        lambda: compare(held.tables, IDS[2], first),
        lambda: delete(held, IDS[2], tmp_path),
        lambda: compact(held.tables, NAME, dry_run=True),
        lambda: repair(held, NAME),
        lambda: remove_orphans(held.tables, NAME, timedelta(days=1), dry_run=True),
        lambda: rollback(held, IDS[2], str(held.tables.load(NAME).metadata.current_snapshot_id)),
        lambda: LakeReader(held).scan(NAME),
    ):
        with pytest.raises(StorageError, match=name):
            needs()
