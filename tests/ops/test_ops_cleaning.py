"""What the monthly clean-up removes, and what it must never touch."""

from __future__ import annotations

from pathlib import Path

import pytest

from estat_dagster.errors import ValidationError
from estat_dagster.lake.cleaning import find_superfluous
from tests.doors.lakeside import Lakeside
from tests.doors.test_watching import revise
from tests.ops.test_ops_jobs import run, told

LABOR = "0003005798"


def files(lakeside: Lakeside, folder: str) -> set[str]:
    root = Path(lakeside.home)
    return {str(path.relative_to(root)) for path in (root / folder).rglob("*") if path.is_file()}


def load_releases(lakeside: Lakeside, count: int) -> list[set[str]]:
    """Load so many different releases and return the raw files that each added."""
    added: list[set[str]] = []
    for number in range(count):
        before = files(lakeside, "raw")
        revise(lakeside, LABOR, f"2024-10-{number + 1:02d}", value=str(number))
        assert lakeside.load(LABOR).success
        added.append(files(lakeside, "raw") - before)
    return added


def test_the_newest_fetches_stay_and_the_data_can_still_be_made_again(lakeside: Lakeside) -> None:
    releases = load_releases(lakeside, 4)
    done = told(run(lakeside, "clean_up", keep_fetches=2))
    assert files(lakeside, "raw") == releases[2] | releases[3]
    assert done["files"] == len(releases[0] | releases[1])
    assert done["bytes"] > 0
    assert told(run(lakeside, "rebuild_from_raw"))["requested"] == 1
    assert lakeside.carry_out()
    assert lakeside.entry(LABOR).status == "loaded"
    assert told(run(lakeside, "clean_up", keep_fetches=2))["files"] == 0


def test_looking_removes_nothing(lakeside: Lakeside) -> None:
    load_releases(lakeside, 2)
    before = files(lakeside, ".")
    assert told(run(lakeside, "clean_up", keep_fetches=1, only_look=True))["files"] == 2
    assert files(lakeside, ".") == before


def test_the_manifest_that_the_registry_names_stays_though_it_is_old(lakeside: Lakeside) -> None:
    releases = load_releases(lakeside, 3)
    [manifest] = [path for path in releases[0] if path.endswith(".manifest.json")]
    lakeside.bench.lake.registry.update_status(LABOR, "loaded", raw_uri=f"file://{lakeside.home}/{manifest}")
    run(lakeside, "clean_up", keep_fetches=1)
    assert files(lakeside, "raw") == releases[0] | releases[2]


def test_a_fetch_that_runs_or_broke_off_is_left_alone(lakeside: Lakeside) -> None:
    load_releases(lakeside, 2)
    raw = lakeside.home / "raw" / LABOR
    later = raw / f"{LABOR}_chunk_001_29990101T000000000000Z.json.gz"
    later.write_bytes(b"a page of a fetch that runs")
    found, _ = find_superfluous(lakeside.bench.lake.store, lakeside.bench.lake.registry, keep=1)
    assert found
    assert later.name not in {Path(file.path).name for file in found}
    (raw / "unfinished.json").write_bytes(b"{}")
    assert find_superfluous(lakeside.bench.lake.store, lakeside.bench.lake.registry, keep=1) == ([], {})


def test_quarantine_goes_only_with_its_dataset(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    for domain, dataset_id in (("labor", LABOR), ("labor", "0000000001"), ("health", LABOR)):
        path = lakeside.home / "quarantine" / domain / f"{dataset_id}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"rows")
    (lakeside.home / "quarantine" / "labor" / "notes.txt").write_text("mine")
    run(lakeside, "clean_up")
    assert files(lakeside, "quarantine") == {f"quarantine/labor/{LABOR}.parquet", "quarantine/labor/notes.txt"}


def test_a_manifest_that_cannot_be_read_is_told_and_nothing_of_its_dataset_goes(lakeside: Lakeside) -> None:
    releases = load_releases(lakeside, 2)
    [manifest] = [path for path in releases[1] if path.endswith(".manifest.json")]
    (lakeside.home / manifest).write_text("{")
    before = files(lakeside, ".")
    found, left_out = find_superfluous(lakeside.bench.lake.store, lakeside.bench.lake.registry, keep=1)
    assert (found, list(left_out)) == ([], [LABOR])
    assert not run(lakeside, "clean_up", keep_fetches=1).success
    assert files(lakeside, ".") == before


def test_the_newest_fetch_cannot_be_given_up(lakeside: Lakeside) -> None:
    with pytest.raises(ValidationError, match="0 fetches"):
        find_superfluous(lakeside.bench.lake.store, lakeside.bench.lake.registry, keep=0)
