"""Files of the lake that were damaged, cut or removed: a load makes them again, or says which and what mends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from estat_dagster.assets.steps.job import TRANSFORMED, DatasetJob
from estat_dagster.automation.watching import watch
from estat_dagster.errors import DamagedError, DataError
from estat_dagster.lake.parquet import read_version
from tests.doors.lakeside import Lakeside

LABOR = "0003005798"
PARQUET = f"parquet/labor/{LABOR}.parquet"
MANIFEST, PAGE = f"raw/{LABOR}/*.manifest.json", f"raw/{LABOR}/*.json.gz"
STAGED = f"staging/labor/{LABOR}"
FRAMES = [f"{STAGED}/{step}/{file}" for step in ("transformed", "validated") for file in ("*.arrow", "report.json")]
Damage = Callable[[Path], object]


def cut(part: float) -> Damage:
    return lambda path: path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])


def garble(start: float, length: int) -> Damage:
    """Return what writes other bytes into the middle of a file, whose size stays."""

    def write(path: Path) -> None:
        body = bytearray(path.read_bytes())
        place = int(len(body) * start)
        body[place : place + length] = b"\xfe" * min(length, len(body) - place)
        path.write_bytes(body)

    return write


CUT = {"gone": Path.unlink, "half": cut(0.5)}
GARBLED = {"other bytes": garble(0, 10**9), "some other bytes": garble(0.2, 64)}


def values(lakeside: Lakeside) -> list[tuple[object, ...]]:
    rows = lakeside.rows(LABOR)
    return sorted((row["time_code"], row["category_code"], row["cat02_code"], row["value"]) for row in rows)


def damaged(lakeside: Lakeside, file: str, damage: Damage) -> Path:
    [path] = lakeside.home.glob(file)
    damage(path)
    return path


@pytest.mark.parametrize("damage", [*CUT, *GARBLED])
@pytest.mark.parametrize("file", [PAGE, MANIFEST, *FRAMES, PARQUET])
def test_a_damaged_file_is_made_again_or_named_with_its_remedy(lakeside: Lakeside, file: str, damage: str) -> None:
    lakeside.load(LABOR)
    before = values(lakeside)
    path = damaged(lakeside, file, (CUT | GARBLED)[damage])
    outcome = lakeside.load(LABOR)
    assert values(lakeside) == before
    if not outcome.success:
        assert damage in GARBLED, outcome.reason
        assert file not in (PAGE, MANIFEST), outcome.reason
        assert path.name in outcome.reason
        assert "--force" in outcome.reason
    forced = lakeside.load(LABOR, force=True)
    assert forced.success, forced.reason
    assert values(lakeside) == before
    assert file != MANIFEST or not path.exists(), "it would be in the way of the clean-up"


def test_a_damaged_file_is_told_from_a_store_that_stays_away(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    store = lakeside.bench.lake.store
    damaged(lakeside, PARQUET, cut(0.5))
    assert read_version(store, PARQUET) is None
    [frame] = lakeside.home.glob(FRAMES[0])
    garble(0, 10**9)(frame)
    with pytest.raises(DamagedError, match=frame.name) as caught:
        list(DatasetJob.of(lakeside.bench, LABOR).frames(TRANSFORMED))
    assert not caught.value.can_retry


def test_a_catalog_that_cannot_be_read_says_how_to_go_on(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    before = values(lakeside)
    catalog = damaged(lakeside, "iceberg-tables/catalog.db", garble(0, 10**9))
    outcome = Lakeside(lakeside.home, lakeside.sandbox).load(LABOR)
    assert not outcome.success
    assert "move it away and load the datasets again with `--force`" in outcome.reason
    catalog.unlink()
    again = Lakeside(lakeside.home, lakeside.sandbox)
    assert again.load(LABOR, force=True).success
    assert values(again) == before


@pytest.mark.parametrize("damage", CUT.values(), ids=CUT)
def test_a_refresh_loads_what_does_not_tell_any_more_what_was_loaded(lakeside: Lakeside, damage: Damage) -> None:
    lakeside.load(LABOR)
    damaged(lakeside, MANIFEST, damage)
    found = watch(lakeside.bench)
    assert [dataset_id for dataset_id, _ in found.damaged] == [LABOR]
    with pytest.raises(DataError, match=r"damaged|No raw pages"):
        DatasetJob.of(lakeside.bench, LABOR).manifest()
