"""A dataset taken back to an earlier snapshot, and one taken out, on both lakes: the others stay as they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from estat_dagster.lake import paths
from estat_dagster.lake.comparing import compare
from estat_dagster.lake.deleting import delete, holdings
from estat_dagster.lake.exporting import export
from estat_dagster.lake.history import dataset_snapshots
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.parquet import read_version
from estat_dagster.lake.reading import LakeReader
from estat_dagster.lake.rollback import find_target, rollback
from estat_dagster.lake.store import StoredFile
from estat_dagster.lake.subjects import dataset
from estat_dagster.lake.sweeping import expire_snapshots, remove_orphans
from tests.lake.shore import POPULATION, publish

A, B = "0000000001", "0000000002"
NAME = POPULATION.table_name


def values(lake: Lake, dataset_id: str) -> list[float | None]:
    found = LakeReader(lake).scan(NAME, where=f"dataset_id = '{dataset_id}'").column("value").to_pylist()
    return sorted(found, key=lambda value: (value is None, value))


def test_a_rollback_and_then_a_deletion_of_one_dataset_leave_the_other(lake: Lake, tmp_path: Path) -> None:
    first = publish(lake, A, [1.0, 2.0])
    publish(lake, B, [3.0])
    publish(lake, A, [1.0, 5.0, None])
    assert first.snapshot_id is not None
    changed = compare(lake.tables, A, first.snapshot_id)
    assert (changed.added_count, changed.revised_count, changed.unchanged_count) == (1, 1, 1)
    assert find_target(lake, A, first.snapshot_id) == first.snapshot_id
    assert values(lake, A) == [1.0, 5.0, None]
    done = rollback(lake, A, first.snapshot_id)
    assert (done.rows, done.files_again, done.files_written) == (2, 2, 0)
    assert values(lake, A) == [1.0, 2.0]
    assert read_version(lake.store, paths.parquet(POPULATION, A)) == first.loaded_version
    assert lake.registry.get_dataset_info(A).content_hash == first.content_hash
    facts = dataset_snapshots(lake.tables.load(NAME), A)
    assert [each.action for each in facts] == ["rollback", "load", "load"]
    assert compare(lake.tables, A, first.snapshot_id).is_equal
    assert export(*dataset(lake, A), tmp_path / "out").rows == 2
    assert delete(lake, A, tmp_path / "locks").rows[NAME] == 2
    assert holdings(lake, A).is_empty
    assert values(lake, A) == []
    assert values(lake, B) == [3.0]
    assert not lake.store.exists(paths.parquet(POPULATION, A))
    assert lake.store.exists(paths.parquet(POPULATION, B))


def test_a_rollback_to_a_snapshot_that_expires_beside_it_keeps_its_rows(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(lake, A, [1.0, 2.0])
    publish(lake, A, [5.0])
    assert first.snapshot_id is not None
    commit, orphans = lake.tables.commit_files, list[StoredFile]()

    def beside(*words: Any) -> int:
        if not orphans:
            expire_snapshots(lake.tables, NAME, timedelta(0), keep=1)
            later = datetime.now(UTC) + timedelta(days=2)
            orphans.extend(remove_orphans(lake.tables, NAME, timedelta(days=1), now=later, dry_run=True).files)
        return commit(*words)

    monkeypatch.setattr(lake.tables, "commit_files", beside)
    done = rollback(lake, A, first.snapshot_id)
    for file in orphans:  # of which maintenance made its list before the rollback's commit
        lake.store.remove(file.path)
    assert (done.rows, done.files_again, done.files_written) == (2, 0, 2)
    assert values(lake, A) == [1.0, 2.0]
    assert lake.registry.get_dataset_info(A).snapshot_id == done.snapshot_id
