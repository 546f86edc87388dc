"""The jobs about all datasets: what e-Stat updated, everything again from the raw pages, and what is left failed."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._daemon.types import DaemonHeartbeat

from estat_dagster.automation.backfills import DAEMONS
from estat_dagster.estat import days
from estat_dagster.sandbox.faults import Fault, Kind
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.serving.metrics import Metrics
from tests.doors.lakeside import Lakeside
from tests.doors.test_watching import revise

LABOR, POPULATION = "0003005798", "0000010101"
MAINTENANCE = ("compacted_files", "expired_snapshots", "removed_orphans")


def run(lakeside: Lakeside, job: str, **config: Any) -> dg.ExecuteInProcessResult:
    definition = lakeside.defs.resolve_job_def(job)
    [op] = [node.name for node in definition.nodes_in_topological_order]
    form = {"ops": {op: {"config": config}}} if config else {}
    return definition.execute_in_process(instance=lakeside.instance, run_config=form, raise_on_error=False)


def told(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    [output] = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def failure(result: dg.ExecuteInProcessResult) -> Any:
    [event] = [event for event in result.all_events if event.is_step_failure]
    return event.step_failure_data.user_failure_data


def seen_long_ago(lakeside: Lakeside, *ids: str) -> None:
    """Let the last loads lie three days back: e-Stat's update of that day is behind them then."""
    import msgspec

    for dataset_id in ids:
        before = f"{days.today() - timedelta(days=3)}T12:00:00+00:00"
        entry = msgspec.structs.replace(lakeside.entry(dataset_id), checked_at=before)
        lakeside.bench.lake.registry.save_metadata(entry)


def runs_of(lakeside: Lakeside, dataset_id: str) -> int:
    return lakeside.instance.get_runs_count(dg.RunsFilter(tags={"dagster/partition": dataset_id}))


