"""The door: HTTP, starting and stopping, tables that change, what is remembered of requests."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from estat_dagster.errors import ValidationError
from estat_dagster.sandbox.server import Sandbox
from tests.sandbox.client import APP_ID, Client

LABOUR, SINGLE = "0003005798", "9900000013"


@pytest.fixture
def own(sandbox):
    with Sandbox([sandbox.tables[LABOUR], sandbox.tables[SINGLE]]) as running:
        yield running


def test_it_starts_in_a_blink():
    before = time.perf_counter()
    with Sandbox() as running:
        assert Client(running.base_url).status("getStatsList", statsCode="00200531")[0] == 0
    assert time.perf_counter() - before < 1


def test_its_address_is_on_loopback_and_ends_like_the_real_one(own):
    assert own.base_url.startswith("http://127.0.0.1:")
    assert own.base_url.endswith("/rest/3.0/app")


def test_a_port_that_is_taken_is_a_clear_error(own):
    port = int(own.base_url.split(":")[2].split("/")[0])
    with pytest.raises(ValidationError, match=rf"127\.0\.0\.1:{port}.*[Cc]hoose another port"):
        Sandbox(port=port)


@pytest.mark.parametrize("address", [{"port": 70_000}, {"host": "not a host"}])
def test_an_address_that_is_none_is_a_clear_error(address):
    with pytest.raises(ValidationError, match="cannot listen"):
        Sandbox([], **address)


def test_a_sandbox_that_never_ran_can_be_stopped():
    Sandbox([]).stop()


def test_after_it_stops_a_kept_connection_is_closed_and_its_port_is_free(sandbox):
    running = Sandbox([sandbox.tables[SINGLE]]).start()
    client = Client(running.base_url)
    assert client.status("getMetaInfo", statsDataId=SINGLE)[0] == 0
    running.stop()
    with pytest.raises(requests.ConnectionError):
        client.get("getMetaInfo", statsDataId=SINGLE)
    port = int(running.base_url.split(":")[2].split("/")[0])
    with Sandbox([sandbox.tables[SINGLE]], port=port):
        assert client.status("getMetaInfo", statsDataId=SINGLE)[0] == 0


def test_one_connection_serves_many_requests_without_delay(own):
    client = Client(own.base_url)
    durations = []
    for _ in range(50):
        before = time.perf_counter()
        client.get("getStatsData", statsDataId=SINGLE)
        durations.append(time.perf_counter() - before)
    assert statistics.median(durations) < 0.03  # an unlucky Nagle delay is 0.04 s


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_the_body_is_gzip_for_who_takes_it_and_its_length_is_right(own, encoding):
    url = f"{own.base_url}/json/getStatsData"
    params = {"appId": APP_ID, "statsDataId": LABOUR}
    response = requests.get(url, params=params, headers={"Accept-Encoding": encoding}, stream=True, timeout=10)
    raw = response.raw.read()
    assert response.headers.get("Content-Encoding", "identity") == encoding
    assert int(response.headers["Content-Length"]) == len(raw)
    assert raw.startswith(b"\x1f\x8b" if encoding == "gzip" else b'{"GET_STATS_DATA"')


def test_a_table_can_be_replaced_while_it_runs(own):
    client = Client(own.base_url)
    table = own.tables[SINGLE]
    own.replace(table.revised(updated="2025-01-31", cells=[table.cells[0]._replace(value="43")]))
    data = client.data(SINGLE)
    assert data["TABLE_INF"]["UPDATED_DATE"] == "2025-01-31"
    assert data["DATA_INF"]["VALUE"]["$"] == "43"
    assert client.ids(updatedDate="20250131") == [SINGLE]
    own.replace(table)
    assert client.data(SINGLE)["DATA_INF"]["VALUE"]["$"] == "42"


def test_a_table_can_be_removed_while_it_runs(own):
    own.remove(SINGLE)
    own.remove("0000000000")
    assert Client(own.base_url).status("getMetaInfo", statsDataId=SINGLE)[0] == 300
    assert Client(own.base_url).ids() == [LABOUR]


def test_the_datasets_of_a_removed_table_go_with_it(own):
    for name, table_id in (("one", SINGLE), ("other", LABOUR)):
        form = {"appId": APP_ID, "statsDataId": table_id, "dataSetId": name, "cdTime": "max"}
        requests.post(f"{own.base_url}/postDataset", data=form, timeout=10)
    own.remove(SINGLE)
    listed = Client(own.base_url).ask("refDataset")["DATASET_LIST_INF"]
    assert listed["DATASET_INF"]["@id"] == "other"


def test_requests_are_remembered_without_the_application_id(own, capfd):
    client = Client(own.base_url)
    client.get("getStatsData", statsDataId=LABOUR, cdTime="max", cdCat02="")
    client.get("nothing")
    seen = list(own.requests)
    assert [request.path for request in seen] == ["/rest/3.0/app/json/getStatsData", "/rest/3.0/app/json/nothing"]
    assert seen[0].params == {"statsDataId": LABOUR, "cdTime": "max"}
    assert APP_ID not in repr(seen)
    assert APP_ID not in "".join(capfd.readouterr())


def test_an_answer_never_holds_the_application_id(client):
    for function in ("getStatsList", "getMetaInfo", "getStatsData"):
        assert APP_ID not in client.get(function, statsDataId=LABOUR).text
        assert APP_ID not in client.get(function, statsDataId="0000000000", lang="X").text


def test_many_clients_at_once_get_the_same_answer(own):
    def values(_):
        return Client(own.base_url).values(LABOUR)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(values, range(36)))
    assert len(answers[0]) == 15
    assert all(answer == answers[0] for answer in answers)


def test_a_client_that_hangs_up_leaves_no_trace(own, capfd):
    host, port = own.base_url.removeprefix("http://").split("/")[0].split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.sendall(b"GET /rest/3.0/app/json/getStatsList?appId=x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert Client(own.base_url).status("getStatsList")[0] == 0
    assert capfd.readouterr().err == ""


def test_other_methods_are_refused(own):
    assert requests.post(f"{own.base_url}/json/getStatsData", data={"appId": APP_ID}, timeout=10).status_code == 405
    assert requests.put(f"{own.base_url}/json/getStatsData", data={"appId": APP_ID}, timeout=10).status_code == 501


def test_it_knows_nothing_of_the_rest_of_the_project():
    program = (
        "import sys; from estat_dagster.sandbox import server; from estat_dagster.sandbox.tables import catalogue;"
        "heavy = ('estat_dagster', 'dagster', 'pyarrow', 'pandas', 'requests');"
        "print(*sorted(name for name in sys.modules if name.startswith(heavy)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    allowed = ("estat_dagster.sandbox", "estat_dagster.errors")
    assert [name for name in run.stdout.split() if name != "estat_dagster" and not name.startswith(allowed)] == []
