"""The client against a real server: which answers are asked for again, how often, after which waits."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable

import pytest

from estat_dagster.errors import ApiError, DataError, DataLakeError, NetworkError, RequestTimeoutError
from estat_dagster.estat.client import EstatClient, Patience
from tests.estat.answers import TABLE_ID, WEB_PAGE, body, refusal, stats_data
from tests.estat.loopback import CUT, RESET, SILENT, STALLED, Loopback, Reply, packed

GOOD = packed(body(stats_data([{"@time": "2020", "$": "1"}])))
XML = "<GET_STATS_DATA><RESULT>\n <STATUS>{}</STATUS><ERROR_MSG>理由</ERROR_MSG></RESULT></GET_STATS_DATA>"
GZIP = {"Content-Encoding": "gzip"}


def xml(status: int) -> bytes:
    return XML.format(status).encode()


class Asking:
    """A client of a server, the waits that it wanted, and when."""

    def __init__(self, base_url: str, *, tries: int = Patience.tries, read_timeout: float = 0.1) -> None:
        self.waits: list[float] = []
        self.moments: list[float] = []
        patience = Patience(tries=tries, connect_timeout=5, read_timeout=read_timeout, sleep=self._note)
        self.client = EstatClient("secret-app-id", base_url, patience=patience)

    def _note(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.moments.append(time.perf_counter())

    def page(self):
        return self.client.get_page({"statsDataId": TABLE_ID})


MENDABLE = {
    "STATUS 299 in JSON": Reply(refusal(299)),
    "STATUS 200 in JSON": Reply(refusal(200)),
    "STATUS 299 in XML": Reply(xml(299), status=500),
    "a web page with HTTP 200": Reply(WEB_PAGE),
    "a web page with HTTP 403": Reply(WEB_PAGE, status=403),
    "an empty body": Reply(b""),
    "half of a JSON": Reply(gzip.decompress(GOOD.body)[:100]),
    "gzip that is none": Reply(b"not gzip", headers=GZIP),
    "gzip cut short": Reply(GOOD.body[:50], headers=GZIP),
    "gzip with a wrong check sum": Reply(GOOD.body[:-8] + b"\0" * 8, headers=GZIP),
    "gzip with one byte changed": Reply(GOOD.body[:40] + b"\xff" + GOOD.body[41:], headers=GZIP),
    "a body cut short": Reply(GOOD.body, headers=GZIP, fault=CUT),
    "a reset connection": Reply(fault=RESET),
    "silence": Reply(fault=SILENT),
    "silence after half of the body": Reply(GOOD.body, headers=GZIP, fault=STALLED),
    **{f"HTTP {status}": Reply(WEB_PAGE, status=status) for status in (408, 429, 500, 502, 503, 504)},
    "HTTP 429 in a gateway's JSON": Reply(b'{"message":"Too Many Requests"}', status=429),
}

FINAL = {
    **{f"STATUS {status} in JSON": Reply(refusal(status)) for status in (100, 101, 102, 300)},
    "STATUS 101 in XML": Reply(xml(101), status=400),
    "STATUS 100 in XML": Reply(xml(100), status=403),
    "HTTP 404": Reply(WEB_PAGE, status=404),
}


@pytest.mark.parametrize("fault", MENDABLE)
def test_what_a_retry_can_mend_is_asked_again(fault: str):
    with Loopback([MENDABLE[fault], MENDABLE[fault], GOOD]) as server:
        asking = Asking(server.base_url)
        answer, page = asking.page()
    assert page.values == b'[{"@time":"2020","$":"1"}]'
    assert answer.wire == GOOD.body
    assert len(server.requests) == 3
    assert len(asking.waits) == 2


@pytest.mark.parametrize("fault", FINAL)
def test_what_no_retry_can_mend_is_asked_once(fault: str):
    with Loopback([FINAL[fault], GOOD]) as server:
        asking = Asking(server.base_url)
        with pytest.raises(ApiError) as caught:
            asking.page()
    assert len(server.requests) == 1
    assert asking.waits == []
    assert not caught.value.can_retry
    assert caught.value.hint


def test_an_answer_that_is_e_stats_and_makes_no_sense_is_asked_once():
    nonsense = Reply(body({"GET_STATS_DATA": {"RESULT": {"STATUS": 0}, "STATISTICAL_DATA": 5}}))
    with Loopback([nonsense, GOOD]) as server, pytest.raises(DataError):
        Asking(server.base_url).page()
    assert len(server.requests) == 1


KINDS = [
    (Reply(refusal(299)), ApiError, 299),
    (Reply(WEB_PAGE, status=503), ApiError, 503),
    (Reply(fault=RESET), NetworkError, None),
    (Reply(GOOD.body, headers=GZIP, fault=CUT), NetworkError, None),
]


@pytest.mark.parametrize(("reply", "kind", "status"), KINDS)
def test_after_five_tries_the_last_error_is_raised(reply: Reply, kind: type[DataLakeError], status: int | None):
    with Loopback([reply] * 5 + [GOOD]) as server:
        asking = Asking(server.base_url)
        with pytest.raises(kind) as caught:
            asking.page()
    assert len(server.requests) == 5
    assert getattr(caught.value, "status", None) == status
    for number, wait in enumerate(asking.waits):
        assert 2**number <= wait <= 2**number + 1, "1, 2, 4, 8 s and up to a second more"
    assert len(asking.waits) == 4


def test_after_a_timeout_the_next_one_is_longer():
    with Loopback([Reply(fault=SILENT)] * 4) as server:
        asking = Asking(server.base_url, tries=4, read_timeout=0.05)
        with pytest.raises(RequestTimeoutError, match="did not answer getStatsData in time"):
            asking.page()
        end = time.perf_counter()
    tries = [later - before for before, later in zip(asking.moments, [*asking.moments[1:], end], strict=True)]
    assert all(tried >= 0.05 * 2**number for number, tried in enumerate(tries, start=1))


def test_a_port_where_nobody_listens_is_tried_five_times():
    with Loopback([]) as server:
        url = server.base_url
    asking = Asking(url)
    with pytest.raises(NetworkError, match="could not be reached for getStatsData"):
        asking.page()
    assert len(asking.waits) == 4


@pytest.mark.parametrize(("after", "least"), [("30", 30), ("0", 1), ("soon", 1), ("-5", 1), ("", 1)])
@pytest.mark.parametrize("content", [WEB_PAGE, b'{"message":"Too Many Requests"}'])
def test_retry_after_is_obeyed(after: str, least: float, content: bytes):
    with Loopback([Reply(content, status=429, headers={"Retry-After": after}), GOOD]) as server:
        asking = Asking(server.base_url)
        asking.page()
    [wait] = asking.waits
    assert least <= wait <= max(least, 2)


def test_a_body_is_kept_as_it_was_sent_and_packed_where_it_was_not():
    plain = gzip.decompress(GOOD.body)
    with Loopback([GOOD, Reply(plain), Reply(GOOD.body, headers={"Content-Encoding": "GZIP"})]) as server:
        asking = Asking(server.base_url)
        answers = [asking.page()[0] for _ in range(3)]
    assert [answer.body for answer in answers] == [plain] * 3
    assert answers[0].wire == answers[2].wire == GOOD.body
    assert gzip.decompress(answers[1].wire) == plain


def test_every_request_carries_the_application_id_and_asks_for_gzip():
    meta = body({"GET_META_INFO": {"RESULT": {"STATUS": 0}, "METADATA_INF": {"TABLE_INF": {"@id": TABLE_ID}}}})
    found = body(
        {
            "GET_STATS_LIST": {
                "RESULT": {"STATUS": 0},
                "DATALIST_INF": {
                    "NUMBER": 7,
                    "RESULT_INF": {"FROM_NUMBER": 1, "TO_NUMBER": 1},
                    "TABLE_INF": {"@id": "1"},
                },
            }
        }
    )
    count = body(stats_data([], total=1_234_567))
    with Loopback([Reply(meta), Reply(found), Reply(count)]) as server:
        client = Asking(server.base_url + "/").client
        assert client.get_metadata(TABLE_ID).table.id == TABLE_ID
        listed = client.get_list({"searchWord": "人口 AND 東京"})
        assert (listed.total, [table.id for table in listed.tables]) == (7, ["1"])
        assert client.get_count(TABLE_ID) == 1_234_567
    functions = ["getMetaInfo", "getStatsList", "getStatsData"]
    assert [seen.path for seen in server.requests] == [f"/rest/3.0/app/json/{function}" for function in functions]
    assert all(seen.params.pop("appId") == "secret-app-id" for seen in server.requests)
    assert all(seen.headers["Accept-Encoding"] == "gzip" for seen in server.requests)
    assert [seen.params for seen in server.requests] == [
        {"statsDataId": TABLE_ID},
        {"searchWord": "人口 AND 東京"},
        {"statsDataId": TABLE_ID, "cntGetFlg": "Y", "metaGetFlg": "N"},
    ]


READERS: dict[str, Callable[[EstatClient], object]] = {
    "getMetaInfo": lambda client: client.get_metadata(TABLE_ID),
    "getStatsList": lambda client: client.get_list({}),
}


@pytest.mark.parametrize("function", READERS)
def test_the_other_functions_retry_alike(function: str):
    with Loopback([Reply(WEB_PAGE, status=503), Reply(b"{}"), Reply(refusal(299))]) as server:
        asking = Asking(server.base_url, tries=3)
        with pytest.raises(ApiError):
            READERS[function](asking.client)
    assert len(server.requests) == 3
