"""Fetching from a server that misbehaves: complete or nothing, side by side, and never more at once than allowed."""

from __future__ import annotations

import threading

import pytest

from estat_dagster.errors import ApiError, DataError, DataLakeError, NetworkError
from estat_dagster.estat.fetch import RESTARTS, FetchPlan, fetch_dataset
from tests.estat.answers import TABLE_ID, WEB_PAGE, body, refusal, stats_data
from tests.estat.loopback import RESET, Loopback, Reply, packed
from tests.estat.small_table import MemorySink, client_of

TOTAL, SIZE = 10, 3
STARTS = (1, 4, 7, 10)


def records(start: int, end: int) -> list[dict[str, str]]:
    return [{"@time": "2020", "$": str(number)} for number in range(start, end + 1)]


def whole(start: int, **parts: object) -> Reply:
    """Return the page that a good server sends; `parts` are of STATISTICAL_DATA."""
    return packed(body(stats_data(records(start, min(start + SIZE - 1, TOTAL)), total=TOTAL, start=start, **parts)))


def inf(start: int, end: int, total: int = TOTAL) -> dict[str, int]:
    return {"TOTAL_NUMBER": total, "FROM_NUMBER": start, "TO_NUMBER": end}


def serve(odd: dict[int, Reply] | None = None) -> Loopback:
    """Return a server of the table with some pages replaced, by their positions."""
    replies = {start: whole(start) for start in STARTS} | (odd or {})
    return Loopback(lambda params: replies[int(params.get("startPosition", 1))])


def fetch(server: Loopback, sink: MemorySink, at_once: int = 2):
    return fetch_dataset(client_of(server.base_url, "test"), TABLE_ID, {}, sink, FetchPlan(SIZE, at_once))


def test_a_good_server_gives_every_record_once():
    sink = MemorySink()
    with serve() as server:
        manifest = fetch(server, sink)
    assert sink.records(manifest) == records(1, TOTAL)
    assert sink.removed == []


