"""Many processes load into one table, each its own datasets and all of them one: every row is there once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from estat_dagster.lake.iceberg import COMMIT_SECONDS
from estat_dagster.lake.lake import open_lake
from estat_dagster.settings import Settings
from tests.lake.shore import POPULATION, SHARED_ID

ROOT = Path(__file__).resolve().parents[2]
SECONDS = COMMIT_SECONDS + 60  # a load gives up by itself before


def load_at_once(settings: Settings, processes: int, each: int) -> Counter[str]:
    """Start processes that load `each` datasets of their own and one of all, and return the rows of each dataset."""
    places = {"DATALAKE_HOME": str(settings.lake_home), "DATALAKE_GLUE_DATABASE": settings.glue_database}
    if settings.s3_bucket:
        places["DATALAKE_S3_BUCKET"] = settings.s3_bucket
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.lake.shore", str(number), str(each)],
            cwd=ROOT,
            env=os.environ | places,
            stderr=subprocess.PIPE,
        )
        for number in range(1, processes + 1)
    ]
    try:
        for process in running:
            _, words = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, words.decode()[-2000:]
    finally:
        for process in running:
            process.kill()
    table = open_lake(settings).tables.load(POPULATION.table_name)
    return Counter(table.scan(selected_fields=("dataset_id",)).to_arrow().column("dataset_id").to_pylist())


def check(counts: Counter[str], datasets: int) -> None:
    assert counts.pop(SHARED_ID) == 33
    assert len(counts) == datasets
    assert set(counts.values()) == {20}


def test_two_processes_load_at_once(lake_settings: Settings) -> None:
    check(load_at_once(lake_settings, 2, 2), 4)


@pytest.mark.soak
def test_twelve_processes_load_48_datasets_into_one_table(lake_settings: Settings) -> None:
    check(load_at_once(lake_settings, 12, 4), 48)
