"""One damaged file of the lake: it is told by its name, and keeps no job from the other datasets and tables."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from estat_dagster.assets.inventories import dataset_dimensions, dataset_inventory
from estat_dagster.automation import requests
from estat_dagster.errors import NetworkError
from estat_dagster.estat import days
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.query.metered import read_lines
from estat_dagster.serving.metrics import Metrics
from tests.doors.lakeside import Lakeside
from tests.doors.test_watching import revise
from tests.ops.test_ops_cleaning import files
from tests.ops.test_ops_jobs import MAINTENANCE, failure, run, seen_long_ago, told
from tests.ops.test_ops_metrics import values

LABOR, POPULATION, PRICES = "0003005798", "0000010101", "0003427113"


@pytest.fixture
def broken(lakeside: Lakeside) -> Lakeside:
    """A lake of two datasets, of which one has an entry that cannot be read."""
    for dataset_id in (LABOR, POPULATION):
        assert lakeside.load(dataset_id).success
    seen_long_ago(lakeside, LABOR, POPULATION)
    entry(lakeside).write_bytes(b'{"dataset_id": "\xff')
    (lakeside.home / "registry" / f"{LABOR} copy.json").write_text("{}")
    return lakeside


def entry(lakeside: Lakeside) -> Path:
    return lakeside.home / "registry" / f"{POPULATION}.json"


def test_a_refresh_loads_what_else_changed(broken: Lakeside) -> None:
    revise(broken, LABOR, str(days.today() - timedelta(days=1)), value="7")
    done = told(run(broken, "refresh_updated"))
    assert done["datasets"] == [LABOR]
    assert POPULATION in done["not_compared"]


def test_a_rebuild_requests_the_others_and_fails_with_its_name(broken: Lakeside) -> None:
    found = failure(run(broken, "rebuild_from_raw"))
    facts = {name: value.value for name, value in found.metadata.items()}
    assert facts["datasets"] == [LABOR]
    assert "backup" in facts["failed"][POPULATION]["hint"]


def test_the_standing_check_names_it(broken: Lakeside) -> None:
    result = run(broken, "look_over_datasets")
    [found] = result.get_asset_check_evaluations()
    assert not found.passed
    assert POPULATION in str(found.description)
    assert "backup" in str(found.metadata["which"].value)


def test_the_clean_up_judges_the_others_and_leaves_all_of_its_files(broken: Lakeside) -> None:
    quarantine = broken.home / "quarantine" / "population" / f"{POPULATION}.parquet"
    quarantine.parent.mkdir(parents=True, exist_ok=True)
    quarantine.write_bytes(b"rows")
    before = {file for file in files(broken, ".") if POPULATION in file}
    revise(broken, LABOR, "2024-10-01", value="7")
    assert broken.load(LABOR).success
    found = failure(run(broken, "clean_up", keep_fetches=1))
    assert found.metadata["files"].value == 2
    assert list(found.metadata["failed"].value) == [POPULATION]
    assert {file for file in files(broken, ".") if POPULATION in file} == before


def test_the_tables_about_the_datasets_keep_its_rows_and_get_the_others(broken: Lakeside) -> None:
    tables = broken.bench.lake.tables
    held = {name: tables.load(name).scan().to_arrow() for name in ("dataset_inventory", "dataset_dimensions")}
    for asset in (dataset_inventory, dataset_dimensions):
        made = dg.materialize([asset], resources={"bench": broken.bench}, raise_on_error=False)
        assert POPULATION in failure(made).description
    for name, rows in held.items():
        assert len(tables.load(name).scan().to_arrow()) == len(rows)


def test_the_dimensions_of_damaged_raw_pages_stay_and_the_others_are_made(lakeside: Lakeside) -> None:
    for dataset_id in (LABOR, POPULATION):
        lakeside.load(dataset_id)
    for page in (lakeside.home / "raw" / LABOR).glob("*.json.gz"):
        page.write_bytes(b"x")
    made = dg.materialize([dataset_dimensions], resources={"bench": lakeside.bench}, raise_on_error=False)
    assert list(failure(made).metadata["failed"].value) == [LABOR]
    rows = lakeside.bench.lake.tables.load("dataset_dimensions").scan().to_arrow()
    assert set(rows.column("dataset_id").to_pylist()) == {LABOR, POPULATION}


def test_the_metrics_count_it_as_damaged(broken: Lakeside) -> None:
    found = values(Metrics(broken.instance, broken.bench))
    assert found['estat_datasets{domain="",status="damaged"}'] == 1
    assert found['estat_datasets{domain="labor",status="loaded"}'] == 1


def test_a_table_that_cannot_be_read_does_not_keep_the_others_from_their_turn(lakeside: Lakeside) -> None:
    for dataset_id in (LABOR, POPULATION):
        lakeside.load(dataset_id)
        lakeside.load(dataset_id, force=True)
    table = lakeside.bench.lake.tables.load("labor_data")
    Path(table.metadata_location.removeprefix("file://")).write_text("{")
    job = lakeside.defs.resolve_job_def("maintenance")
    result = job.execute_in_process(instance=lakeside.instance, raise_on_error=False)
    assert result.success
    for name in MAINTENANCE:
        [check] = [each for each in result.get_asset_check_evaluations() if each.asset_key.path == [name]]
        assert "older metadata file" in str(check.description)
        assert not check.passed
        assert "labor_data" in str(check.description)
        assert "population_data" not in str(check.description)
        [done] = result.asset_materializations_for_node(name)
        assert done.metadata["tables"].value == 3


def test_e_stat_is_not_asked_on_and_on_while_it_stays_away(lakeside: Lakeside) -> None:
    asked = []

    def register(dataset_id: str) -> DatasetEntry:
        asked.append(dataset_id)
        raise NetworkError("e-Stat does not answer.")

    ids = [f"{number:010d}" for number in range(10)]
    entries, failures = requests.register_each(lakeside.bench, ids, register)
    assert (entries, list(failures)) == ([], ids)
    assert asked == ids[: requests.MOST_AWAY]


@pytest.mark.parametrize("line", [b'{"engine": "duck', b"\xff\x00", b"7", b'{"engine": "duckdb"}'])
def test_a_broken_line_of_the_log_of_queries_is_left_out(lakeside: Lakeside, line: bytes) -> None:
    path = lakeside.settings.queries_log
    path.parent.mkdir(parents=True)
    path.write_bytes(line + b"\n")
    metrics = Metrics(lakeside.instance, lakeside.bench)
    with path.open("ab") as file:
        file.write(line + b"\n" + b'{"engine": "duckdb", "seconds": 1, "bytes": 2, "cost": 0, "error": ""}\n')
    for _ in range(2):
        assert values(metrics)['estat_queries_total{engine="duckdb",error=""}'] == 1
    assert len(read_lines(path, 0)[0]) == 1


def test_a_daemon_that_is_not_heard_of_shows_in_the_metrics(tmp_path: Path, lakeside: Lakeside) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        found = values(Metrics(instance, lakeside.bench))
    assert found['estat_daemon_healthy{daemon="SCHEDULER"}'] == 0
