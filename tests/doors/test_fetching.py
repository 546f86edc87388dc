"""Fetching through the assets: filters in words, long lists, limits, and a fetch that is taken up again."""

from __future__ import annotations

import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from estat_dagster.assets.registering import register_dataset
from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.assets.steps.raw import fetch_raw
from estat_dagster.errors import NetworkError, ValidationError
from estat_dagster.estat.client import EstatClient, Patience
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.sandbox.faults import FaultPlan
from estat_dagster.sandbox.model import Cell
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from estat_dagster.workbench import Workbench
from tests.doors.lakeside import Lakeside
from tests.estat.small_table import MemorySink

LARGE, POPULATION = "9900000014", "0000010101"


def raw_files(lakeside: Lakeside, dataset_id: str) -> set[str]:
    return {path.name for path in (lakeside.home / "raw" / dataset_id).iterdir()}


def test_a_list_longer_than_e_stat_takes_is_loaded_whole_with_every_name(lakeside: Lakeside, sandbox: Sandbox) -> None:
    large = sandbox.tables[LARGE]
    tab, measures, places, years = ([item.code for item in axis.items] for axis in large.axes)
    cells = [Cell((tab[0], measures[0], place, year), "1") for place in places for year in years[-2:]]
    sandbox.replace(replace(large, produce=lambda: cells))
    areas = places[:130]
    outcome = lakeside.load(LARGE, scope={"area": areas, "time": "max", "cat01": "出生数"})
    assert outcome.success, outcome.reason
    assert lakeside.failed_checks(outcome) == set()
    rows = lakeside.rows(LARGE)
    assert sorted(row["region_code"] for row in rows) == sorted(areas)
    assert all(row["region_name"] and row["category_name"] == "出生数" for row in rows)
    entry = lakeside.entry(LARGE)
    assert entry.loaded_scope == {"cat01": "01", "area": ",".join(areas), "time": "max"}
    [row] = lakeside.bench.lake.tables.load("dataset_inventory").scan().to_arrow().to_pylist()
    assert json.loads(row["scope"]) == entry.loaded_scope
    names = lakeside.bench.lake.tables.load("dataset_dimensions").scan().to_arrow().to_pylist()
    assert len([name for name in names if name["axis_id"] == "area"]) == len(areas)
    again = lakeside.load(LARGE)
    assert lakeside.facts(again, "raw_json")["unchanged"] is True


def test_a_filter_in_words_is_kept_in_codes_and_the_whole_table_replaces_it(lakeside: Lakeside) -> None:
    assert lakeside.load(POPULATION, scope={"area": "東京都", "time": "2020"}).success
    entry = lakeside.entry(POPULATION)
    assert entry.loaded_scope == {"area": "13000", "time": "2020100000"}
    assert {row["region_code"] for row in lakeside.rows(POPULATION)} == {"13000"}
    assert lakeside.load(POPULATION, scope={}).success
    assert len(lakeside.rows(POPULATION)) == len(lakeside.sandbox.tables[POPULATION].cells)
    with pytest.raises(ValidationError, match="no code 東京 "):
        lakeside.load(POPULATION, scope={"area": "東京"})
    assert lakeside.entry(POPULATION).scope == {}


def test_a_table_larger_than_allowed_is_refused_before_anything_is_fetched(
    lakeside: Lakeside, sandbox: Sandbox
) -> None:
    outcome = lakeside.load(POPULATION, fetch={"max_records": 100})
    assert not outcome.success
    assert "more than the 100 that may be fetched" in outcome.reason
    assert lakeside.entry(POPULATION).status == "failed"
    assert in_inventory(lakeside) == ("failed", None)
    assert not (lakeside.home / "raw").exists()
    assert lakeside.load(POPULATION).success
    loaded = in_inventory(lakeside)
    assert loaded == ("loaded", len(lakeside.rows(POPULATION)))
    sandbox.replace(sandbox.tables[POPULATION].revised(updated="2031-01-01", cells=[]))
    assert not lakeside.load(POPULATION).success
    assert in_inventory(lakeside) == ("failed", loaded[1])


def in_inventory(lakeside: Lakeside) -> tuple[str, int | None]:
    """Return the status of the only dataset in the inventory, and of how many rows it tells."""
    [row] = lakeside.bench.lake.tables.load("dataset_inventory").scan().to_arrow().to_pylist()
    return row["status"], row["valid_count"]


def test_a_load_that_trouble_ends_is_taken_up_by_the_next(lakeside: Lakeside, sandbox: Sandbox) -> None:
    lakeside.bench.estat = EstatClient("test", sandbox.base_url, patience=Patience(tries=1))
    sandbox.fail("reset", page=3, times=None)
    register_dataset(lakeside.bench, POPULATION)
    with pytest.raises(NetworkError):
        fetch_raw(DatasetJob.of(lakeside.bench, POPULATION), FetchPlan(150))
    left = {name for name in raw_files(lakeside, POPULATION) if name.endswith(".gz")}
    assert left
    sandbox.heal()
    sandbox.requests.clear()
    outcome = lakeside.load(POPULATION, fetch={"chunk_size": 150})
    assert outcome.success, outcome.reason
    pages = {name for name in raw_files(lakeside, POPULATION) if name.endswith(".gz")}
    assert left < pages
    asked = [seen for seen in sandbox.requests if seen.path.endswith("getStatsData")]
    assert len(asked) == len(pages) - len(left)
    assert len(lakeside.rows(POPULATION)) == len(sandbox.tables[POPULATION].cells)


class MostAtOnce:
    """The most requests that a sandbox was answering at one moment."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.seen = self._now = 0
        self._lock, self._answer = threading.Lock(), sandbox.answer
        sandbox.answer = self.answer  # type: ignore[method-assign]

    def answer(self, *request: Any, **how: Any) -> Any:
        with self._lock:
            self._now += 1
            self.seen = max(self.seen, self._now)
        try:
            return self._answer(*request, **how)
        finally:
            with self._lock:
                self._now -= 1


def test_runs_at_the_same_time_share_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clients of a process are like two processes: what they share is the folder of the slots."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Sandbox(faults=FaultPlan(latency=0.05)) as sandbox:
        settings = Settings(app_id="test", base_url=sandbox.base_url, lake_home=tmp_path / "lake", max_concurrent=2)
        benches = [Workbench(settings) for _ in range(2)]
        most = MostAtOnce(sandbox)
        with ThreadPoolExecutor() as pool:
            plan = FetchPlan(40, 10)
            list(pool.map(lambda bench: fetch_dataset(bench.estat, POPULATION, {}, MemorySink(), plan), benches))
    assert 1 <= most.seen <= 2
