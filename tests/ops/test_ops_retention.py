"""Old runs go from Dagster's record; what the web UI shows of each dataset stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from estat_dagster.automation.retention import find_old_runs
from estat_dagster.sandbox.server import Sandbox
from tests.doors.lakeside import Lakeside
from tests.ops.test_ops_alerts import broken
from tests.ops.test_ops_jobs import run, told

LABOR, POPULATION = "0003005798", "0000010101"


def test_nothing_stays_on_the_disk_of_a_run_that_is_forgotten(tmp_path: Path, sandbox: Sandbox) -> None:
    home = tmp_path / "instance"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        lakeside = Lakeside(tmp_path / "lake", sandbox, instance=instance)
        done = [broken.execute_in_process(instance=instance, raise_on_error=False).run_id for _ in range(3)]
        assert all({path.is_dir() for path in traces(home, run_id)} == {True, False} for run_id in done)
        assert told(run(lakeside, "forget_old_runs", keep_days=0))["forgotten"] == 2
        assert [bool(traces(home, run_id)) for run_id in done] == [False, False, True]
        assert {run_id for run_id in done if instance.has_run(run_id)} == {done[2]}


def traces(home: Path, run_id: str) -> list[Path]:
    """Return the files and folders that are called after a run: its events, and its steps' console logs."""
    return list(home.rglob(f"*{run_id}*"))


@pytest.mark.soak  # several loads a test
def test_the_newest_run_of_each_dataset_stays_whatever_its_age(lakeside: Lakeside) -> None:
    first = [lakeside.load(LABOR).run_id for _ in range(3)]
    other = lakeside.load(POPULATION).run_id
    later = datetime.now(UTC) + timedelta(days=91)
    assert find_old_runs(lakeside.instance, days=90) == []
    assert set(find_old_runs(lakeside.instance, days=90, now=later)) == set(first[:2])
    for run_id in first[:2]:
        lakeside.instance.delete_run(run_id)
    assert {r.run_id for r in lakeside.instance.get_runs()} == {first[2], other}
    assert find_old_runs(lakeside.instance, days=90, now=later) == []
    key = dg.AssetKey(["labor", "iceberg_table"])
    assert lakeside.instance.get_materialized_partitions(key) == {LABOR}


@pytest.mark.soak
def test_a_failure_after_a_success_leaves_both(lakeside: Lakeside) -> None:
    good = lakeside.load(LABOR).run_id
    lakeside.sandbox.remove(LABOR)
    from estat_dagster.automation.loading import load_registered

    bad = load_registered(lakeside.defs, lakeside.instance, lakeside.entry(LABOR), asked_by="test")
    assert not bad.success
    later = datetime.now(UTC) + timedelta(days=91)
    assert find_old_runs(lakeside.instance, days=90, now=later) == []
    assert {r.run_id for r in lakeside.instance.get_runs()} == {good, bad.run_id}


@pytest.mark.soak
def test_the_job_forgets_the_oldest_first_and_says_how_many(lakeside: Lakeside) -> None:
    ids = [lakeside.load(LABOR).run_id for _ in range(3)]
    looked = told(run(lakeside, "forget_old_runs", keep_days=0, only_look=True))
    assert (looked["old_runs"], looked["forgotten"]) == (2, 0)
    done = told(run(lakeside, "forget_old_runs", keep_days=0, most=1))
    assert done["forgotten"] == 1
    kept = {r.run_id for r in lakeside.instance.get_runs()}
    assert ids[0] not in kept
    assert {ids[1], ids[2]} <= kept
