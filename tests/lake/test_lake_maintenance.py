"""Compaction, expiry and orphans: rows stay what they were, also beside loads; what is needed is never removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyiceberg.table.statistics import PartitionStatisticsFile
from pyiceberg.table.update import SetPartitionStatisticsUpdate

from estat_dagster.errors import ValidationError
from estat_dagster.lake import compacting, schemas
from estat_dagster.lake.athena_maintenance import maintain_on_athena, statements
from estat_dagster.lake.compacting import compact
from estat_dagster.lake.history import snapshots
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.lake.maintenance import COMPACT, KINDS, maintain
from estat_dagster.lake.replacing import path_in
from estat_dagster.lake.sweeping import age, expire_snapshots, remove_drafts, remove_orphans
from estat_dagster.settings import Settings
from tests.cloud import aws_in_soak
from tests.lake.shore import POPULATION, frame, load

NAME = POPULATION.table_name
IDS = [f"{number:010d}" for number in range(1, 7)]
LATER = datetime.now(UTC) + timedelta(days=4)


@pytest.fixture
def lake(lake: Lake) -> Lake:
    """A lake of each kind with six datasets, a file a year of each."""
    for number, dataset_id in enumerate(IDS):
        load(lake, frame(dataset_id, [float(number), None, 0.0], [2000, 2001, 2000]))
    return lake


def rows(lake: Lake, snapshot_id: int | None = None) -> list[str]:
    """Return all rows as texts that can be compared."""
    return sorted(map(str, lake.tables.load(NAME).scan(snapshot_id=snapshot_id).to_arrow().to_pylist()))


def files(lake: Lake) -> int:
    return len(list(lake.tables.load(NAME).scan().plan_files()))


@aws_in_soak
def test_compaction_puts_small_files_together_and_changes_no_row(lake: Lake) -> None:
    before = rows(lake)
    told = compact(lake.tables, NAME, dry_run=True)
    assert (told.files_before, told.files_after, told.partitions) == (12, 2, 2)
    assert files(lake) == 12
    done = compact(lake.tables, NAME)
    assert (done.files_before, done.files_after, done.partitions, done.left) == (12, 2, 2, 0)
    assert done.bytes == told.bytes > 0
    assert rows(lake) == before
    newest = snapshots(lake.tables.load(NAME))[0]
    assert (newest.action, newest.dataset_id, newest.rows_added, newest.rows_removed) == ("compact", None, 0, 0)
    assert compact(lake.tables, NAME).partitions == 0


@aws_in_soak
def test_a_shared_file_keeps_each_datasets_rows_side_by_side_in_their_order(lake: Lake) -> None:
    compact(lake.tables, NAME)
    [shared] = [task.file for task in lake.tables.load(NAME).scan("year = 2000").plan_files()]
    with lake.store.open(path_in(lake.store, shared.file_path)) as stream:
        held = pq.read_table(stream)
    places = list(zip(held.column("dataset_id").to_pylist(), held.column("region_code").to_pylist(), strict=True))
    assert places == sorted(places)
    assert len(places) == 12


def test_a_load_after_compaction_replaces_its_dataset_alone_and_in_one_snapshot(lake: Lake) -> None:
    compact(lake.tables, NAME)
    others = [row for row in rows(lake) if IDS[3] not in row]
    count = len(snapshots(lake.tables.load(NAME)))
    load(lake, frame(IDS[3], [33.0], [2000]))
    assert [row for row in rows(lake) if IDS[3] not in row] == others
    held = [row["value"] for row in lake.tables.load(NAME).scan(f"dataset_id = '{IDS[3]}'").to_arrow().to_pylist()]
    assert held == [33.0]
    newest = snapshots(lake.tables.load(NAME))
    assert len(newest) == count + 1
    assert (newest[0].rows, newest[0].rows_added, newest[0].rows_removed) == (1, 1, 3)


@aws_in_soak
def test_compaction_packs_only_what_fits_and_leaves_large_files(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    size = max(task.file.file_size_in_bytes for task in lake.tables.load(NAME).scan().plan_files())
    monkeypatch.setattr(compacting, "SHARED_BYTES", 5 * size)
    before = rows(lake)
    assert compact(lake.tables, NAME).files_after == 2 * (1 + 1), "five put together, one is left"
    assert rows(lake) == before
    monkeypatch.setattr(compacting, "SMALL_BYTES", 10)
    assert compact(lake.tables, NAME, dry_run=True).partitions == 0


@aws_in_soak
def test_manifests_are_merged_and_every_file_stays_listed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    few = schemas.MANIFESTS | {"commit.manifest.min-count-to-merge": "5"}
    monkeypatch.setattr(schemas, "MANIFESTS", few)
    load(lake, frame(IDS[0], [7.0], [2000]))
    before, held = rows(lake), lake.tables.load(NAME).current_snapshot()
    assert held is not None
    monkeypatch.setattr(compacting, "FEWEST", 100)
    done = compact(lake.tables, NAME)
    assert done.manifests_before > 5
    assert done.manifests_after == 1
    assert snapshots(lake.tables.load(NAME))[0].action == "compact"
    assert rows(lake) == before
    assert rows(lake, held.snapshot_id) == before


@aws_in_soak
def test_expiry_keeps_the_newest_the_young_and_the_named(lake: Lake) -> None:
    table = lake.tables.load(NAME)
    ids = [facts.snapshot_id for facts in snapshots(table)]
    with table.manage_snapshots() as manage:
        manage.create_tag(ids[-1], "first")
    assert expire_snapshots(lake.tables, NAME, timedelta(days=1), keep=1).snapshot_ids == ()
    told = expire_snapshots(lake.tables, NAME, timedelta(0), keep=3, dry_run=True)
    assert told.snapshot_ids == tuple(ids[3:-1])
    assert told.kept == 4
    before = rows(lake)
    assert expire_snapshots(lake.tables, NAME, timedelta(0), keep=3) == told
    assert [facts.snapshot_id for facts in snapshots(lake.tables.load(NAME))] == [*ids[:3], ids[-1]]
    assert rows(lake) == before
    assert expire_snapshots(lake.tables, NAME, timedelta(0), keep=0).kept == 2, "the current one and the tag"


@aws_in_soak
def test_orphans_are_removed_and_nothing_that_a_snapshot_names(lake: Lake) -> None:
    first = snapshots(lake.tables.load(NAME))[-1].snapshot_id
    load(lake, frame(IDS[0], [9.0], [2000]))
    now, then = rows(lake), rows(lake, first)
    folder = f"iceberg-tables/population/{NAME}"
    lost = {f"{folder}/data/lost.parquet", f"{folder}/metadata/lost.avro", f"{folder}/data/x.parquet.1.tmp"}
    counted = f"{folder}/metadata/partition-stats.parquet"
    for file in (*lost, counted):
        lake.store.write(file, b"12345")
    with lake.tables.load(NAME).transaction() as transaction:
        statistics = PartitionStatisticsFile(
            snapshot_id=first, statistics_path=lake.store.uri(counted), file_size_in_bytes=5
        )
        transaction._apply((SetPartitionStatisticsUpdate(partition_statistics=statistics),))
    assert remove_orphans(lake.tables, NAME, timedelta(days=3)).files == (), "too young"
    told = remove_orphans(lake.tables, NAME, timedelta(days=3), now=LATER, dry_run=True)
    assert {file.path for file in told.files} == lost
    assert told.bytes == 15
    assert all(lake.store.exists(file) for file in lost)
    assert remove_orphans(lake.tables, NAME, timedelta(days=3), now=LATER) == told
    assert not any(lake.store.exists(file) for file in lost)
    assert lake.store.exists(counted)
    assert rows(lake) == now
    assert rows(lake, first) == then


def test_expired_rows_become_orphans_and_the_current_ones_stay(lake: Lake) -> None:
    load(lake, frame(IDS[0], [9.0], [2000]))
    compact(lake.tables, NAME)
    before = rows(lake)
    expire_snapshots(lake.tables, NAME, timedelta(0), keep=1)
    assert remove_orphans(lake.tables, NAME, timedelta(days=1)).files == (), "too young"
    gone = remove_orphans(lake.tables, NAME, timedelta(days=1), now=LATER)
    assert sum(file.path.endswith(".parquet") for file in gone.files) >= 13
    assert rows(lake) == before
    load(lake, frame(IDS[1], [1.5], [2001]))
    assert [row for row in rows(lake) if IDS[1] not in row] == [row for row in before if IDS[1] not in row]


def test_files_of_running_loads_are_safe_from_a_hasty_hand(lake_settings: Settings) -> None:
    lake = open_lake(lake_settings)
    for remove in (lambda: remove_orphans(lake.tables, NAME, timedelta(hours=23)), hasty_drafts(lake)):
        with pytest.raises(ValidationError, match="may belong to a load"):
            remove()


def hasty_drafts(lake: Lake) -> Any:
    return lambda: remove_drafts(lake.store, timedelta(0))


def test_drafts_of_killed_processes_go_and_files_stay(lake_settings: Settings) -> None:
    lake = open_lake(lake_settings)
    lake.store.write("parquet/population/a.parquet", b"1")
    draft = "parquet/population/a.parquet.0f.tmp"
    lake.store.write(draft, b"12")
    assert remove_drafts(lake.store, timedelta(days=1)).files == (), "too young"
    assert [file.path for file in remove_drafts(lake.store, timedelta(days=1), now=LATER).files] == [draft]
    assert not lake.store.exists(draft)
    assert lake.store.exists("parquet/population/a.parquet")


@aws_in_soak
def test_maintenance_reports_each_kind_of_each_table(lake: Lake) -> None:
    done = list(maintain(lake, older_than=timedelta(days=2)))
    assert [(report.kind, report.table) for report in done] == [*((kind, NAME) for kind in KINDS), ("orphans", "")]
    assert done[0].count == 10


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"older_than": timedelta(0)}, "may belong to a load"),
        ({"names": [NAME, "nothing"]}, "no table 'nothing'"),
        ({"kinds": [COMPACT, "vacuum"]}, "no maintenance 'vacuum'"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_first_change(
    lake_settings: Settings, asked: dict[str, Any], said: str
) -> None:
    lake = open_lake(lake_settings)
    for dataset_id in IDS[:2]:
        load(lake, frame(dataset_id, [1.0]))
    with pytest.raises(ValidationError, match=said):
        maintain(lake, keep=1, **asked)
    assert len(snapshots(lake.tables.load(NAME))) == 2


@pytest.mark.parametrize("days", [-1.0, float("nan"), float("inf"), 1e9, 800_000.0])
def test_what_is_no_age_is_refused(days: float) -> None:
    with pytest.raises(ValidationError, match="is no age in days"):
        age(days)


def test_athena_is_given_its_statements_in_order() -> None:
    ran: list[str] = []
    done = maintain_on_athena(ran.append, "estat_iceberg_db", ["labor_data"], older_than=timedelta(days=2), keep=5)
    assert [*done] == ran
    assert ran == [
        "OPTIMIZE estat_iceberg_db.labor_data REWRITE DATA USING BIN_PACK",
        "ALTER TABLE estat_iceberg_db.labor_data SET TBLPROPERTIES "
        "('vacuum_max_snapshot_age_seconds'='172800', 'vacuum_min_snapshots_to_keep'='5')",
        "VACUUM estat_iceberg_db.labor_data",
    ]
    assert list(statements("db", "t", [COMPACT])) == ["OPTIMIZE db.t REWRITE DATA USING BIN_PACK"]
    with pytest.raises(ValidationError, match="not a name"):
        list(statements("db", "t; DROP TABLE t"))
    ran.clear()
    for kind, said in (
        ("expire", "may belong to a load"),
        ("orphans", "may belong to a load"),
        ("repair", "has no rep"),
    ):
        with pytest.raises(ValidationError, match=said):
            maintain_on_athena(ran.append, "db", ["t", "u"], ["compact", kind], older_than=timedelta(0))
    with pytest.raises(ValidationError, match="not a name"):
        maintain_on_athena(ran.append, "db", ["t", "U"])
    assert ran == [], "nothing runs before all of it can"
