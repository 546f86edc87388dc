"""`estat history`, `diff`, `rollback`, `delete` and `maintain`, on a lake with two releases of a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from estat_dagster.assets.failures import record_failure
from estat_dagster.assets.maintenance import MAINTENANCE
from estat_dagster.assets.registering import register_dataset
from estat_dagster.automation.deleting import delete_dataset
from estat_dagster.automation.watching import watch
from estat_dagster.cli import estat
from estat_dagster.errors import DataLakeError, StorageError, ValidationError
from estat_dagster.estat.updates import CHANGED
from estat_dagster.lake import about, deleting, subjects, summary
from estat_dagster.lake.compacting import compact
from estat_dagster.lake.comparing import compare
from estat_dagster.lake.history import dataset_snapshots, find_table, snapshots
from estat_dagster.lake.rollback import rollback
from tests.doors.lakeside import Lakeside

LABOR, OTHER = "0003005798", "0003425893"


class Shell:
    """Runs `estat` in this process; what it prints as JSON is returned."""

    def __call__(self, *words: str) -> list[dict[str, Any]]:
        done = self.run(*words, "--format", "json")
        assert done.exit_code == 0, done.output
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(estat, list(words))

    def refused(self, *words: str) -> str:
        done = self.run(*words)
        assert isinstance(done.exception, DataLakeError), done.output
        return str(done.exception)


@pytest.fixture
def shell(lakeside: Lakeside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    for name, text in {
        "DATALAKE_HOME": str(lakeside.home),
        "DAGSTER_HOME": str(home),
        "ESTAT_BASE_URL": lakeside.sandbox.base_url,
        "ESTAT_APP_ID": "test-app",
    }.items():
        monkeypatch.setenv(name, text)
    return Shell()


def release(lakeside: Lakeside, updated: str = "2024-09-30") -> None:
    """Bring a later release of the table: a value revised, one withdrawn, one row less."""
    table = lakeside.sandbox.tables[LABOR]
    first, second, *rest = table.cells
    cells = [first._replace(value="1"), second._replace(value="-"), *rest[:-1]]
    lakeside.sandbox.replace(table.revised(updated=updated, cells=cells))


def held(lakeside: Lakeside, dataset_id: str = LABOR) -> list[str]:
    return sorted(str(row) for row in lakeside.rows(dataset_id))


def in_file(lakeside: Lakeside) -> list[str]:
    import pyarrow.parquet as pq

    return sorted(str(row) for row in pq.read_table(lakeside.home / f"parquet/labor/{LABOR}.parquet").to_pylist())


def told(lakeside: Lakeside, table: str = about.INVENTORY, dataset_id: str = LABOR) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (
        lakeside.bench.lake.tables.load(table).scan(f"dataset_id = '{dataset_id}'").to_arrow().to_pylist()
    )
    return rows


def test_a_load_says_in_its_snapshot_what_it_was(lakeside: Lakeside, shell: Shell) -> None:
    outcome = lakeside.load(LABOR)
    entry = lakeside.entry(LABOR)
    snapshot = lakeside.bench.lake.tables.load("labor_data").current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    said = snapshot.summary.additional_properties
    assert said[summary.DATASET] == LABOR
    assert said[summary.RUN] == outcome.run_id
    assert said[summary.CONTENT] == entry.content_hash
    assert said[summary.ROWS] == str(entry.valid_count) == "15"
    assert said[summary.SCHEMA_VERSION] == (entry.loaded_version or "").partition(":")[0] != ""
    [row] = shell("history", LABOR)
    assert (row["snapshot"], row["run"], row["rows"]) == (str(snapshot.snapshot_id), outcome.run_id, 15)
    assert {row["table"] for row in shell("history")} == {"labor_data", "dataset_inventory", "dataset_dimensions"}
    assert "there are more" not in shell.run("history", "--limit", "1").stderr
    lakeside.load(LABOR, force=True)
    for words, tables in (([], 3), (["labor_data"], 1), ([LABOR], 1)):
        few = shell.run("history", *words, "--limit", "1", "--format", "json")
        assert len(json.loads(few.stdout)) == tables
        assert "there are more" in few.stderr


def test_diff_shows_what_a_release_changed(lakeside: Lakeside, shell: Shell) -> None:
    lakeside.load(LABOR)
    assert "before its last load" in shell.refused("diff", LABOR)
    lakeside.load(OTHER)
    before = {row["cat02_code"] + row["cat03_code"]: row for row in lakeside.rows(LABOR)}
    release(lakeside)
    lakeside.load(LABOR)
    changes = shell("diff", LABOR)
    assert sorted(row["change"] for row in changes) == ["removed", "revised", "revised"]
    for row in changes:
        was = before[row["cat02_code"] + row["cat03_code"]]
        assert row["old_value"] == was["value"]
        assert row["category_name"] == was["category_name"]
    withdrawn, revised = sorted(
        (row for row in changes if row["change"] == "revised"), key=lambda r: r["new_value"] or 0
    )
    assert (revised["new_value"], withdrawn["new_value"], withdrawn["new_value_text"]) == (1.0, None, "-")
    assert "1 removed, 2 revised, 12 unchanged" in shell.run("diff", LABOR).stderr


def test_a_rollback_brings_rows_file_registry_and_inventory_back(lakeside: Lakeside, shell: Shell) -> None:
    lakeside.load(LABOR)
    lakeside.load(OTHER)
    rows, entry, others, classes = held(lakeside), lakeside.entry(LABOR), held(lakeside, OTHER), told_classes(lakeside)
    assert dates(lakeside) == {"2024-08-30"}
    release(lakeside)
    register_dataset(lakeside.bench, LABOR)
    record_failure(lakeside.bench, LABOR, "The load of the new release broke off.")
    assert dates(lakeside) == {"2024-08-30"}, "the rows are of before"
    lakeside.load(LABOR)
    assert dates(lakeside) == {"2024-09-30"}
    newest = held(lakeside)
    dry = shell("rollback", LABOR, "--to", str(entry.snapshot_id), "--dry-run")
    assert len(dry) == 3
    assert held(lakeside) == newest
    [done] = shell("rollback", LABOR, "--to", str(entry.snapshot_id))
    assert (done["rows"], done["files written"]) == (15, 0)
    assert held(lakeside) == in_file(lakeside) == rows
    assert held(lakeside, OTHER) == others
    back = lakeside.entry(LABOR)
    for name in ("content_hash", "loaded_version", "valid_count", "null_count", "raw_uri", "run_id", "status"):
        assert getattr(back, name) == getattr(entry, name), name
    assert str(back.snapshot_id) == done["snapshot"]
    [row] = told(lakeside)
    assert (row["content_hash"], row["snapshot_id"], row["valid_count"]) == (entry.content_hash, back.snapshot_id, 15)
    assert told_classes(lakeside) == classes
    assert dates(lakeside) == {"2024-08-30"}
    [update] = watch(lakeside.bench, [LABOR]).updates.tables
    assert (update.state, update.held_updated, update.updated) == (CHANGED, "2024-08-30", "2024-09-30")
    assert shell("history", LABOR)[0]["action"] == "rollback"
    again = lakeside.load(LABOR)
    assert again.success
    assert lakeside.facts(again, "iceberg_table")["unchanged"] is False
    assert [strip(row) for row in held(lakeside)] == [strip(row) for row in newest]
    assert compare(lakeside.bench.lake.tables, LABOR).revised_count == 2


def dates(lakeside: Lakeside) -> set[str]:
    """Return the update date of the dataset's rows, as the inventory and an export tell it."""
    [row] = told(lakeside)
    [source] = subjects.dataset(lakeside.bench.lake, LABOR)[1].sources
    return {row["updated_date"], source["updated"]}


