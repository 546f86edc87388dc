"""Rollbacks, deletions and maintenance killed with SIGKILL all over their way: readers see before or after, whole.

What was interrupted is run again, and then it is as if nothing had happened.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.lake.registry import LOADED
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from tests.doors.nursery import NEVER, Nursery
from tests.doors.test_crashes import SMALL, held, release, watching
from tests.lake.shore import frame
from tests.lake.shore import load as put

pytestmark = pytest.mark.soak
KILLS, SHORT = 16, 1.02
NEIGHBOURS = [f"{number:010d}" for number in range(1, 7)]
THEIRS, YEARS = 99.0, 2


@dataclass
class Berth:
    """A lake with two releases of a dataset and small files of others, which is put back as it was after each try."""

    home: Path
    nursery: Nursery
    cells: int

    @property
    def lake(self) -> Lake:
        return open_lake(Settings(lake_home=self.home))

    def state(self, value: float | None) -> tuple[int, set[float]]:
        """Return what `held` finds where every cell of the dataset has that value, or the dataset is gone."""
        others = len(NEIGHBOURS) * YEARS
        return (others, {THEIRS}) if value is None else (others + self.cells, {THEIRS, value})

    def restore(self) -> None:
        shutil.rmtree(self.home)
        shutil.copytree(self.home.with_name("before"), self.home)


@pytest.fixture
def berth(tmp_path: Path) -> Iterator[Berth]:
    home = tmp_path / "lake"
    with Sandbox() as sandbox, Nursery(home, sandbox.base_url, SMALL) as nursery:
        table = sandbox.tables[SMALL]
        for number in (0, 1):
            sandbox.replace(release(table, number))
            nursery.do()
        made = Berth(home, nursery, len(table.cells))
        for neighbour in NEIGHBOURS:
            put(made.lake, frame(neighbour, [THEIRS] * YEARS, list(range(2000, 2000 + YEARS))))
        assert held(made.lake) == made.state(1.0)
        shutil.copytree(home, home.with_name("before"))
        yield made


@pytest.mark.parametrize(("action", "after"), [("rollback", 0.0), ("delete", None), ("maintain", 1.0)])
def test_a_change_that_is_killed_is_whole_or_not_there_and_can_be_made_again(
    berth: Berth, action: str, after: float | None
) -> None:
    calls = berth.nursery.do(action, NEVER)
    assert held(berth.lake) == berth.state(after)
    expected = files(berth)
    killed = done = 0
    for number in range(KILLS):
        berth.restore()
        with watching(berth.lake, [berth.state(1.0), berth.state(after)]):
            berth.nursery.begin(round(calls * (number + 0.5) / KILLS / SHORT), action)
            killed += berth.nursery.answer() == "killed"
        done += held(berth.lake) == berth.state(after)
        if after is not None or berth.lake.registry.find(SMALL):
            berth.nursery.do(action)
        assert held(berth.lake) == berth.state(after), f"after kill {number}"
        assert files(berth) == expected, f"after kill {number}"
        berth.nursery.do()
        assert held(berth.lake) == berth.state(1.0), "a plain load brings the newest release"
        assert berth.lake.registry.get_dataset_info(SMALL).status == LOADED
    assert killed == KILLS
    assert done
    assert done < KILLS or action == "maintain"


def files(berth: Berth) -> tuple[int, set[str]]:
    """Return how many data files the table has, and which files there are of the dataset outside the tables."""
    lake = berth.lake
    tops = (file.path for top in ("registry", "parquet", "quarantine") for file in lake.store.walk(top))
    own = {path for path in tops if SMALL in path and not path.endswith(".tmp")}
    return len(list(lake.tables.load("population_data").scan().plan_files())), own
