"""The guarded web server against real requests: what a stranger, another site, a viewer and an operator can do."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests
import websockets.sync.client as sockets
from click.testing import CliRunner
from websockets.exceptions import ConnectionClosed, InvalidStatus

from estat_dagster.commands.doctor import command as doctor
from estat_dagster.commands.serve import command, read_tokens
from estat_dagster.errors import NetworkError, ValidationError
from estat_dagster.serving.doors import COOKIE, EVERYBODY, Doors, Role
from estat_dagster.settings import Settings
from mcp_bridge.dagster import documents
from mcp_bridge.dagster.door import Connection, Dagster
from tests.ops.serving import OPERATOR, VIEWER, Server, guarded

ADD = (
    'mutation Add { addDynamicPartition(repositorySelector: {repositoryName: "__repository__", '
    'repositoryLocationName: "estat"}, partitionsDefName: "tiny", partitionKey: "%s") { __typename } }'
)
READ = "query Read { version }"
KEYS = (
    '{ assetNodeOrError(assetKey: {path: ["thing"]}) { ... on AssetNode { '
    "partitionKeyConnection(limit: 100, ascending: true) { results } } } }"
)
SUBSCRIBE = "subscription S { locationStateChangeEvents { event { message } } }"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    proxy = ("--proxy-header", "X-Forwarded-User", "--proxy", "127.0.0.1", "--operator", "mariko")
    with guarded(tmp_path_factory.mktemp("guarded") / "home", "--allow-host", "lake.example", *proxy) as running:
        yield running


def keys(server: Server) -> set[str]:
    answer = server.post({"query": KEYS}).json()
    return set(answer["data"]["assetNodeOrError"]["partitionKeyConnection"]["results"])


def test_an_operator_can_read_and_change(server: Server) -> None:
    assert server.post({"query": READ}).json()["data"]["version"]
    done = server.post({"query": ADD % "by-operator"})
    assert done.json()["data"]["addDynamicPartition"]["__typename"] == "AddDynamicPartitionSuccess"
    assert "by-operator" in keys(server)


@pytest.mark.parametrize("token", ["", "wrong", VIEWER[:-1], f"{OPERATOR} "[:5]])
def test_a_stranger_can_neither_read_nor_change(server: Server, token: str) -> None:
    assert server.post({"query": READ}, token).status_code == 401
    assert server.post({"query": ADD % "by-stranger"}, token).status_code == 401
    for path in ("/server_info", "/", "/graphql", "/logs/x/y", "/download_debug/x"):
        assert server.get(path, token).status_code == 401
    assert "by-stranger" not in keys(server)


@pytest.mark.parametrize("role", [OPERATOR, VIEWER])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nothing_changes_by_get(server: Server, role: str, method: str) -> None:
    query = urlencode({"query": ADD % "by-get"})
    twice = urlencode([("query", READ), ("query", ADD % "by-get")])
    hidden = urlencode({"query": f"{READ} {ADD % 'by-get'}", "operationName": "Add"})
    for given in (query, twice, hidden, urlencode({"query": "{"})):
        for path in ("/graphql", "/graphql/"):
            answer = requests.request(
                method, f"{server.url}{path}?{given}", headers={"Authorization": f"Bearer {role}"}, timeout=30
            )
            assert answer.status_code == 405, (path, given)
    assert "by-get" not in keys(server)
    assert server.get(f"/graphql?{urlencode({'query': READ})}", role).json()["data"]["version"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/graphql", ""])
def test_nothing_changes_by_a_form_that_another_site_can_send(server: Server, kind: str) -> None:
    headers = {"Authorization": f"Bearer {OPERATOR}", "Content-Type": kind}
    for body in (json.dumps({"query": ADD % "by-form"}), ADD % "by-form", urlencode({"query": ADD % "by-form"})):
        place = f"{server.url}/graphql?{urlencode({'query': ADD % 'by-form'})}"
        assert requests.post(place, body, headers=headers, timeout=30).status_code == 415
    assert "by-form" not in keys(server)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": "lake.example.evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://lake.example@evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_and_other_names_are_refused_even_with_a_token(server: Server, headers: dict[str, str]) -> None:
    assert server.post({"query": ADD % "by-other"}, **headers).status_code == 403
    assert "by-other" not in keys(server)


@pytest.mark.parametrize("path", ["/healthz", "/login", "/", "/graphql", "/server_info"])
@pytest.mark.parametrize("token", ["", VIEWER])
def test_no_answer_is_shown_in_a_frame_of_another_page(server: Server, path: str, token: str) -> None:
    answer = server.get(path, token, Accept="text/html")
    assert answer.headers["x-frame-options"] == "DENY"
    policies = answer.raw.headers.getlist("content-security-policy")
    assert policies[-1] == "frame-ancestors 'none'"
    assert ("script-src" in policies[0]) == (bool(token) and path == "/"), "Dagster's own policy stays"


def test_whether_it_lives_is_told_to_a_probe_by_whatever_name_and_nothing_else_is(server: Server) -> None:
    assert server.get("/healthz", Host="10.0.0.7:3000").status_code == 200
    assert server.get("/login", Host="10.0.0.7:3000").status_code == 403


def test_the_names_of_the_server_are_let_in(server: Server) -> None:
    assert server.post({"query": READ}, Host="lake.example", Origin="https://lake.example").status_code == 200
    assert server.post({"query": READ}, Origin=server.url).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"query": ADD % "by-viewer"},
        {"query": f"{READ} {ADD % 'by-viewer'}", "operationName": "Add"},
        {"query": f"{READ} {ADD % 'by-viewer'}", "operationName": "Read"},
        {"query": (ADD % "by-viewer").replace("addDynamicPartition", "nothing: addDynamicPartition")},
        [{"query": ADD % "by-viewer"}],
        [{"query": READ}, {"query": ADD % "by-viewer"}],
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
        {"id": "saved-mutation"},
        {"query": "{" * 5_000},
        {"query": None},
        {"query": [ADD % "by-viewer"]},
        "mutation",
    ],
    ids=str,
)
def test_a_viewer_changes_nothing_however_it_is_written(server: Server, body: Any) -> None:
    assert server.post(body, VIEWER).status_code == 403
    assert "by-viewer" not in keys(server)


def test_a_viewer_cannot_hide_a_change_behind_a_second_name_or_in_the_address(server: Server) -> None:
    headers = {"Authorization": f"Bearer {VIEWER}", "Content-Type": "application/json"}
    twice = f'{{"query": {json.dumps(READ)}, "query": {json.dumps(ADD % "by-trick")}}}'
    swapped = f'{{"query": {json.dumps(ADD % "by-trick")}, "query": {json.dumps(READ)}}}'
    for body in (twice, swapped):
        assert requests.post(f"{server.url}/graphql", body, headers=headers, timeout=30).status_code == 403
    for hidden in ("query", "variables", "operationName", "extensions", "", "%71uery", "op=Read&query"):
        place = f"{server.url}/graphql?{hidden}={quote(ADD % 'by-trick')}"
        assert requests.post(place, json={"query": READ}, headers=headers, timeout=30).status_code == 403
    assert "by-trick" not in keys(server)


def test_a_viewer_asks_as_the_pages_of_dagster_do(server: Server) -> None:
    headers = {"Authorization": f"Bearer {VIEWER}"}
    asked = {"operationName": "Read", "variables": {}, "extensions": {}, "query": READ}
    answer = requests.post(f"{server.url}/graphql?op=Read", json=asked, headers=headers, timeout=30)
    assert answer.json()["data"]["version"]
    change = asked | {"query": ADD % "by-page", "operationName": "Add"}
    for name in ("Read", "Add"):
        answer = requests.post(f"{server.url}/graphql?op={name}", json=change, headers=headers, timeout=30)
        assert answer.status_code == 403
    assert "by-page" not in keys(server)


@pytest.mark.parametrize(
    "path", ["/report_asset_materialization/thing", "/report_asset_check/x", "/report_asset_observation/x"]
)
def test_a_viewer_reports_nothing(server: Server, path: str) -> None:
    headers = {"Authorization": f"Bearer {VIEWER}"}
    assert requests.post(f"{server.url}{path}", json={}, headers=headers, timeout=30).status_code == 403
    for method in ("PUT", "DELETE", "PATCH"):
        answer = requests.request(method, f"{server.url}{path}", json={}, headers=headers, timeout=30)
        assert answer.status_code == 405


def test_a_viewer_reads_and_is_shown_that_nothing_can_be_changed(server: Server) -> None:
    asked = {"query": "{ permissions { permission value } version }"}
    values = {p["permission"]: p["value"] for p in server.post(asked, VIEWER).json()["data"]["permissions"]}
    assert values["launch_pipeline_execution"] is False
    assert any(p["value"] for p in server.post(asked, OPERATOR).json()["data"]["permissions"])


def test_a_person_gives_the_token_once_and_a_cookie_goes_on(server: Server) -> None:
    asked = server.get("/", Accept="text/html")
    assert (asked.status_code, asked.headers["location"]) == (303, "/login")
    browser = requests.Session()
    assert "password" in browser.get(f"{server.url}/login", timeout=30).text
    wrong = browser.post(f"{server.url}/login", {"token": "wrong"}, timeout=30)
    assert wrong.status_code == 401
    assert not browser.cookies
    page = browser.post(f"{server.url}/login", {"token": VIEWER}, timeout=60)
    assert '"readOnly":true' in page.text or "__next" in page.text
    [cookie] = browser.cookies
    assert VIEWER not in (cookie.value or "")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"
    assert browser.post(f"{server.url}/graphql", json={"query": READ}, timeout=30).status_code == 200
    assert browser.post(f"{server.url}/graphql", json={"query": ADD % "by-cookie"}, timeout=30).status_code == 403
    foreign = {"Origin": "http://evil.example"}
    assert browser.post(f"{server.url}/graphql", json={"query": READ}, headers=foreign, timeout=30).status_code == 403


def test_a_form_that_is_too_long_for_a_token_is_refused_before_it_has_come(server: Server) -> None:
    name, _, port = server.host.partition(":")
    lines = ("POST /login HTTP/1.1", f"Host: {server.host}", "Content-Length: 300000000", "", f"token={'x' * 20_000}")
    with socket.create_connection((name, int(port)), timeout=30) as stranger:
        stranger.sendall("\r\n".join(lines).encode())
        assert stranger.recv(100).startswith(b"HTTP/1.1 413")


def connect(
    server: Server, token: str, protocols: Sequence[str] = ("graphql-ws",), **headers: str
) -> sockets.ClientConnection:
    given = headers | ({"Authorization": f"Bearer {token}"} if token else {})
    url = server.url.replace("http", "ws")
    return sockets.connect(f"{url}/graphql", additional_headers=given, subprotocols=protocols, origin=None)  # type: ignore[arg-type]


def test_websockets_carry_subscriptions_of_those_who_may_come_in(server: Server) -> None:
    for token in (OPERATOR, VIEWER):
        with connect(server, token) as opened:
            opened.send(json.dumps({"type": "connection_init"}))
            assert json.loads(opened.recv(10))["type"] == "connection_ack"
            opened.send(json.dumps({"type": "start", "id": "1", "payload": {"query": SUBSCRIBE}}))
            opened.send(json.dumps({"type": "connection_init"}))
            assert json.loads(opened.recv(10))["type"] == "connection_ack"


@pytest.mark.parametrize("token", [OPERATOR, VIEWER])
@pytest.mark.parametrize("query", [ADD % "by-socket", READ, f"{SUBSCRIBE} {ADD % 'by-socket'}", "", None])
def test_nothing_else_comes_through_a_websocket(server: Server, token: str, query: str | None) -> None:
    with connect(server, token) as opened:
        opened.send(json.dumps({"type": "connection_init"}))
        opened.recv(10)
        opened.send(json.dumps({"type": "start", "id": "1", "payload": {"query": query}}))
        with pytest.raises(ConnectionClosed):
            opened.recv(10)
    assert "by-socket" not in keys(server)


@pytest.mark.parametrize("token", [OPERATOR, VIEWER])
@pytest.mark.parametrize(
    "message",
    [
        {"type": "subscribe", "id": "1", "payload": {"query": ADD % "by-message"}},
        {"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIBE}},
        {"type": ["start"], "id": "1", "payload": {"query": ADD % "by-message"}},
        [{"type": "start", "id": "1", "payload": {"query": ADD % "by-message"}}],
        {"id": "1", "payload": {"query": ADD % "by-message"}},
    ],
    ids=str,
)
def test_messages_of_another_protocol_end_a_websocket(server: Server, token: str, message: Any) -> None:
    for protocols in (["graphql-ws"], ["graphql-transport-ws", "graphql-ws"]):
        with connect(server, token, protocols) as opened:
            opened.send(json.dumps(message))
            with pytest.raises(ConnectionClosed):
                opened.recv(10)
    assert "by-message" not in keys(server)


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_a_websocket_of_a_stranger_or_another_site_is_not_opened(server: Server, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus):
        connect(server, OPERATOR if headers else "", **headers)


def test_the_person_whom_the_proxy_names_is_a_viewer_or_an_operator(server: Server) -> None:
    read, change = {"query": READ}, {"query": ADD % "by-proxy"}
    assert server.post(read, "").status_code == 401
    assert server.post(read, "", **{"X-Forwarded-User": "kenji"}).status_code == 200
    assert server.post(change, "", **{"X-Forwarded-User": "kenji"}).status_code == 403
    assert server.post(change, "wrong-token", **{"X-Forwarded-User": "mariko"}).status_code == 401
    assert "by-proxy" not in keys(server)
    assert server.post(change, "", **{"X-Forwarded-User": "mariko"}).status_code == 200
    assert "by-proxy" in keys(server)
    stale = {"X-Forwarded-User": "kenji", "Cookie": f"{COOKIE}=of-an-older-token"}
    assert server.post(read, "", **stale).status_code == 200
    assert server.post(change, "", **stale).status_code == 403
    assert server.post(read, "", Cookie=stale["Cookie"]).status_code == 401


@contextlib.asynccontextmanager
async def bridge(server: Server, token: str | None) -> AsyncIterator[Connection]:
    door = Dagster(Settings(dagster_url=server.url, dagster_token=token), may_start=False)
    try:
        yield await door.connect()
    finally:
        await door.close()


@pytest.mark.anyio
async def test_the_bridge_comes_in_with_a_token(server: Server) -> None:
    async with bridge(server, OPERATOR) as connection:
        added = {"repo": connection.repository, "def": "tiny", "key": "by-bridge"}
        answer = await connection.api.ask(documents.ADD_PARTITION, **added)
    assert answer["__typename"] == "AddDynamicPartitionSuccess"
    assert "by-bridge" in keys(server)
    async with bridge(server, VIEWER) as connection:
        with pytest.raises(ValidationError, match="HTTP 403"):
            await connection.api.ask(documents.ADD_PARTITION, **added)
    wrong = "another-token-0123456789"
    with pytest.raises(ValidationError, match="HTTP 401") as caught:
        async with bridge(server, wrong):
            raise AssertionError("it came in")
    assert "DAGSTER_TOKEN" in str(caught.value.hint)
    assert wrong not in f"{caught.value} {caught.value.hint} {Settings(dagster_token=wrong)}"
    with pytest.raises(NetworkError, match="No Dagster of this project"):
        async with bridge(server, None):
            raise AssertionError("it came in")


def test_the_doctor_asks_a_guarded_server_with_the_token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_URL", server.url)
    assert "Set DAGSTER_TOKEN" in CliRunner().invoke(doctor).output
    monkeypatch.setenv("DAGSTER_TOKEN", VIEWER)
    words = CliRunner().invoke(doctor).output
    assert f"at {server.url}" in words
    assert VIEWER not in words


def test_a_proxy_is_believed_from_its_address_alone() -> None:
    doors = Doors(proxy_header="X-User", proxies=frozenset({"10.0.0.1"}), operators=frozenset({"mariko"}))
    assert doors.role_of_proxy("10.0.0.1", "mariko") is Role.OPERATOR
    assert doors.role_of_proxy("10.0.0.2", "mariko") is None
    assert doors.role_of_proxy("10.0.0.1", "") is None
    assert Doors(proxies=frozenset({"10.0.0.1"})).role_of_proxy("10.0.0.1", "mariko") is None


@pytest.mark.parametrize(
    ("operators", "role"), [([], Role.VIEWER), (["mariko"], Role.VIEWER), ([EVERYBODY], Role.OPERATOR)]
)
def test_whom_nobody_named_an_operator_is_a_viewer(operators: list[str], role: Role) -> None:
    doors = Doors(proxy_header="X-User", proxies=frozenset({"10.0.0.1"}), operators=frozenset(operators))
    assert doors.role_of_proxy("10.0.0.1", "kenji") is role


def test_a_server_that_could_not_be_safe_or_find_its_code_is_not_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ValidationError, match="5 characters"):
        read_tokens({"ESTAT_WEB_TOKEN": "short"})
    with pytest.raises(ValidationError, match="same token"):
        read_tokens({"ESTAT_WEB_TOKEN": OPERATOR, "ESTAT_WEB_VIEWER_TOKEN": OPERATOR})
    done = CliRunner().invoke(command, ["--proxy-header", "X-User"])
    assert isinstance(done.exception, ValidationError)
    assert "--proxy" in str(done.exception)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    done = CliRunner().invoke(command, [])
    assert isinstance(done.exception, ValidationError)
    assert "workspace.yaml" in str(done.exception)
    with pytest.raises(ValidationError, match="DAGSTER_TOKEN") as caught:
        Settings.from_env({"DAGSTER_TOKEN": "two\r\nlines"})
    assert "lines" not in f"{caught.value} {caught.value.hint}"
