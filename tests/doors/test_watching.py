"""Which of the lake's datasets e-Stat changed: what was loaded is told apart from what was only registered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from estat_dagster.assets.registering import register_dataset
from estat_dagster.automation.watching import LOOK_BACK, Watched, remember, watch
from estat_dagster.errors import ApiError, DataError, ValidationError
from estat_dagster.estat import days
from estat_dagster.estat.updates import CHANGED, GONE, MAYBE, UNCHANGED
from estat_dagster.lake.compared import read_compared
from estat_dagster.lake.registry import FAILED
from estat_dagster.sandbox.faults import Fault, Kind
from tests.doors.lakeside import Lakeside

LABOR, POPULATION = "0003005798", "0000010101"


def tell(lakeside: Lakeside, *ids: str, today: str = "", each: bool = False) -> Watched:
    day = date.fromisoformat(today) if today else datetime.now(UTC).date() + timedelta(days=2)
    return watch(lakeside.bench, ids, today=day, each=each)


def state(found: Watched) -> dict[str, str]:
    return {table.id: table.state for table in found.updates.tables}


def revise(lakeside: Lakeside, dataset_id: str, updated: str, *, value: str | None = None) -> None:
    """Let e-Stat bring the table again under another date, with another first value where one is given."""
    table = lakeside.sandbox.tables[dataset_id]
    cells = list(table.cells)
    if value is not None:
        cells[0] = cells[0]._replace(value=value)
    lakeside.sandbox.replace(table.revised(updated=updated, cells=cells))


def tomorrow(days: int = 1) -> str:
    return str(datetime.now(UTC).date() + timedelta(days=days))


def test_what_was_just_loaded_is_unchanged_until_e_stat_updates_it(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.load(POPULATION)
    assert state(tell(lakeside)) == {LABOR: UNCHANGED, POPULATION: UNCHANGED}
    revise(lakeside, LABOR, tomorrow(), value="1")
    found = tell(lakeside)
    assert state(found) == {LABOR: CHANGED, POPULATION: UNCHANGED}
    assert found.updates.requests == 2
    [news] = found.updates.news
    assert (news.held_updated, news.updated) == ("2024-08-30", tomorrow())
    assert news.held_records == 15


def test_a_load_that_found_the_same_content_under_a_new_date_counts_as_seen(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    revise(lakeside, LABOR, "2024-09-30")
    assert state(tell(lakeside, LABOR)) == {LABOR: CHANGED}
    assert lakeside.load(LABOR).success
    assert state(tell(lakeside, LABOR)) == {LABOR: UNCHANGED}


def test_a_dataset_that_was_registered_again_but_not_loaded_is_still_changed(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    revise(lakeside, LABOR, tomorrow(), value="1")
    register_dataset(lakeside.bench, LABOR)
    assert lakeside.entry(LABOR).updated_date == tomorrow()
    assert state(tell(lakeside)) == {LABOR: CHANGED}
    lakeside.bench.lake.registry.update_status(LABOR, FAILED, error="broken off")
    assert state(tell(lakeside)) == {LABOR: CHANGED}


def test_a_failed_load_does_not_make_an_old_date_seen(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    revise(lakeside, LABOR, "2024-09-30", value="1")
    register_dataset(lakeside.bench, LABOR)
    lakeside.bench.lake.registry.update_status(LABOR, FAILED, error="broken off")
    assert state(tell(lakeside, LABOR)) == {LABOR: CHANGED}


def test_the_records_of_a_filtered_dataset_are_not_compared_with_the_whole_tables(lakeside: Lakeside) -> None:
    lakeside.load(POPULATION, scope={"area": "13000"})
    found = tell(lakeside, POPULATION)
    assert state(found) == {POPULATION: UNCHANGED}
    assert found.updates.tables[0].held_records is None


def test_a_table_loaded_on_the_day_of_its_update_in_japan_may_have_changed_since(lakeside: Lakeside) -> None:
    revise(lakeside, LABOR, "2026-01-05")
    lakeside.load(LABOR)
    for moment, expected in (("2026-01-05T14:59:00+00:00", MAYBE), ("2026-01-05T15:01:00+00:00", UNCHANGED)):
        entry = msgspec.structs.replace(lakeside.entry(LABOR), checked_at=moment)
        lakeside.bench.lake.registry.save_metadata(entry)
        assert state(tell(lakeside)) == {LABOR: expected}


def test_what_was_never_loaded_or_comes_from_elsewhere_is_left_out_with_its_reason(lakeside: Lakeside) -> None:
    register_dataset(lakeside.bench, LABOR)
    lakeside.load(POPULATION)
    entry = msgspec.structs.replace(lakeside.entry(POPULATION), source="https://api.e-stat.go.jp")
    lakeside.bench.lake.registry.save_metadata(entry)
    found = tell(lakeside)
    assert found.updates.tables == ()
    assert dict(found.left_out) == {
        LABOR: "it was never loaded",
        POPULATION: "it was loaded from https://api.e-stat.go.jp",
    }


def test_a_dataset_that_is_gone_is_told_when_it_is_asked_for(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.sandbox.remove(LABOR)
    assert state(tell(lakeside)) == {LABOR: UNCHANGED}
    assert state(tell(lakeside, LABOR)) == state(tell(lakeside, each=True)) == {LABOR: GONE}
    assert len(tell(lakeside, LABOR, LABOR).updates.tables) == 1


def asked(lakeside: Lakeside) -> list[str]:
    """Return the windows that e-Stat was asked for since the last call."""
    windows = [
        request.params["updatedDate"] for request in lakeside.sandbox.requests if "updatedDate" in request.params
    ]
    lakeside.sandbox.requests.clear()
    return list(dict.fromkeys(windows))


def test_what_was_found_unchanged_is_asked_for_from_a_week_before_on(lakeside: Lakeside) -> None:
    for dataset_id in (LABOR, POPULATION):
        lakeside.load(dataset_id)
    loaded = days.today()
    later = [loaded + timedelta(days=number) for number in (30, 31, 32, 33)]
    remember(lakeside.bench.lake, tell(lakeside, today=str(later[0])), on=later[0])
    assert asked(lakeside) == [f"{loaded:%Y%m%d}-{later[0]:%Y%m%d}"]
    assert state(tell(lakeside, today=str(later[1]))) == {LABOR: UNCHANGED, POPULATION: UNCHANGED}
    assert asked(lakeside) == [f"{later[0] - LOOK_BACK:%Y%m%d}-{later[1]:%Y%m%d}"]
    revise(lakeside, LABOR, str(later[0]))
    for day in later[1:]:
        found = tell(lakeside, today=str(day))
        remember(lakeside.bench.lake, found, on=day)
        assert state(found) == {LABOR: CHANGED, POPULATION: UNCHANGED}, "as long as it is not loaded"
    assert {window.partition("-")[0] for window in asked(lakeside)} == {f"{later[0] - LOOK_BACK:%Y%m%d}"}


def test_rows_taken_back_are_compared_from_their_load_on(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    first = lakeside.entry(LABOR)
    revise(lakeside, LABOR, "2024-10-01", value="7")
    lakeside.load(LABOR)
    day = days.today() + timedelta(days=30)
    remember(lakeside.bench.lake, tell(lakeside, today=str(day)), on=day)
    taken_back = msgspec.structs.replace(lakeside.entry(LABOR), raw_uri=first.raw_uri, updated_date=first.updated_date)
    lakeside.bench.lake.registry.save_metadata(taken_back)
    asked(lakeside)
    tell(lakeside, today=str(day))
    assert asked(lakeside) == [f"{days.today():%Y%m%d}-{day:%Y%m%d}"]


def test_a_dataset_that_is_gone_stays_gone_and_widens_no_window(lakeside: Lakeside) -> None:
    for dataset_id in (LABOR, POPULATION):
        lakeside.load(dataset_id)
    table = lakeside.sandbox.tables[LABOR]
    lakeside.sandbox.remove(LABOR)
    day = days.today() + timedelta(days=30)
    found = tell(lakeside, LABOR, POPULATION, today=str(day), each=True)
    remember(lakeside.bench.lake, found, on=day)
    asked(lakeside)
    assert state(tell(lakeside, today=str(day + timedelta(days=1)))) == {LABOR: GONE, POPULATION: UNCHANGED}
    assert asked(lakeside) == [f"{day - LOOK_BACK:%Y%m%d}-{day + timedelta(days=1):%Y%m%d}"]
    lakeside.sandbox.replace(table)
    assert state(tell(lakeside, today=str(day + timedelta(days=1))))[LABOR] == UNCHANGED


def test_a_record_of_comparisons_that_cannot_be_read_counts_as_none(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    (lakeside.home / "registry" / "compared.json").write_bytes(b"\xff")
    remember(lakeside.bench.lake, tell(lakeside), on=days.today())
    assert list(read_compared(lakeside.bench.lake.store)) == [LABOR]


def test_wrong_and_unknown_ids_are_told(lakeside: Lakeside) -> None:
    with pytest.raises(ValidationError, match="ten digits"):
        tell(lakeside, "12")
    with pytest.raises(DataError, match="not registered"):
        tell(lakeside, LABOR)


def test_a_failing_e_stat_is_an_error(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.sandbox.faults.add(Fault(Kind.XML_100, function="getStatsList"))
    with pytest.raises(ApiError):
        tell(lakeside)
