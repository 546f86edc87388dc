"""The numbers of /metrics after real loads, and what a step tells of its retries."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from estat_dagster.assets.registering import register_dataset
from estat_dagster.automation import runs
from estat_dagster.automation.loading import load_registered
from estat_dagster.lake.store import Store
from estat_dagster.sandbox.faults import Fault, Kind
from estat_dagster.serving import rising
from estat_dagster.serving.metrics import Metrics
from estat_dagster.telemetry import counted, log
from tests.doors.lakeside import Lakeside
from tests.ops.test_ops_alerts import fail_many

LABOR = "0003005798"


def values(metrics: Metrics) -> dict[str, float]:
    """Return what is told, new series not kept back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rising, "NEW_SECONDS", 0)
        metrics.text()
        return told(metrics)


def told(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.text().decode().splitlines() if line[:1].isalpha() and "_created" not in line]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.mark.soak
def test_every_ended_run_is_counted_once_and_nothing_from_before(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    metrics = Metrics(lakeside.instance, lakeside.bench)
    before = values(metrics)
    assert not any(name.startswith("estat_runs_total") for name in before)
    assert before['estat_datasets{domain="labor",status="loaded"}'] == 1
    assert before['estat_rows{domain="labor"}'] == 15
    lakeside.sandbox.fail("503", times=1)
    lakeside.load(LABOR, force=True)
    for _ in range(2):
        now = values(metrics)
        assert now['estat_runs_total{dagster_job="ingest_labor",status="SUCCESS"}'] == 1
        assert now['estat_steps_total{domain="labor",layer="iceberg_table",unchanged="false"}'] == 1
        assert now['estat_step_rows_total{domain="labor",layer="iceberg_table"}'] == 15
        assert now['estat_step_seconds_total{domain="labor",layer="raw_json"}'] > 0
        assert now['estat_step_bytes_total{domain="labor",layer="parquet_file"}'] > 0
        assert now['estat_checks_total{check="table_matches",outcome="passed"}'] == 1
    lakeside.load(LABOR)
    unchanged = values(metrics)
    assert unchanged['estat_steps_total{domain="labor",layer="iceberg_table",unchanged="true"}'] == 1
    assert unchanged['estat_step_rows_total{domain="labor",layer="iceberg_table"}'] == 15


def test_a_new_series_is_told_as_nothing_before_it_rises(lakeside: Lakeside, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, name = (
        Metrics(lakeside.instance, lakeside.bench),
        'estat_runs_total{dagster_job="broken",status="FAILURE"}',
    )
    fail_many(lakeside, 1)
    assert [told(metrics)[name] for _ in range(2)] == [0, 0]
    monkeypatch.setattr(rising, "NEW_SECONDS", 0)
    fail_many(lakeside, 1)
    assert told(metrics)[name] == 2


def test_failures_are_counted_by_their_kind_and_datasets_by_their_state(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    metrics = Metrics(lakeside.instance, lakeside.bench)
    lakeside.sandbox.fail("xml-100")
    load_registered(lakeside.defs, lakeside.instance, lakeside.entry(LABOR), asked_by="test")
    found = values(metrics)
    assert found['estat_problems_total{kind="API_ERROR"}'] == 1
    assert found['estat_step_failures_total{domain="labor",layer="raw_json"}'] == 1
    assert found['estat_datasets{domain="labor",status="failed"}'] == 1
    assert 'estat_datasets{domain="labor",status="loaded"}' not in found


def test_requests_that_were_tried_again_in_vain_are_counted_too(lakeside: Lakeside) -> None:
    register_dataset(lakeside.bench, LABOR)
    metrics = Metrics(lakeside.instance, lakeside.bench)
    lakeside.sandbox.fail("503", times=1)
    lakeside.sandbox.faults.add(Fault(Kind.XML_100, function="getStatsData"))
    load_registered(lakeside.defs, lakeside.instance, lakeside.entry(LABOR), asked_by="test")
    assert values(metrics)['estat_fetch_retries_total{domain="labor",layer="raw_json"}'] == 1


def test_only_what_changed_in_the_registry_is_read_again(lakeside: Lakeside, monkeypatch: pytest.MonkeyPatch) -> None:
    for dataset_id in (LABOR, "0000010101"):
        register_dataset(lakeside.bench, dataset_id)
    metrics, seen, whole = Metrics(lakeside.instance, lakeside.bench), [], Store.read
    monkeypatch.setattr(Store, "read", lambda store, path: seen.append(path) or whole(store, path))
    for _ in range(3):
        assert values(metrics)['estat_datasets{domain="labor",status="registered"}'] == 1
    assert sorted(seen) == ["registry/0000010101.json", f"registry/{LABOR}.json"]
    lakeside.bench.lake.registry.update_status(LABOR, "failed")
    seen.clear()
    assert values(metrics)['estat_datasets{domain="labor",status="failed"}'] == 1
    assert seen == [f"registry/{LABOR}.json"]


def test_more_runs_than_are_read_at_once_are_counted_once_each_and_a_later_tag_changes_nothing(
    lakeside: Lakeside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BATCH", 3)
    metrics = Metrics(lakeside.instance, lakeside.bench)
    fail_many(lakeside, 7)
    name = 'estat_runs_total{dagster_job="broken",status="FAILURE"}'
    assert values(metrics)[name] == 7
    monkeypatch.setattr(runs, "OVERLAP", timedelta())
    fail_many(lakeside, 1)
    assert values(metrics)[name] == 8
    values(metrics)
    for run in lakeside.instance.get_runs():
        lakeside.instance.add_run_tags(run.run_id, {"dagster/will_retry": "true"})
    assert values(metrics)[name] == 8


def test_a_fetch_tells_how_often_it_had_to_ask_again(lakeside: Lakeside) -> None:
    register_dataset(lakeside.bench, LABOR)
    lakeside.sandbox.fail("503", times=1)
    outcome = load_registered(lakeside.defs, lakeside.instance, lakeside.entry(LABOR), asked_by="test")
    facts = lakeside.facts(outcome, "raw_json")
    assert (facts["requests"], facts["retries"]) == (1, 1)
    assert facts["what_it_did"] == "Made anew."
    again = lakeside.facts(lakeside.load(LABOR), "iceberg_table")
    assert again["what_it_did"].startswith("Nothing: the content is the one")


def test_lines_are_counted_only_inside() -> None:
    log("retry", "outside")
    with counted() as outer, counted() as inner:
        log("retry", "inside")
    log("retry", "outside")
    assert outer == inner == {"retry": 1}


def test_the_dashboard_asks_for_metrics_that_are_there(lakeside: Lakeside) -> None:
    import json
    import re

    lakeside.load(LABOR)
    metrics = Metrics(lakeside.instance, lakeside.bench)
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)", metrics.text().decode(), re.M))
    names = {name for name, kind in kinds.items() if not name.endswith("_created")}
    dashboard = json.loads(Path("deploy/grafana/estat.json").read_text("utf-8"))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"estat_\w+", target["expr"])
    }
    assert len(asked) > 8
    assert asked <= names
