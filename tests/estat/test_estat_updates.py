"""What e-Stat changed of tables that were loaded: told with few requests, never silent where e-Stat gave no answer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ApiError, DataLakeError
from estat_dagster.estat.credit import SERVICE_CREDIT
from estat_dagster.estat.days import date_or_none, day_of
from estat_dagster.estat.models import TableInfo
from estat_dagster.estat.updates import CHANGED, GONE, MAYBE, UNCHANGED, Held, Update, Updates, compare, find_updates
from estat_dagster.sandbox.faults import Fault, FaultPlan, Kind
from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import OK, body
from tests.estat.loopback import Loopback, Reply
from tests.estat.shelf import shelf_table
from tests.estat.small_table import client_of

TODAY = date(2026, 6, 30)
ONE, TWO, THREE = "0000000001", "0000000002", "0000000003"


def held(table_id: str = ONE, updated: str = "2026-01-10", total: int | None = 1, seen: str = "2026-06-01") -> Held:
    return Held(table_id, updated, total, date.fromisoformat(seen), "表")


def ask(
    tables: list[Table], *known: Held, each: bool = False, plan: FaultPlan | None = None
) -> tuple[Updates, list[str]]:
    with Sandbox(tables, faults=plan) as sandbox:
        found = find_updates(client_of(sandbox.base_url), known, today=TODAY, each=each)
        asked = [request.path.rsplit("/", 1)[-1] for request in sandbox.requests]
    assert found.requests == len(asked) or plan
    return found, asked


def states(found: Updates) -> dict[str, str]:
    return {table.id: table.state for table in found.tables}


def test_two_lists_tell_of_any_number_of_datasets():
    tables = [shelf_table(f"{number:010}", updated="2026-01-10") for number in range(1, 41)]
    tables[6] = shelf_table("0000000007", updated="2026-06-20")
    known = [held(table.id) for table in tables]
    found, asked = ask(tables, *known)
    assert asked == ["getStatsList", "getStatsList"]
    assert [table.id for table in found.news] == ["0000000007"]
    assert found.window == "20260601-20260630"
    [news] = found.news
    assert news.what == "updated 2026-01-10 -> 2026-06-20"
    assert (news.held_updated, news.updated, news.held_records, news.records) == ("2026-01-10", "2026-06-20", 1, 1)
    assert SERVICE_CREDIT in found.credit


def test_the_window_begins_when_the_first_of_them_was_seen():
    tables = [shelf_table(ONE, updated="2026-03-05"), shelf_table(TWO, updated="2026-06-20")]
    found, _ = ask(tables, held(ONE, seen="2026-03-01"), held(TWO, seen="2026-06-01"))
    assert states(found) == {ONE: CHANGED, TWO: CHANGED}
    assert found.window == "20260301-20260630"


def test_small_area_tables_are_asked_for_too():
    found, _ = ask([shelf_table(ONE, updated="2026-06-20", small_area=2)], held())
    assert states(found) == {ONE: CHANGED}


def test_more_or_fewer_records_are_a_change_also_under_the_same_date():
    tables = [shelf_table(table, updated="2026-06-10", records=5) for table in (ONE, TWO, THREE)]
    known = [held(ONE, "2026-06-10", 4), held(TWO, "2026-06-10", 5), held(THREE, "2026-06-10", None)]
    found, _ = ask(tables, *(Held(k.id, k.updated_date, k.total_number, date(2026, 6, 12)) for k in known), each=True)
    assert states(found) == {ONE: CHANGED, TWO: UNCHANGED, THREE: UNCHANGED}
    assert found.news[0].what == "records 4 -> 5"


def test_the_count_of_a_filtered_dataset_and_one_that_e_stat_has_not_made_say_nothing():
    assert (
        compare(held(total=None), TableInfo(ONE, "表", updated_date="2026-01-10", overall_total_number=9)).state
        == UNCHANGED
    )
    uncounted = compare(held(total=9), TableInfo(ONE, "表", updated_date="2026-01-10", overall_total_number=0))
    assert (uncounted.state, uncounted.records) == (UNCHANGED, None)


@pytest.mark.parametrize(("seen", "state"), [("2026-06-20", MAYBE), ("2026-06-19", MAYBE), ("2026-06-21", UNCHANGED)])
def test_what_was_loaded_on_the_day_of_its_update_may_have_changed_since(seen: str, state: str):
    found, _ = ask([shelf_table(ONE, updated="2026-06-20")], held(updated="2026-06-20", seen=seen))
    assert states(found) == {ONE: state}
    assert ("that day would not show" in found.tables[0].what) == (state == MAYBE)


def test_a_dataset_is_gone_only_when_e_stat_was_asked_for_it_and_has_none():
    inside, outside = held(ONE, "2026-06-20", seen="2026-06-10"), held(TWO, "2020-01-01", seen="2026-06-10")
    found, asked = ask([], inside, outside)
    assert states(found) == {ONE: GONE, TWO: UNCHANGED}
    assert asked == ["getStatsList", "getStatsList", "getMetaInfo"]
    assert (found.tables[0].updated, found.tables[0].records) == (None, None)
    found, asked = ask([], inside, outside, each=True)
    assert states(found) == {ONE: GONE, TWO: GONE}
    assert asked == ["getMetaInfo", "getMetaInfo"]


def test_a_table_that_a_list_leaves_out_is_asked_for_and_not_lost():
    empty = Reply(body({"GET_STATS_LIST": {"RESULT": {**OK, "STATUS": 1}, "DATALIST_INF": {"NUMBER": 0}}}))
    table = {"@id": ONE, "TITLE": "表", "UPDATED_DATE": "2026-06-25"}
    meta = Reply(body({"GET_META_INFO": {"RESULT": OK, "METADATA_INF": {"TABLE_INF": table}}}))
    with Loopback([empty, empty, meta]) as server:
        found = find_updates(client_of(server.base_url), [held(updated="2026-06-20")], today=TODAY)
    assert states(found) == {ONE: CHANGED}


KINDS = [
    Kind.HTTP_500, Kind.HTTP_503, Kind.TOO_MANY_REQUESTS, Kind.STATUS_200, Kind.STATUS_299, Kind.XML_299, Kind.XML_100,
    Kind.OTHER_TYPE, Kind.INVALID_JSON, Kind.CUT, Kind.INVALID_GZIP, Kind.RESET,
]  # fmt: skip


@pytest.mark.parametrize("function", ["getStatsList", "getMetaInfo"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_failing_e_stat_is_an_error_and_never_no_updates_nor_gone(kind: Kind, function: str):
    plan = FaultPlan([Fault(kind, function=function)])
    with pytest.raises(DataLakeError):
        ask([shelf_table(ONE, updated="2026-06-20")], held(), plan=plan, each=function == "getMetaInfo")


def test_a_failure_that_passes_leaves_no_trace():
    plan = FaultPlan([Fault(Kind.HTTP_503, times=2)])
    found, _ = ask([shelf_table(ONE, updated="2026-06-20")], held(), plan=plan)
    assert states(found) == {ONE: CHANGED}


def test_a_list_that_was_cut_short_is_an_error():
    table = {"@id": TWO, "TITLE": "表", "UPDATED_DATE": "2026-06-25"}
    inf = {"NUMBER": 2, "RESULT_INF": {"FROM_NUMBER": 1, "TO_NUMBER": 2}, "TABLE_INF": table}
    short = Reply(body({"GET_STATS_LIST": {"RESULT": OK, "DATALIST_INF": inf}}))
    with Loopback([short] * 10) as server, pytest.raises(ApiError, match="not whole"):
        find_updates(client_of(server.base_url), [held()], today=TODAY)


def test_nothing_held_asks_nothing():
    found, asked = ask([shelf_table(ONE)])
    assert (found.tables, found.window, asked) == ((), "", [])


def test_a_clock_that_went_back_still_makes_a_window():
    found, _ = ask([shelf_table(ONE, updated="2026-06-30")], held(seen="2026-07-05"))
    assert found.window == "20260630-20260630"
    assert states(found) == {ONE: CHANGED}


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-01-01T14:59:59+00:00", "2026-01-01"),
        ("2026-01-01T15:00:00+00:00", "2026-01-02"),
        ("2026-01-01T15:00:00", "2026-01-02"),
        ("2026-01-01T00:10:00+09:00", "2026-01-01"),
    ],
)
def test_days_are_japans(moment: str, day: str):
    assert day_of(moment) == date.fromisoformat(day)


@pytest.mark.parametrize("text", ["", "2026", "abc", "2026-13-01"])
def test_what_is_no_date_is_none(text: str):
    assert date_or_none(text) is None


days = st.dates(date(2026, 1, 1), TODAY)


@given(st.lists(st.tuples(days, days, st.none() | days), min_size=1, max_size=6))
def test_an_update_after_the_load_is_never_called_unchanged(facts: list[tuple[date, date, date | None]]):
    """Tables loaded on some day, some updated on another; only what was not updated since may be unchanged."""
    known, now, expected = [], [], {}
    for number, (opened, seen, again) in enumerate(facts):
        first, later = min(opened, seen), again if again and again >= seen else None
        table_id = f"{number:010}"
        known.append(Held(table_id, first.isoformat(), 1, seen))
        now.append(TableInfo(table_id, "表", updated_date=(later or first).isoformat(), overall_total_number=1))
        same = later is None or later == first
        expected[table_id] = (MAYBE if first == seen else UNCHANGED) if same else CHANGED
    found = find_updates(Lists(now), known, today=TODAY)  # type: ignore[arg-type]
    assert states(found) == expected


class Lists:
    """Answers getStatsList from tables, by the update window, as e-Stat does."""

    source = "test"

    def __init__(self, tables: list[TableInfo]) -> None:
        self._tables = tables

    def get_list(self, parameters):
        from estat_dagster.estat.listing import ListPage

        first, last = parameters["updatedDate"].split("-")
        kind = parameters["searchKind"] == "1"
        found = [t for t in self._tables if kind and first <= t.updated_date.replace("-", "") <= last]
        return ListPage(len(found), 1 if found else 0, tuple(found))


def test_an_update_says_what_it_is_about():
    gone = compare(held(), None)
    assert gone == Update(ONE, "表", GONE, "e-Stat has no table of this id any more", "2026-01-10", None, 1, None)
    assert (
        compare(
            held(seen=str(date(2026, 1, 10) + timedelta(days=1))), TableInfo(ONE, "新", updated_date="2026-01-10")
        ).state
        == UNCHANGED
    )
