"""Loads killed with SIGKILL at moments spread over the whole way: readers see the old rows or the new ones, whole."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from estat_dagster.lake.cleaning import find_superfluous, remove_superfluous
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from tests.doors.loader import load
from tests.doors.nursery import NEVER, Nursery

ROOT = Path(__file__).resolve().parents[2]
DATASET = "9900000002"
KILLS = 4


def release(table: Table, number: int) -> Table:
    """Return a later release of the table in which every cell holds its number."""
    cells = [cell._replace(value=str(number)) for cell in table.cells]
    return table.revised(updated=f"2025-01-{number + 1:02d}", cells=cells)


def held(lake: Lake) -> tuple[int, set[float]]:
    values = lake.tables.load("population_data").scan().to_arrow().column("value").to_pylist()
    return len(values), set(values)


def start(home: Path, sandbox: Sandbox) -> subprocess.Popen[str]:
    """Start a load and return when its imports are done."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.doors.loader", str(home), sandbox.base_url, DATASET],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_load_that_is_killed_leaves_whole_rows_and_can_be_loaded_again(tmp_path: Path) -> None:
    home = tmp_path / "lake"
    with Sandbox() as sandbox:
        table = sandbox.tables[DATASET]
        sandbox.replace(release(table, 0))
        started = time.monotonic()
        assert start(home, sandbox).communicate(timeout=60)[0] == "done\n"
        whole = time.monotonic() - started
        lake = open_lake(Settings(lake_home=home))
        published, unpublished = 0, 0
        for number in range(1, KILLS + 1):
            sandbox.replace(release(table, number))
            process = start(home, sandbox)
            time.sleep(whole * (number - 0.5) / KILLS)
            process.kill()
            process.wait()
            rows, values = held(lake)
            assert rows == len(table.cells)
            assert values in ({float(published)}, {float(number)})
            if values == {float(number)}:
                published = number
            else:
                unpublished += 1
        load(home, sandbox.base_url, DATASET)
        assert held(lake) == (len(table.cells), {float(KILLS)})
        assert unpublished, "no load was killed before its commit"


MANY, KILLED = 56, 50
SMALL = "0000010101"


def rows(lake: Lake) -> pa.Table:
    """Return every row in order, but for the moment of its load."""
    table = lake.tables.load("population_data").scan().to_arrow().drop_columns(["updated_at"])
    return table.sort_by([(name, "ascending") for name in ("time_code", "region_code", "category_code", "tab_code")])


@contextmanager
def watching(lake: Lake, allowed: list[tuple[int, set[float]]]) -> Iterator[None]:
    """Read again and again while the block runs: always so many rows with such values."""
    done, wrong = threading.Event(), []

    def watch() -> None:
        while not done.wait(0.1):
            found = held(lake)
            if found not in allowed:
                wrong.append(found)

    reader = threading.Thread(target=watch)
    reader.start()
    try:
        yield
    finally:
        done.set()
        reader.join()
    assert not wrong, wrong[0]


@pytest.mark.soak
def test_fifty_loads_killed_all_over_the_way_are_mended_by_loading_again(tmp_path: Path) -> None:
    home = tmp_path / "lake"
    with Sandbox() as sandbox, Nursery(home, sandbox.base_url, SMALL) as nursery:
        table = sandbox.tables[SMALL]
        lake = open_lake(Settings(lake_home=home))
        expected = []
        for number in (0, 1):
            sandbox.replace(release(table, number))
            load(tmp_path / f"undisturbed-{number}", sandbox.base_url, SMALL)
            expected.append(rows(open_lake(Settings(lake_home=tmp_path / f"undisturbed-{number}"))))
            calls = nursery.do(kill_at=NEVER)
        killed = unpublished = 0
        for number in range(MANY):
            sandbox.replace(
                release(table, number % 2).revised(updated=f"2026-{number // 28 + 1:02d}-{number % 28 + 1:02d}")
            )
            old, new = ((len(table.cells), {float(each % 2)}) for each in (number + 1, number))
            with watching(lake, [old, new]):
                nursery.begin(kill_at=round(calls * (number + 0.5) / MANY))
                killed += nursery.answer() == "killed"  # the last ones may end first: calls vary by some percent
            unpublished += held(lake) == old
            nursery.do()
            assert rows(lake).equals(expected[number % 2]), f"after kill {number}"
            # Each fetch that is kept makes the next load a few calls longer: the kills would end before its commit.
            remove_superfluous(lake.store, find_superfluous(lake.store, lake.registry, keep=1)[0])
        assert killed >= KILLED
        assert min(unpublished, killed - unpublished) >= KILLED / 10, "the kills met one side of the commit"
