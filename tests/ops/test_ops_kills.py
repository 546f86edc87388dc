"""Daemon, code server and web server are killed during a backfill and started again: every dataset ends loaded once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests

from benchmarks.operations import DOMAIN, finished, start_backfill
from benchmarks.stack import Stack, small_tables
from estat_dagster.lake.lake import open_lake
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings

pytestmark = pytest.mark.soak
DATASETS, SECONDS = 8, 500


def test_every_dataset_ends_loaded_once_whatever_is_killed(tmp_path: Path) -> None:
    tables = small_tables(DATASETS)
    ids = {table.id for table in tables}
    with Sandbox(tables=tables) as sandbox, Stack(tmp_path, sandbox.base_url) as stack:
        backfill = start_backfill(stack, sorted(ids))
        settings = Settings(lake_home=tmp_path / "data" / "lake")
        for number, service in enumerate(("daemon", "code", "web"), start=1):
            wait_for(lambda number=number: len(loaded(settings)) >= number)
            stack.kill(service)
            stack.start(service)
        stack.wait_until_ready()
        wait_for(lambda: finished(stack, backfill))
        missing = ids - loaded(settings)
        if missing:  # runs that died with the code server; Dagster retries them, or the operator does
            again = start_backfill(stack, sorted(missing))
            wait_for(lambda: finished(stack, again))
    assert loaded(settings) == ids
    table = open_lake(settings).tables.load(f"{DOMAIN}_data")
    rows = table.scan(selected_fields=("dataset_id",)).to_arrow().column("dataset_id").to_pylist()
    assert {dataset_id: rows.count(dataset_id) for dataset_id in ids} == {t.id: len(t.cells) for t in tables}


def loaded(settings: Settings) -> set[str]:
    return {entry.dataset_id for entry in open_lake(settings).registry if entry.status == "loaded"}


def wait_for(done: object) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            if done():  # type: ignore[operator]
                return
        except requests.RequestException:
            pass
        time.sleep(1)
    raise AssertionError(f"it did not happen in {SECONDS} s")