KNOWN = {"@id": TABLE_ID, "UPDATED_DATE": "2026-01-01"}
UPDATED = KNOWN | {"UPDATED_DATE": "2027-01-01"}
BROKEN = {
    "a page with a record less than it says": (
        {4: packed(body(stats_data(records(4, 5), RESULT_INF=inf(4, 6))))},
        DataError,
    ),
    "a page with a record more than it says": (
        {4: packed(body(stats_data(records(4, 7), RESULT_INF=inf(4, 6))))},
        DataError,
    ),
    "a page that stops early and says so": (
        {7: packed(body(stats_data(records(7, 8), RESULT_INF=inf(7, 8))))},
        DataError,
    ),
    "a page that comes again": ({7: whole(4)}, DataError),
    "the first page again": ({4: whole(1), 7: whole(1)}, DataError),
    "a page that says that it starts earlier": ({7: whole(7, RESULT_INF=inf(4, 9))}, DataError),
    "a page that says that it ends earlier": ({7: whole(7, RESULT_INF=inf(7, 8))}, DataError),
    "a page without positions": ({4: whole(4, RESULT_INF={"TOTAL_NUMBER": TOTAL})}, DataError),
    "a page without records": ({4: whole(4, DATA_INF="")}, DataError),
    "a page whose VALUE is no record": ({4: whole(4, DATA_INF={"VALUE": 5})}, DataError),
    "a page of another table": ({4: whole(4, TABLE_INF={**KNOWN, "@id": "0000000002"})}, DataError),
    "a first page that does not say of which table": ({1: whole(1, TABLE_INF={**KNOWN, "@id": ""})}, DataError),
    "a first page that is short": ({1: packed(body(stats_data(records(1, 2), RESULT_INF=inf(1, 3))))}, DataError),
    "a first page that starts later": ({1: whole(4)}, DataError),
    "a last page that is short": ({10: whole(10, DATA_INF={})}, DataError),
    "another TOTAL_NUMBER every time": ({7: whole(7, RESULT_INF=inf(7, 9, total=11))}, DataError),
    "another UPDATED_DATE every time": ({10: whole(10, TABLE_INF=UPDATED)}, DataError),
    "no data after all": ({1: Reply(refusal(1))}, DataError),
    "a refusal in the middle": ({7: Reply(refusal(300))}, ApiError),
    "the records of another page under right positions": (
        {7: packed(body(stats_data(records(4, 6), total=TOTAL, start=7)))},
        DataError,
    ),
    "axes that are none": ({1: whole(1, CLASS_INF={"CLASS_OBJ": ["time"]})}, DataError),
}
PASSING = {
    "trouble that stays": ({10: Reply(WEB_PAGE, status=503)}, ApiError),
    "a server that asks for an hour": ({7: Reply(WEB_PAGE, status=503, headers={"Retry-After": "3600"})}, ApiError),
    "a connection that breaks": ({4: Reply(fault=RESET)}, NetworkError),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_table_that_does_not_come_whole_is_not_kept_at_all(case: str):
    odd, kind = BROKEN[case]
    sink = MemorySink()
    with serve(odd) as server, pytest.raises(kind) as caught:
        fetch(server, sink)
    assert isinstance(caught.value, DataLakeError)
    assert sink.pages == {}
    assert sink.record is None


@pytest.mark.parametrize("case", PASSING)
def test_a_fetch_that_trouble_breaks_off_leaves_its_pages_and_the_next_asks_only_for_the_others(case: str):
    odd, kind = PASSING[case]
    sink = MemorySink()
    with serve(odd) as server, pytest.raises(kind):
        fetch(server, sink, at_once=1)
    left, last = len(sink.pages), next(iter(odd))
    assert left == STARTS.index(last)
    with serve() as server:
        manifest = fetch(server, sink)
        asked = {seen.params.get("startPosition") for seen in server.requests}
        assert asked == {str(start) for start in STARTS if start >= last}
        assert len(server.requests) == len(asked)
    assert sink.records(manifest) == records(1, TOTAL)
    assert set(sink.pages) == {entry.file for entry in manifest.pages}
    assert sink.record is None


def test_a_page_that_is_not_whole_is_said_with_its_numbers():
    short = packed(body(stats_data(records(4, 5), RESULT_INF=inf(4, 6))))
    words = "asked for records 4 to 6, it says 4 to 6 and holds 2"
    with serve({4: short}) as server, pytest.raises(DataError, match=words):
        fetch(server, MemorySink())


def test_a_change_that_never_settles_is_fetched_a_few_times():
    with serve({7: whole(7, RESULT_INF=inf(7, 9, total=11))}) as server:
        with pytest.raises(DataError, match="replaced the table"):
            fetch(server, MemorySink(), at_once=1)
        firsts = [seen for seen in server.requests if "startPosition" not in seen.params]
    assert len(firsts) == RESTARTS


def test_a_page_that_arrives_after_the_failure_is_taken_back_too():
    refused, late = threading.Event(), []

    def script(params: dict[str, str]) -> Reply:
        start = int(params.get("startPosition", 1))
        if start == 4:
            refused.set()
            return Reply(refusal(300))
        if start == 7:
            assert refused.wait(10)
        return whole(start)

    sink = MemorySink(late.append)
    with Loopback(script) as server, pytest.raises(ApiError):
        fetch(server, sink)
    assert sink.pages == {}
    assert set(sink.removed) == set(late)


def test_pages_are_asked_for_side_by_side():
    meeting = threading.Barrier(3, timeout=10)

    def script(params: dict[str, str]) -> Reply:
        if "startPosition" in params:
            meeting.wait()
        return whole(int(params.get("startPosition", 1)))

    with Loopback(script) as server:
        manifest = fetch(server, MemorySink(), at_once=3)
    assert [entry.from_number for entry in manifest.pages] == list(STARTS)


@pytest.mark.parametrize("at_once", [1, 2])
def test_never_more_at_once_than_the_plan_says(at_once: int):
    room, too_many = threading.Semaphore(at_once), threading.Event()

    def script(params: dict[str, str]) -> Reply:
        if not room.acquire(blocking=False):
            too_many.set()
            return whole(1)
        too_many.wait(0.1)  # long enough for one too many to come
        room.release()
        return whole(int(params.get("startPosition", 1)))

    with Loopback(script) as server:
        fetch(server, MemorySink(), at_once)
    assert len(server.requests) == len(STARTS)
    assert not too_many.is_set()
