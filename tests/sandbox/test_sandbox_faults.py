"""Faults: each as a client sees it, and when each happens."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest
import requests
import urllib3

from estat_dagster.errors import ValidationError
from estat_dagster.sandbox.faults import OF_A_PAGE, Fault, FaultPlan, Kind, page_of, parse
from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.server import Sandbox
from tests.sandbox.client import APP_ID, Client

TABLE_ID, TOTAL, SIZE = "9900000099", 10, 4


def ten_records() -> Table:
    years = tuple(Item(f"{year}000000", f"{year}年") for year in range(2001, 2001 + TOTAL))
    cells = [Cell((year.code,), str(100 + place)) for place, year in enumerate(years)]
    facts = {"@id": TABLE_ID, "UPDATED_DATE": "2026-12-31", "OVERALL_TOTAL_NUMBER": None, "TITLE_SPEC": {}}
    return Table(facts, (Axis("time", "年", years),), lambda: cells)


@pytest.fixture
def own():
    with Sandbox([ten_records()]) as running:
        yield running


def page(sandbox: Sandbox, number: int = 1, timeout: float = 0.5, **params) -> requests.Response:
    start = {"startPosition": (number - 1) * SIZE + 1} if number > 1 else {}
    asked = {"appId": APP_ID, "statsDataId": TABLE_ID, "limit": SIZE, **start, **params}
    return requests.get(f"{sandbox.base_url}/json/getStatsData", params=asked, timeout=timeout)


def data(response: requests.Response) -> dict:
    return response.json()["GET_STATS_DATA"]["STATISTICAL_DATA"]


def values(response: requests.Response) -> list[str]:
    return [value["$"] for value in data(response)["DATA_INF"]["VALUE"]]


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "504"])
def test_an_http_error_is_a_web_page(own, kind):
    own.fail(kind)
    response = page(own)
    assert response.status_code == int(kind)
    assert response.headers["Content-Type"] == "text/html;charset=utf-8"
    assert "<html>" in response.text
    assert "Retry-After" not in response.headers


def test_retry_after_is_seconds_or_a_date(own):
    own.fail("429-seconds", seconds=7, times=1)
    own.fail("429-date", seconds=7, times=1)
    assert page(own).headers["Retry-After"] == "7"
    date = page(own).headers["Retry-After"]
    assert date.endswith(" GMT")
    until = parsedate_to_datetime(date).timestamp()
    assert 3 < until - time.time() <= 7


@pytest.mark.parametrize(("kind", "status"), [("status-200", 200), ("status-299", 299)])
def test_a_status_of_the_server_comes_with_http_200_and_no_data(own, kind, status):
    own.fail(kind)
    response = page(own)
    answer = response.json()["GET_STATS_DATA"]
    assert response.status_code == 200
    assert (answer["RESULT"]["STATUS"], set(answer)) == (status, {"RESULT", "PARAMETER"})


@pytest.mark.parametrize(("kind", "code", "status"), [("xml-100", 403, "100"), ("xml-299", 500, "299")])
def test_an_error_may_come_as_xml(own, kind, code, status):
    own.fail(kind)
    response = page(own)
    assert (response.status_code, response.headers["Content-Type"]) == (code, "application/xml;charset=utf-8")
    assert f"<STATUS>{status}</STATUS>" in response.text
    assert "<VALUE" not in response.text


def test_a_body_of_another_type_is_a_web_page_with_http_200(own):
    own.fail("other-type")
    response = page(own)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html;charset=utf-8")
    assert response.text.startswith("<!DOCTYPE html>")


def test_invalid_json_arrives_whole_and_cannot_be_read(own):
    own.fail("invalid-json")
    response = page(own)
    assert response.text.startswith('{"GET_STATS_DATA"')
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def raw(sandbox: Sandbox, encoding: str = "identity") -> urllib3.BaseHTTPResponse:
    """Return an answer before its body is read. A plain body is always as long: its date has a fixed width."""
    pool = urllib3.PoolManager(retries=False, timeout=0.5)
    url = f"{sandbox.base_url}/json/getStatsData?appId=x&statsDataId={TABLE_ID}"
    return pool.request("GET", url, headers={"Accept-Encoding": encoding}, preload_content=False)


def whole_length(sandbox: Sandbox) -> int:
    return len(raw(sandbox).read(decode_content=False))


@pytest.mark.parametrize(("kind", "promised", "least"), [("cut", 0, 0.4), ("length-too-long", 100, 1)])
def test_less_comes_than_content_length_promises(own, kind, promised, least):
    length = whole_length(own)
    own.fail(kind)
    response = raw(own)
    assert int(response.headers["Content-Length"]) == length + promised
    with pytest.raises(urllib3.exceptions.ProtocolError) as caught:
        response.read(decode_content=False)
    missing = caught.value.args[1].expected
    assert least * length <= length + promised - missing <= length


def test_more_comes_than_content_length_promises(own):
    length = whole_length(own)
    own.fail("length-too-short", times=1)
    response = raw(own)
    assert int(response.headers["Content-Length"]) == length - 10
    assert len(response.read(decode_content=False)) == length - 10
    assert whole_length(own) == length


def test_invalid_gzip_unpacks_to_another_value_but_for_its_checksum(own):
    own.fail("invalid-gzip", times=1)
    with pytest.raises(requests.exceptions.ContentDecodingError):
        page(own)
    own.fail("invalid-gzip", times=1)
    response = raw(own, "gzip")
    body = response.read(decode_content=False)
    plain = zlib.decompress(body[10:-8], wbits=-zlib.MAX_WBITS)
    wrong = [value["$"] for value in json.loads(plain)["GET_STATS_DATA"]["STATISTICAL_DATA"]["DATA_INF"]["VALUE"]]
    assert wrong != [str(100 + place) for place in range(TOTAL)]


def test_a_reset_breaks_the_connection(own):
    own.fail("reset")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError), match="reset by peer"):
        page(own)


@pytest.mark.parametrize("kind", ["silent", "stall"])
def test_what_stalls_ends_with_the_patience_of_the_client_or_with_the_sandbox(own, kind):
    own.fail(kind)
    with pytest.raises((requests.Timeout, requests.ConnectionError), match="timed out"):
        page(own)


def test_what_stalls_has_begun_and_what_is_silent_has_not(own):
    own.fail("stall", times=1)
    assert raw(own).status == 200
    own.fail("silent", times=1)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        raw(own)


def test_a_body_that_drips_comes_whole_and_late(own):
    own.fail("drip", seconds=0.4)
    before = time.perf_counter()
    assert len(values(page(own))) == SIZE
    assert time.perf_counter() - before >= 0.4


def test_too_few_and_too_many_records_leave_the_positions(own):
    own.fail("too-few", page=1)
    own.fail("too-many", page=2)
    assert values(page(own, 1)) == ["100", "101", "102"]
    assert data(page(own, 1))["RESULT_INF"] == {"TOTAL_NUMBER": 10, "FROM_NUMBER": 1, "TO_NUMBER": 4, "NEXT_KEY": 5}
    assert values(page(own, 2)) == ["104", "105", "106", "107", "107"]


def test_a_repeated_page_is_the_first_one_with_its_positions_or_without(own):
    first = page(own)
    own.fail("repeated-page", page=2)
    own.fail("repeated-values", page=3)
    assert data(page(own, 2)) == data(first)
    third = data(page(own, 3))
    assert third["DATA_INF"] == data(first)["DATA_INF"]
    assert third["RESULT_INF"] == {"TOTAL_NUMBER": 10, "FROM_NUMBER": 9, "TO_NUMBER": 10}


def test_a_shifted_page_starts_one_record_earlier_and_says_so(own):
    own.fail("shifted-page")
    assert values(page(own, 1)) == ["100", "101", "102", "103"]
    assert values(page(own, 2)) == ["103", "104", "105", "106"]
    assert data(page(own, 2))["RESULT_INF"] == {"TOTAL_NUMBER": 10, "FROM_NUMBER": 4, "TO_NUMBER": 7, "NEXT_KEY": 8}


def test_a_first_page_repeats_nothing(own):
    own.fail("repeated-page", times=1)
    assert values(page(own, 1)) == values(page(own, 2)) == ["100", "101", "102", "103"]


def test_the_total_changes_in_one_answer(own):
    own.fail("total-changes", page=2)
    assert [data(page(own, number))["RESULT_INF"]["TOTAL_NUMBER"] for number in (1, 2, 3)] == [10, 11, 10]


def test_a_replaced_table_stays_replaced(own):
    own.fail("replaced", page=2, times=1)
    before = page(own, 1)
    middle = page(own, 2)
    after = page(own, 1)
    dates = [data(answer)["TABLE_INF"]["UPDATED_DATE"] for answer in (before, middle, after)]
    assert dates == ["2026-12-31", "2027-01-01", "2027-01-01"]
    assert values(before)[1:] == values(after)[1:]
    assert values(before)[0] != values(after)[0]


def test_next_key_and_data_inf_can_be_missing(own):
    own.fail("no-next-key", page=1)
    own.fail("empty-data-inf", page=2)
    assert data(page(own, 1))["RESULT_INF"] == {"TOTAL_NUMBER": 10, "FROM_NUMBER": 1, "TO_NUMBER": 4}
    assert data(page(own, 2))["DATA_INF"] == ""


@pytest.mark.parametrize("kind", sorted(OF_A_PAGE))
def test_faults_of_a_page_leave_other_answers_alone(own, kind):
    client = Client(own.base_url)
    asked = (("getMetaInfo", {}), ("getStatsData", {"cntGetFlg": "Y"}))
    before = [client.ask(function, statsDataId=TABLE_ID, **more)["RESULT"]["STATUS"] for function, more in asked]
    total = client.data(TABLE_ID, cntGetFlg="Y")
    own.fail(kind)
    assert [client.ask(f, statsDataId=TABLE_ID, **more)["RESULT"]["STATUS"] for f, more in asked] == before == [0, 0]
    assert client.data(TABLE_ID, cntGetFlg="Y") == total


def test_a_fault_can_be_limited_to_the_first_requests_to_a_page_and_to_a_function(own):
    own.fail("500", times=2)
    assert [page(own).status_code for _ in range(4)] == [500, 500, 200, 200]
    own.fail("500", page=3)
    assert [page(own, number).status_code for number in (1, 2, 3, 3)] == [200, 200, 500, 500]
    own.fail("503", function="getMetaInfo")
    assert Client(own.base_url).get("getMetaInfo", statsDataId=TABLE_ID).status_code == 503
    assert page(own, 1).status_code == 200


def test_a_healed_sandbox_fails_no_more(own):
    own.fail("500")
    own.heal()
    assert page(own).status_code == 200


def test_a_seed_draws_the_same_faults_whatever_order_the_requests_come_in():
    def failed(numbers: list[int], seed: int = 5) -> Counter[int]:
        plan = FaultPlan([Fault(Kind.HTTP_503, rate=0.5)], seed=seed)
        asked = [{"startPosition": str(number)} for number in numbers]
        return Counter(params["startPosition"] for params in asked if plan.strike("/x", params)[0])

    numbers = list(range(40)) * 2
    assert failed(numbers) == failed(numbers[::-1]) == failed(sorted(numbers))
    assert failed(numbers) != failed(numbers, seed=6)
    assert 20 <= failed(numbers).total() <= 60


def test_faults_at_random_meet_a_server_too():
    plan = FaultPlan([Fault(Kind.HTTP_503, rate=0.5)], seed=1)
    with Sandbox([ten_records()], faults=plan) as own, ThreadPoolExecutor(4) as pool:
        codes = Counter(response.status_code for response in pool.map(lambda _: page(own), range(40)))
    assert set(codes) == {200, 503}


def test_latency_is_waited_side_by_side_and_ends_with_the_sandbox():
    with Sandbox([ten_records()], faults=FaultPlan(latency=0.2)) as own, ThreadPoolExecutor(5) as pool:
        before = time.perf_counter()
        assert {response.status_code for response in pool.map(lambda _: page(own), range(5))} == {200}
        assert 0.2 <= time.perf_counter() - before < 5 * 0.2

    def hang_up() -> None:
        with contextlib.suppress(requests.RequestException):
            page(slow, timeout=30)

    slow = Sandbox([ten_records()], faults=FaultPlan(latency=60)).start()
    asking = threading.Thread(target=hang_up)
    asking.start()
    while not slow.requests:
        time.sleep(0.01)
    slow.stop()
    asking.join(timeout=10)
    assert not asking.is_alive()
    before = time.perf_counter()
    slow.wait(60)
    assert time.perf_counter() - before < 30


@pytest.mark.parametrize(
    ("params", "number"),
    [
        ({}, 1),
        ({"limit": "10"}, 1),
        ({"startPosition": "1", "limit": "10"}, 1),
        ({"startPosition": "10", "limit": "10"}, 1),
        ({"startPosition": "11", "limit": "10"}, 2),
        ({"startPosition": "2", "limit": "1"}, 2),
        ({"startPosition": "100001"}, 2),
        ({"startPosition": "0"}, 1),
        ({"startPosition": "x", "limit": "0"}, 1),
    ],
)
def test_pages_are_counted_from_one(params, number):
    assert page_of(params) == number


def test_jitter_is_drawn_for_each_request():
    plan = FaultPlan(latency=1, jitter=2)
    waits = {plan.strike("/x", {"startPosition": str(number)})[1] for number in range(50)}
    assert len(waits) == 50
    assert 1 <= min(waits) < 1.5 < 2.5 < max(waits) <= 3


@pytest.mark.parametrize(("text", "kind", "rate"), [("503", Kind.HTTP_503, 1), ("too-few:0.25", Kind.TOO_FEW, 0.25)])
def test_a_fault_is_written_as_kind_and_rate(text, kind, rate):
    assert parse(text) == Fault(kind, rate=rate)


@pytest.mark.parametrize("text", ["", "nothing", "503:", "503:x", "503:2", "503:-1", "503:nan", ":0.5"])
def test_what_is_no_fault_is_a_clear_error(text):
    if text == "503:":
        assert parse(text) == Fault(Kind.HTTP_503)
        return
    with pytest.raises(ValidationError, match=r"KIND|:0\.1"):
        parse(text)
