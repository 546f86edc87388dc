"""Loads killed with SIGKILL at moments spread over the whole way: readers see the old rows or the new ones, whole."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from tests.doors.loader import load

ROOT = Path(__file__).resolve().parents[2]
DATASET = "9900000002"
KILLS = 6


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
