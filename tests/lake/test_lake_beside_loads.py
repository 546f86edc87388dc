"""Compaction and rollback beside loads of other processes: nothing is lost, and every dataset is whole at any time."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from estat_dagster.lake.compacting import compact
from estat_dagster.lake.history import dataset_snapshots
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.lake.rollback import rollback
from estat_dagster.lake.sweeping import expire_snapshots
from estat_dagster.settings import Settings
from tests.lake.shore import POPULATION, SHARED_ID, frame, load

pytestmark = pytest.mark.soak
ROOT = Path(__file__).resolve().parents[2]
NAME = POPULATION.table_name
IDS = [f"{number:010d}" for number in range(1, 9)]
PROCESSES, EACH = 2, 3


@pytest.fixture
def environment(lake_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Name the lake in the environment."""
    monkeypatch.setenv("DATALAKE_HOME", str(lake_settings.lake_home))
    if lake_settings.s3_bucket is not None:
        monkeypatch.setenv("DATALAKE_S3_BUCKET", lake_settings.s3_bucket)
        monkeypatch.setenv("DATALAKE_GLUE_DATABASE", lake_settings.glue_database)
    return lake_settings


@pytest.fixture
def lake(environment: Settings) -> Lake:
    """A lake with eight small datasets of one row each."""
    lake = open_lake(environment)
    for dataset_id in IDS:
        load(lake, frame(dataset_id, [1.0], [2000]))
    return lake


@contextmanager
def others_loading() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Let other processes load datasets of their own; at the end all of them must have succeeded."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.lake.shore", str(number), str(EACH)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        for number in range(1, PROCESSES + 1)
    ]
    yield running
    for process in running:
        _, words = process.communicate(timeout=300)
        assert process.returncode == 0, words.decode()[-2000:]


def counts(lake: Lake) -> Counter[str]:
    return Counter(lake.tables.load(NAME).scan().to_arrow().column("dataset_id").to_pylist())


def all_of_the_others_are_there(found: Counter[str]) -> None:
    assert found.pop(SHARED_ID) == 33
    assert set(found.values()) == {20}
    assert len(found) == PROCESSES * EACH


def test_compaction_and_expiry_beside_loads_lose_nothing(lake: Lake) -> None:
    dice, expected = random.Random(1), dict.fromkeys(IDS, 1)
    with others_loading() as running:
        while any(process.poll() is None for process in running):
            compact(lake.tables, NAME)
            changed = dice.choice(IDS)
            expected[changed] = dice.randint(1, 3)
            load(lake, frame(changed, [2.0] * expected[changed], [2000] * expected[changed]))
            expire_snapshots(lake.tables, NAME, timedelta(0), keep=5)
            found = counts(lake)
            assert {dataset_id: found[dataset_id] for dataset_id in IDS} == expected
            time.sleep(1)
    compact(lake.tables, NAME)
    found = counts(lake)
    assert {dataset_id: found.pop(dataset_id) for dataset_id in IDS} == expected
    all_of_the_others_are_there(found)


def test_rollbacks_beside_loads_move_one_dataset_alone(lake: Lake) -> None:
    mine = IDS[0]
    lake.registry.save_metadata(DatasetEntry(mine, "population", "", "", "test", "2026-01-01T00:00:00+00:00"))
    load(lake, frame(mine, [1.0, 2.0], [2000, 2001]))
    new, old = (facts.snapshot_id for facts in dataset_snapshots(lake.tables.load(NAME), mine))
    sizes, times = {new: 2, old: 1}, 0
    with others_loading() as running:
        while any(process.poll() is None for process in running) or times < 4:
            times += 1
            target = (old, new)[times % 2]
            done = rollback(lake, mine, target)
            assert (done.rows, done.files_written) == (sizes[target], 0)
            found = counts(lake)
            assert [found[dataset_id] for dataset_id in IDS] == [sizes[target], *[1] * (len(IDS) - 1)]
    found = counts(lake)
    assert sum(found.pop(dataset_id) for dataset_id in IDS) == sizes[target] + len(IDS) - 1
    all_of_the_others_are_there(found)
