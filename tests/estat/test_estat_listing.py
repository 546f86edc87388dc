"""Lists of tables are whole: counted page by page, begun again when they change, never taken for shorter ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ApiError
from estat_dagster.estat.listing import RESTARTS, ListPage, list_tables, parse_list_page
from estat_dagster.estat.models import TableInfo
from tests.estat.answers import OK, body
from tests.estat.loopback import Loopback, Reply
from tests.estat.small_table import client_of
from tests.replay import real_document


def node(tables: Any, *, total: Any = 1, first: Any = 1, last: Any = 1, status: int = 0) -> dict[str, Any]:
    inf = {"NUMBER": total, "RESULT_INF": {"FROM_NUMBER": first, "TO_NUMBER": last}, "TABLE_INF": tables}
    return {"RESULT": {**OK, "STATUS": status}, "DATALIST_INF": inf}


def page(numbers: Sequence[int], *, total: int, first: int) -> Reply:
    tables = [{"@id": f"{number:010}", "TITLE": "表"} for number in numbers]
    return Reply(body({"GET_STATS_LIST": node(tables, total=total, first=first, last=first + len(tables) - 1)}))


class Shelf:
    """Gives a list of tables in pages of some length."""

    def __init__(self, tables: Sequence[TableInfo], most: int) -> None:
        self._tables, self._most, self.asked = tables, most, 0

    def get_list(self, parameters: Any) -> ListPage:
        self.asked += 1
        start = int(parameters.get("startPosition", 1))
        shown = self._tables[start - 1 : start - 1 + self._most]
        return ListPage(len(self._tables), start if shown else 0, tuple(shown), "2026-01-02")


@given(st.integers(0, 40), st.integers(1, 45))
def test_pages_of_any_length_give_the_whole_list_with_the_least_requests(count: int, most: int):
    tables = [TableInfo(f"{number:010}", "表") for number in range(count)]
    shelf = Shelf(tables, most)
    listing = list_tables(shelf, {})
    assert listing.tables == tuple(tables)
    assert listing.requests == shelf.asked == max(1, -(-count // most))


def test_the_pages_follow_one_another():
    with Loopback([page([1, 2], total=3, first=1), page([3], total=3, first=3)]) as server:
        listing = list_tables(client_of(server.base_url), {"searchWord": "人口"})
    assert [table.id[-1] for table in listing.tables] == ["1", "2", "3"]
    assert listing.date == OK["DATE"]
    assert [seen.params.get("startPosition") for seen in server.requests] == [None, "3"]
    assert all(seen.params["searchWord"] == "人口" for seen in server.requests)


def test_a_list_that_changes_meanwhile_is_asked_again_from_the_start():
    script = [page([1, 2], total=3, first=1), page([4], total=4, first=3)]
    with Loopback([*script, page([1, 2], total=4, first=1), page([3, 4], total=4, first=3)]) as server:
        listing = list_tables(client_of(server.base_url), {})
    assert [table.id[-1] for table in listing.tables] == ["1", "2", "3", "4"]
    assert listing.requests == 4


@pytest.mark.parametrize(
    "second",
    [
        page([2], total=3, first=3),
        page([3], total=4, first=3),
        page([1], total=3, first=1),
        page([3], total=3, first=2),
    ],
)
def test_a_list_that_keeps_changing_is_an_error(second: Reply):
    script = [page([1, 2], total=3, first=1), second] * RESTARTS
    with Loopback(script) as server, pytest.raises(ApiError, match="changed or broke off") as caught:
        list_tables(client_of(server.base_url), {})
    assert caught.value.can_retry
    assert len(server.requests) == 2 * RESTARTS


ONE = {"@id": "0000000001", "TITLE": "表"}


@pytest.mark.parametrize(
    "broken",
    [
        node([], total=1),
        node([ONE], total=2, last=2),
        node([ONE, ONE], total=2),
        node([ONE], total=0),
        node([ONE], total=1, first=0, last=0),
        node("", total=0, first=0, last=0),
        node([ONE], total=1, status=1, last=2),
        {"RESULT": OK, "DATALIST_INF": ""},
        {"RESULT": {**OK, "STATUS": 1}, "DATALIST_INF": ""},
        {"RESULT": OK},
    ],
)
def test_a_list_that_is_shorter_than_it_says_is_an_error_that_is_asked_again(broken: dict[str, Any]):
    with pytest.raises(ApiError) as caught:
        parse_list_page(broken)
    assert caught.value.can_retry
    with Loopback([Reply(body({"GET_STATS_LIST": broken})), page([1], total=1, first=1)]) as server:
        assert len(list_tables(client_of(server.base_url), {}).tables) == 1


@pytest.mark.parametrize("inf", [{"NUMBER": 0, "RESULT_INF": ""}, {"NUMBER": "0", "TABLE_INF": ""}])
def test_e_stat_says_itself_that_nothing_is_there(inf: dict[str, Any]):
    found = parse_list_page({"RESULT": {**OK, "STATUS": 1}, "DATALIST_INF": inf})
    assert (found.total, found.tables) == (0, ())


@pytest.mark.parametrize(
    ("name", "total", "here"),
    [("getStatsList_census2015_limit10", 61, 10), ("getStatsList_single_table", 1, 1)],
)
def test_real_lists_are_read_single_or_many(name: str, total: int, here: int):
    found = parse_list_page(real_document(f"{name}.json")["GET_STATS_LIST"])
    assert (found.total, found.first, len(found.tables)) == (total, 1, here)
    assert all(table.id.isdecimal() and len(table.id) == 10 and table.title for table in found.tables)
