"""Answers that never end, waits that a server asks for, and malformed metadata."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ApiError, DataError, RequestTimeoutError
from estat_dagster.estat.client import EstatClient, Patience
from estat_dagster.estat.transport import seconds_to_wait
from tests.estat.answers import TABLE_ID, WEB_PAGE, body, refusal, stats_data
from tests.estat.loopback import Loopback, Reply, packed

GOOD = packed(body(stats_data([{"@time": "2020", "$": "1"}])))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.integers(0, 10**9))
def test_retry_after_may_be_seconds_or_a_date(seconds: int):
    assert seconds_to_wait(f" {seconds} ") == seconds
    later = NOW + timedelta(seconds=seconds % 10**7)
    assert seconds_to_wait(format_datetime(later, usegmt=True), NOW) == seconds % 10**7


def test_a_date_that_is_over_asks_for_no_wait():
    assert seconds_to_wait("Wed, 31 Dec 2025 23:00:00 GMT", NOW) == 0


@given(st.text(max_size=30))
def test_no_header_breaks_it(words: str):
    assert (seconds_to_wait(words) or 0) >= 0


def client_of(base_url: str, waits: list[float], **patience: float) -> EstatClient:
    return EstatClient("id", base_url, patience=Patience(sleep=waits.append, **({"tries": 2} | patience)))  # type: ignore[arg-type]


def test_a_date_in_retry_after_is_waited_for():
    waits: list[float] = []
    after = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    with Loopback([Reply(WEB_PAGE, status=503, headers={"Retry-After": after}), GOOD]) as server:
        client_of(server.base_url, waits).get_page({"statsDataId": TABLE_ID})
    assert 90 < waits[0] <= 101


@pytest.mark.parametrize("answer", [WEB_PAGE, refusal(299)])
def test_a_server_that_asks_for_more_than_five_minutes_is_not_waited_for(answer: bytes):
    waits: list[float] = []
    with Loopback([Reply(answer, status=503, headers={"Retry-After": "301"}), GOOD]) as server:
        with pytest.raises(ApiError) as caught:
            client_of(server.base_url, waits).get_page({"statsDataId": TABLE_ID})
        assert len(server.requests) == 1
    assert waits == []
    assert "301 seconds" in caught.value.hint
    assert caught.value.can_retry, "later"


class Dripping:
    """A server whose body comes a byte at a time and never ends; `length` is its Content-Length."""

    def __init__(self, length: int) -> None:
        self._length, self._socket, self._closing = length, socket.create_server(("127.0.0.1", 0)), threading.Event()
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/rest/3.0/app"

    def __enter__(self) -> Dripping:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._socket.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {self._length}\r\n\r\n".encode())
            while not self._closing.wait(0.01):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return


def test_a_body_that_drips_for_ever_is_a_timeout():
    with Dripping(10**9) as server:
        client = client_of(server.base_url, [], tries=2, read_timeout=5, total_timeout=0.1)
        started = time.monotonic()
        with pytest.raises(RequestTimeoutError):
            client.get_page({"statsDataId": TABLE_ID})
    assert time.monotonic() - started < 5, "0.1 s, then 0.2 s"


def test_a_connection_is_used_again():
    with Loopback(lambda params: GOOD) as server:
        client = client_of(server.base_url, [])
        for _ in range(3):
            client.get_page({"statsDataId": TABLE_ID})
        pools = client._transport._session.get_adapter("http://").poolmanager.pools  # type: ignore[attr-defined]
        [pool] = [pools[key] for key in pools.keys()]  # noqa: SIM118
        assert (pool.num_connections, pool.num_requests) == (1, 3)


MALFORMED = {
    "an axis that is a text": {"CLASS_OBJ": ["time"]},
    "axes that are a number": {"CLASS_OBJ": 5},
    "a class that is a text": {"CLASS_OBJ": {"@id": "time", "CLASS": ["2020"]}},
    "classes that are a text": {"CLASS_OBJ": {"@id": "time", "CLASS": "2020"}},
    "two of them": [{"CLASS_OBJ": {}}, {"CLASS_OBJ": {}}],
    "a text": "axes",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_axes_are_a_data_error(case: str):
    meta = {"RESULT": {"STATUS": 0}, "METADATA_INF": {"TABLE_INF": {"@id": TABLE_ID}, "CLASS_INF": MALFORMED[case]}}
    with Loopback([Reply(body({"GET_META_INFO": meta}))]) as server, pytest.raises(DataError, match="malformed"):
        client_of(server.base_url, []).get_metadata(TABLE_ID)


@pytest.mark.parametrize("part", [{"METADATA_INF": "x"}, {"METADATA_INF": {"TABLE_INF": ["x"]}}])
def test_a_malformed_table_is_a_data_error(part: dict[str, object]):
    answer = body({"GET_META_INFO": {"RESULT": {"STATUS": 0}, **part}})
    with Loopback([Reply(answer)]) as server, pytest.raises(DataError, match="malformed"):
        client_of(server.base_url, []).get_metadata(TABLE_ID)


def test_what_e_stat_says_in_xml_is_read_with_its_entities_and_without_the_app_id():
    xml = (
        "<GET_STATS_DATA><RESULT><STATUS>102</STATUS><ERROR_MSG>&lt;値&gt; appId=secret</ERROR_MSG></RESULT>"
        "</GET_STATS_DATA>"
    )
    with Loopback([Reply(xml.encode(), status=400)]) as server, pytest.raises(ApiError) as caught:
        client_of(server.base_url, []).get_page({"statsDataId": TABLE_ID})
    assert caught.value.message == "e-Stat refused the request (STATUS 102): <値> appId=***"