def strip(row: str) -> str:
    head, _, tail = row.partition("'updated_at'")
    return head + tail.partition(")")[2]


def told_classes(lakeside: Lakeside) -> list[str]:
    return sorted(map(str, told(lakeside, about.DIMENSIONS)))


def test_a_rollback_out_of_files_that_others_share_takes_only_its_own_rows(
    lakeside: Lakeside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("estat_dagster.lake.compacting.FEWEST", 2)
    lakeside.load(LABOR)
    lakeside.load(OTHER)
    rows, tables = held(lakeside), lakeside.bench.lake.tables
    table = tables.load("labor_data")
    table.overwrite(table.scan().to_arrow())
    shared = snapshots(tables.load("labor_data"))[0].snapshot_id
    others = held(lakeside, OTHER)
    release(lakeside)
    lakeside.load(LABOR)
    compact(tables, "labor_data")
    done = rollback(lakeside.bench.lake, LABOR, shared)
    assert done.rows == 15
    assert held(lakeside) == in_file(lakeside) == rows
    assert held(lakeside, OTHER) == others
    again = rollback(lakeside.bench.lake, LABOR, done.snapshot_id)
    assert (again.files_written, held(lakeside)) == (0, rows)


def test_a_rollback_that_breaks_off_is_mended_by_a_load_or_by_itself(
    lakeside: Lakeside, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakeside.load(LABOR)
    first, rows = lakeside.entry(LABOR).snapshot_id, held(lakeside)
    release(lakeside)
    lakeside.load(LABOR)
    newest = held(lakeside)
    assert first is not None

    def full(*_: Any) -> None:
        raise StorageError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr("estat_dagster.lake.rollback.write_parquet", full)
        with pytest.raises(StorageError):
            rollback(lakeside.bench.lake, LABOR, first)
    assert lakeside.load(LABOR).success
    assert [strip(row) for row in held(lakeside)] == [strip(row) for row in newest]
    with monkeypatch.context() as broken:
        broken.setattr("estat_dagster.lake.rollback.write_parquet", full)
        with pytest.raises(StorageError):
            rollback(lakeside.bench.lake, LABOR, first)
    rollback(lakeside.bench.lake, LABOR, first)
    assert held(lakeside) == in_file(lakeside) == rows


def test_a_load_that_tells_the_registry_after_a_rollback_beside_it_is_made_again(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    first = lakeside.entry(LABOR).snapshot_id
    release(lakeside)
    lakeside.load(LABOR)
    newest, late = held(lakeside), lakeside.entry(LABOR)
    assert first is not None
    rollback(lakeside.bench.lake, LABOR, first)
    lakeside.bench.lake.registry.save_metadata(late)
    assert lakeside.facts(lakeside.load(LABOR), "iceberg_table")["unchanged"] is False
    assert [strip(row) for row in held(lakeside)] == [strip(row) for row in newest]
    assert lakeside.facts(lakeside.load(LABOR), "iceberg_table")["unchanged"] is True


def test_what_cannot_be_rolled_back_changes_nothing(lakeside: Lakeside, shell: Shell) -> None:
    lakeside.load(OTHER)
    before = str(snapshots(lakeside.bench.lake.tables.load("labor_data"))[0].snapshot_id)
    lakeside.load(LABOR)
    rows, entry = held(lakeside), lakeside.entry(LABOR)
    for dry in ([], ["--dry-run"]):
        assert "holds no row" in shell.refused("rollback", LABOR, "--to", before, *dry)
    assert "no snapshot 999999999" in shell.refused("rollback", LABOR, "--to", "999999999")
    assert "not registered" in shell.refused("rollback", "9900000013", "--to", before)
    for file in (lakeside.home / "iceberg-tables/labor/labor_data/data").rglob(f"{LABOR}*"):
        file.rename(file.with_suffix(".gone"))
    assert "are gone" in shell.refused("rollback", LABOR, "--to", str(entry.snapshot_id))
    for file in (lakeside.home / "iceberg-tables/labor/labor_data/data").rglob("*.gone"):
        file.rename(file.with_suffix(".parquet"))
    assert (held(lakeside), lakeside.entry(LABOR)) == (rows, entry)


def everything_of(lakeside: Lakeside, dataset_id: str) -> list[Path]:
    """Return every file outside the tables that is named after a dataset."""
    files = [file for file in lakeside.home.rglob("*") if file.is_file() and dataset_id in str(file)]
    return [file for file in files if "iceberg-tables" not in str(file) and file.suffix != ".lock"]


def test_deleting_shows_first_and_then_takes_everything_of_one_dataset(lakeside: Lakeside, shell: Shell) -> None:
    lakeside.load(LABOR)
    lakeside.load(OTHER)
    others, files = held(lakeside, OTHER), everything_of(lakeside, OTHER)
    shown = shell("delete", LABOR)
    assert {(row["what"], row["where"]) for row in shown} == {
        ("rows", "labor_data"), ("rows", "dataset_inventory"), ("rows", "dataset_dimensions"), ("files", "raw/"),
        ("files", "staging/"), ("files", "parquet/"), ("entry", f"registry/{LABOR}.json"),
        ("partition", "labor_datasets"),
    }  # fmt: skip
    assert len(lakeside.rows(LABOR)) == 15
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("labor_datasets", [LABOR, OTHER])
        assert shell("delete", LABOR, "--yes") == shown
        assert instance.get_dynamic_partitions("labor_datasets") == [OTHER]
    assert everything_of(lakeside, LABOR) == []
    assert told(lakeside) == told(lakeside, about.DIMENSIONS) == told(lakeside, "labor_data") == []
    assert held(lakeside, OTHER) == others
    assert everything_of(lakeside, OTHER) == files
    assert "holds nothing" in shell.refused("delete", LABOR)
    assert "holds nothing" in shell.refused("delete", LABOR, "--yes")
    assert lakeside.load(LABOR).success
    assert len(lakeside.rows(LABOR)) == 15


def test_raw_pages_can_be_kept(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    delete_dataset(lakeside.bench, lakeside.instance, LABOR, keep_raw=True)
    assert {file.parent.name for file in everything_of(lakeside, LABOR)} == {LABOR}
    assert list((lakeside.home / "raw" / LABOR).glob("*.json.gz"))


def test_a_deletion_that_breaks_off_can_be_run_again_and_is_no_load(
    lakeside: Lakeside, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakeside.load(LABOR)
    steps = ["estat_dagster.lake.inventory.take_out", "estat_dagster.lake.store.Store.remove_below"]
    for number, step in enumerate(steps):

        def broken(*_: Any) -> None:
            raise StorageError("The disk is gone.")

        with monkeypatch.context() as fault:
            fault.setattr(step, broken)
            with pytest.raises(StorageError):
                delete_dataset(lakeside.bench, lakeside.instance, LABOR)
        assert "not finished" in (lakeside.entry(LABOR).error or "")
        assert lakeside.instance.has_dynamic_partition("labor_datasets", LABOR)
        assert len(told(lakeside, "labor_data")) == (15 if number == 0 else 0)
    assert lakeside.load(LABOR).success, "to keep it after all"
    assert len(lakeside.rows(LABOR)) == 15
    delete_dataset(lakeside.bench, lakeside.instance, LABOR)
    assert deleting.holdings(lakeside.bench.lake, LABOR).is_empty


def test_a_dataset_that_is_being_loaded_is_not_deleted(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    run = dg.DagsterRun(job_name="ingest_labor", tags={"dagster/partition": LABOR}, status=dg.DagsterRunStatus.STARTED)
    lakeside.instance.add_run(run)
    with pytest.raises(ValidationError, match=f"the run {run.run_id} is not finished"):
        delete_dataset(lakeside.bench, lakeside.instance, LABOR)
    assert len(lakeside.rows(LABOR)) == 15
    delete_dataset(lakeside.bench, lakeside.instance, LABOR, even_if_running=True)
    assert not lakeside.instance.has_dynamic_partition("labor_datasets", LABOR)


def test_maintenance_runs_as_commands_and_as_assets(lakeside: Lakeside, shell: Shell) -> None:
    for _ in range(3):
        lakeside.load(LABOR, force=True)
    rows = held(lakeside)
    done = shell("maintain", "labor_data", "--expire", "--older-than", "0", "--keep", "1", "--dry-run")
    assert [(row["kind"], row["count"]) for row in done] == [("expire", 2)]
    assert lakeside.snapshots(LABOR) == 3
    assert "may belong to a load" in shell.refused("maintain", "--older-than", "0", "--keep", "1")
    assert "is no age" in shell.refused("maintain", "--older-than", "inf")
    assert lakeside.snapshots(LABOR) == 3
    config = {"config": {"older_than_days": 1.5, "keep": 1}}
    result = dg.materialize(
        MAINTENANCE,
        resources={"bench": lakeside.bench},
        instance=lakeside.instance,
        run_config={"ops": dict.fromkeys(("compacted_files", "expired_snapshots", "removed_orphans"), config)},
    )
    assert result.success
    for name in ("compacted_files", "expired_snapshots", "removed_orphans"):
        [event] = result.asset_materializations_for_node(name)
        assert event.metadata["tables"].value == 3
        assert event.metadata["bytes"].value == 0
    assert held(lakeside) == rows
    assert lakeside.snapshots(LABOR) == 3, "they are younger than a day and a half"
    [gone] = shell("maintain", "labor_data", "--expire", "--older-than", "0", "--keep", "1")
    assert gone["count"] == 2
    assert len(dataset_snapshots(find_table(lakeside.bench.lake.tables, LABOR), LABOR)) == 1


def test_a_lost_file_is_mended_and_what_was_done_before_an_error_is_printed(lakeside: Lakeside, shell: Shell) -> None:
    lakeside.load(LABOR)
    rows = held(lakeside)
    data = lakeside.home / "iceberg-tables/labor/labor_data/data"
    gone = sorted(data.glob(f"{LABOR}*"))[0]
    gone.unlink()
    for words in (["diff", LABOR, "--from", "2100-01-01"], ["delete", LABOR]):
        assert gone.name in shell.refused(*words)
    [told] = shell("maintain", "labor_data", "--repair")
    assert json.loads(told["details"])["mended"] == [LABOR]
    assert held(lakeside) == rows
    manifests = lakeside.home / "iceberg-tables/labor/labor_data/metadata"
    for file in manifests.glob("snap-*"):
        file.unlink()
    broken = shell.run("maintain", "--compact", "--format", "json")
    assert isinstance(broken.exception, StorageError)
    told = {row["table"]: json.loads(row["details"]) for row in json.loads(broken.stdout)}
    assert [name for name, details in told.items() if "error" in details] == ["labor_data"]
    assert set(told) == {"dataset_dimensions", "dataset_inventory", "labor_data"}
