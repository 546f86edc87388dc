"""Fetches in processes of their own: killed in the middle and taken up again, and measured."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from estat_dagster.estat.manifest import Manifest
from estat_dagster.sandbox.faults import FaultPlan
from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import TABLE_ID
from tests.estat.fetcher import fetch
from tests.estat.small_table import RECORDS, YEARS, small_table

ROOT = Path(__file__).resolve().parents[2]


def start(home: Path, base_url: str, chunk_size: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.estat.fetcher", str(home), base_url, TABLE_ID, str(chunk_size)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def pages_in(home: Path) -> set[str]:
    return {path.name for path in home.rglob("*.json.gz")}


@pytest.mark.parametrize("least", [1, 4])
def test_a_fetch_that_is_killed_is_taken_up_where_it_was(tmp_path: Path, least: int):
    with Sandbox([small_table()], faults=FaultPlan(latency=0.2)) as sandbox:
        process = start(tmp_path, sandbox.base_url, 2)
        while len(pages_in(tmp_path)) < least:
            time.sleep(0.005)
            assert process.poll() is None
        process.kill()
        process.wait()
        left = pages_in(tmp_path)
        assert not list(tmp_path.rglob("*.manifest.json"))
        sandbox.requests.clear()
        raw = fetch(tmp_path, sandbox.base_url, TABLE_ID, 2)
        found = raw.latest()
        assert found is not None
        manifest = Manifest.from_json(found[1])
        asked = {int(seen.params.get("startPosition", 1)) for seen in sandbox.requests}
        taken_up = {entry.from_number for entry in manifest.pages if entry.file in left}
    assert len(taken_up) >= least - 1, "the last page may have been stored and not noted"
    assert asked == {entry.from_number for entry in manifest.pages} - taken_up
    assert len(sandbox.requests) == len(asked)
    assert manifest.total_number == RECORDS
    assert manifest.faults(raw.read_checked) == []
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        *(entry.file for entry in manifest.pages),
        f"{manifest.name}.manifest.json",
    }


def long_table(records: int) -> Table:
    cells = [Cell((f"{number:05}", YEARS[0]), "1") for number in range(records)]
    axes = (Axis("area", "地域", (Item("00000", "地域"),)), small_table().axes[1])
    return small_table(produce=lambda: cells, axes=axes)


def test_memory_does_not_grow_with_the_number_of_pages(tmp_path: Path):
    size, counts, peaks = 1_500, (10, 90), []  # ten are asked for at once: as many as that may be held
    for pages in counts:
        with Sandbox([long_table(size * pages)]) as sandbox:
            words, _ = start(tmp_path, sandbox.base_url, size).communicate()
        peaks.append(int(words))
    added = size * (counts[1] - counts[0]) * len('{"@area":"00000","@time":"2015000000","$":"1"},')
    assert peaks[1] - peaks[0] < 0.2 * added