def test_a_refresh_loads_what_e_stat_updated_and_nothing_else(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.load(POPULATION)
    seen_long_ago(lakeside, LABOR, POPULATION)
    nothing = run(lakeside, "refresh_updated")
    assert nothing.success
    assert "nothing changed" in told(nothing)["outcome"]
    revise(lakeside, LABOR, str(days.today() - timedelta(days=1)), value="7")
    looked = told(run(lakeside, "refresh_updated", only_look=True))
    assert looked["compared"] == 2
    assert LABOR in looked["changes"]
    assert runs_of(lakeside, LABOR) == 1
    done = told(run(lakeside, "refresh_updated"))
    assert (done["requested"], done["datasets"]) == (1, [LABOR])
    lakeside.carry_out()
    assert (runs_of(lakeside, LABOR), runs_of(lakeside, POPULATION)) == (2, 1)
    assert 7.0 in {row["value"] for row in lakeside.rows(LABOR)}


def test_a_refresh_that_finds_a_table_current_keeps_it_fresh_and_leaves_its_partitions(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.load(POPULATION)
    seen_long_ago(lakeside, LABOR, POPULATION)
    revise(lakeside, LABOR, str(days.today() - timedelta(days=1)), value="7")
    run(lakeside, "refresh_updated", only_look=True)
    assert [found_current(lakeside, domain) for domain in ("labor", "population")] == [None, None]
    metrics = Metrics(lakeside.instance, lakeside.bench)
    run(lakeside, "refresh_updated")
    assert [found_current(lakeside, domain) for domain in ("labor", "population")] == [None, 1]
    key = dg.AssetKey(["population", "iceberg_table"])
    assert lakeside.instance.get_materialized_partitions(key) == {POPULATION}
    assert b"estat_steps_total{" not in metrics.text()


def found_current(lakeside: Lakeside, domain: str) -> Any:
    """Return how many datasets the last word about a table found current; None where it is a load."""
    event = lakeside.instance.get_latest_materialization_event(dg.AssetKey([domain, "iceberg_table"]))
    assert event is not None
    assert event.asset_materialization is not None
    fact = event.asset_materialization.metadata.get("compared")
    return fact.value if fact and event.asset_materialization.partition is None else None


def test_a_refresh_of_an_empty_lake_has_nothing_to_do(lakeside: Lakeside) -> None:
    done = run(lakeside, "refresh_updated")
    assert done.success
    assert told(done)["compared"] == 0


def test_a_refresh_fails_with_e_stats_words_where_e_stat_is_down_and_loads_nothing(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    seen_long_ago(lakeside, LABOR)
    lakeside.sandbox.faults.add(Fault(Kind.XML_100, function="getStatsList"))
    result = run(lakeside, "refresh_updated")
    assert not result.success
    assert failure(result).metadata["error"].value == "API_ERROR"
    assert runs_of(lakeside, LABOR) == 1
    assert lakeside.entry(LABOR).status == "loaded"


def test_a_dataset_that_was_left_failed_is_told_by_the_standing_check_and_loaded_by_the_next_refresh(
    lakeside: Lakeside,
) -> None:
    lakeside.load(LABOR)
    assert standing(lakeside).passed
    lakeside.bench.lake.registry.update_status(LABOR, "failed", error="broken | off")
    verdict = standing(lakeside)
    assert not verdict.passed
    assert verdict.description == f"1 of 1 datasets are left failed: {LABOR}"
    assert "broken \\| off" in verdict.metadata["which"].value
    assert told(run(lakeside, "refresh_updated"))["datasets"] == [LABOR]
    lakeside.carry_out()
    assert standing(lakeside).passed


def standing(lakeside: Lakeside) -> Any:
    job = lakeside.defs.resolve_job_def("look_over_datasets")
    result = job.execute_in_process(instance=lakeside.instance, raise_on_error=False)
    [evaluation] = result.get_asset_check_evaluations()
    return evaluation


def test_everything_is_made_again_from_the_raw_pages_without_e_stat(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.load(POPULATION)
    before, requests = lakeside.rows(LABOR), len(lakeside.sandbox.requests)
    snapshots = lakeside.snapshots(LABOR)
    done = told(run(lakeside, "rebuild_from_raw", dataset_ids=LABOR))
    assert done["datasets"] == [LABOR]
    lakeside.carry_out()
    assert len(lakeside.sandbox.requests) == requests
    assert lakeside.snapshots(LABOR) == snapshots + 1
    assert but_for_the_moment(lakeside.rows(LABOR)) == but_for_the_moment(before)
    assert told(run(lakeside, "rebuild_from_raw", force=False))["requested"] == 2
    assert len(lakeside.carry_out()) == 2
    assert lakeside.snapshots(LABOR) == snapshots + 1


def test_a_lake_is_restored_elsewhere_from_its_raw_pages_and_its_registry_alone(
    lakeside: Lakeside, tmp_path: Path
) -> None:
    lakeside.load(LABOR)
    elsewhere, requests = Lakeside(tmp_path / "elsewhere", lakeside.sandbox), len(lakeside.sandbox.requests)
    for folder in ("raw", "registry"):
        shutil.copytree(lakeside.home / folder, elsewhere.home / folder)
    shutil.rmtree(lakeside.home / "raw")
    assert told(run(elsewhere, "rebuild_from_raw"))["requested"] == 1
    elsewhere.carry_out()
    assert len(lakeside.sandbox.requests) == requests
    assert but_for_the_moment(elsewhere.rows(LABOR)) == but_for_the_moment(lakeside.rows(LABOR))


def test_a_load_fills_an_empty_table_though_the_registry_says_that_it_holds_the_rows(
    lakeside: Lakeside, tmp_path: Path
) -> None:
    lakeside.load(LABOR)
    elsewhere = Lakeside(tmp_path / "elsewhere", lakeside.sandbox)
    for folder in ("raw", "registry"):
        shutil.copytree(lakeside.home / folder, elsewhere.home / folder)
    assert elsewhere.load(LABOR).success
    assert but_for_the_moment(elsewhere.rows(LABOR)) == but_for_the_moment(lakeside.rows(LABOR))


def but_for_the_moment(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "updated_at"} for row in rows]


def test_a_rebuild_of_a_dataset_that_is_not_there_says_so(lakeside: Lakeside) -> None:
    result = run(lakeside, "rebuild_from_raw", dataset_ids=LABOR)
    assert not result.success
    assert "not registered" in failure(result).description


def test_a_dataset_that_cannot_be_registered_is_named_and_the_others_are_requested_all_the_same(
    lakeside: Lakeside,
) -> None:
    result = run(
        lakeside, "register_and_ingest", dataset_ids=f"0009999999 {LABOR} {POPULATION}", chunk_size=10, force=True
    )
    assert not result.success
    assert "0009999999" in failure(result).description
    assert LABOR not in failure(result).description
    facts = {name: value.value for name, value in failure(result).metadata.items()}
    assert facts["failed"]["0009999999"]["error"] == "API_ERROR"
    assert (facts["requested"], facts["datasets"]) == (2, [LABOR, POPULATION])
    assert LABOR in facts["which"]
    assert "3000/runs/b/" in facts["backfills"]
    runs = [lakeside.instance.get_run_by_id(run_id) for run_id in lakeside.carry_out()]
    assert {each.tags["dagster/partition"]: each.status.value for each in runs if each} == {
        LABOR: "SUCCESS",
        POPULATION: "SUCCESS",
    }
    assert {each.tags["estat/requested_by"] for each in runs if each} == {"register_and_ingest"}
    assert len(list((lakeside.home / "raw" / LABOR).glob("*_chunk_*"))) == 2, "15 records, 10 a page"


def test_what_is_held_and_cannot_be_registered_again_is_left_failed_and_loaded_by_the_next_refresh(
    lakeside: Lakeside,
) -> None:
    lakeside.load(LABOR)
    seen_long_ago(lakeside, LABOR)
    revise(lakeside, LABOR, str(days.today() - timedelta(days=1)), value="7")
    lakeside.sandbox.faults.add(Fault(Kind.XML_100, function="getMetaInfo"))
    result = run(lakeside, "refresh_updated")
    assert failure(result).metadata["failed"].value[LABOR]["error"] == "API_ERROR"
    assert lakeside.carry_out() == []
    assert lakeside.entry(LABOR).status == "failed"
    assert "ESTAT_APP_ID" in str(lakeside.entry(LABOR).error)
    assert not standing(lakeside).passed
    lakeside.sandbox.heal()
    assert told(run(lakeside, "refresh_updated"))["datasets"] == [LABOR]
    lakeside.carry_out()
    assert standing(lakeside).passed


def test_a_form_that_is_wrong_leaves_what_is_held_as_it_is(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    result = run(lakeside, "register_and_ingest", dataset_ids=LABOR, domain="health")
    assert failure(result).metadata["failed"].value[LABOR]["error"] == "VALIDATION_ERROR"
    assert lakeside.entry(LABOR).status == "loaded"


def test_a_backfill_that_no_daemon_will_begin_says_so(tmp_path: Path, sandbox: Sandbox) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        lakeside = Lakeside(tmp_path / "lake", sandbox, instance=instance)
        first = told(run(lakeside, "register_and_ingest", dataset_ids=LABOR))
        assert "BACKFILL" in first["daemon"]
        for name in DAEMONS:
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), name, None, []))
        assert "daemon" not in told(run(lakeside, "register_and_ingest", dataset_ids=LABOR))


def test_one_form_is_for_all_kinds_of_maintenance(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.load(LABOR, force=True)
    job = lakeside.defs.resolve_job_def("maintenance")
    assert job.config_mapping is not None
    form = job.config_mapping.config_schema.config_type.fields  # type: ignore[union-attr]
    assert {"tables", "older_than_days", "keep", "dry_run"} == set(form)
    assert all(field.description and field.default_provided for field in form.values())
    given = {"dry_run": True, "keep": 1, "tables": ["labor_data"]}
    result = job.execute_in_process(instance=lakeside.instance, run_config=given)
    done = [result.asset_materializations_for_node(name)[0] for name in MAINTENANCE]
    assert [event.metadata["dry_run"].value for event in done] == [True] * 3
    assert [event.metadata["tables"].value for event in done] == [1] * 3
    assert lakeside.snapshots(LABOR) == 2
    chosen = [dg.AssetKey(MAINTENANCE[0])]
    alone = job.execute_in_process(instance=lakeside.instance, run_config={}, asset_selection=chosen)
    assert [event.asset_key for event in alone.get_asset_materialization_events()] == chosen
