"""The HTTP door: who is let in, and where the bridge refuses to listen."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from estat_dagster.errors import ValidationError
from estat_dagster.sandbox.server import Sandbox
from mcp_bridge.http import TOKEN_VARIABLE, Door, TokenGuard

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-test-that-is-long-enough"


@contextmanager
def serving(home: Path, *arguments: str, token: str = "") -> Iterator[str]:
    """Run the bridge on HTTP; it must end cleanly on SIGTERM, and say no token."""
    environment = os.environ | {"DATALAKE_HOME": str(home / "lake"), TOKEN_VARIABLE: token}
    with subprocess.Popen(
        [sys.executable, "-m", "mcp_bridge", "--http", "--port", "0", *arguments],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        found = re.search(r"http://[^\"]+/mcp", process.stderr.readline())
        assert found
        try:
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=20)
            assert process.returncode == 0
            assert TOKEN not in said


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_client_talks_over_http_with_the_token_and_not_without(tmp_path: Path, mode: str) -> None:
    with serving(tmp_path, token=TOKEN) as url:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=120) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            assert not (await client.call_tool("list_tables", {})).is_error
        async with httpx2.AsyncClient() as stranger:
            refused = await stranger.post(url, json={})
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert refused.content == b""


async def test_a_call_in_progress_does_not_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox:
        monkeypatch.setenv("ESTAT_BASE_URL", sandbox.base_url)
        sandbox.fail("silent", seconds=60)
        with serving(tmp_path) as url:
            async with httpx2.AsyncClient(timeout=120) as http, anyio.create_task_group() as group:
                group.start_soon(_describe, http, url)
                while not sandbox.requests:
                    await anyio.sleep(0.05)
                group.cancel_scope.cancel()


async def _describe(http: httpx2.AsyncClient, url: str) -> None:
    async with Client(streamable_http_client(url, http_client=http)) as client:
        await client.call_tool("describe_dataset", {"dataset_id": "0003005798"})


async def test_no_web_page_can_talk_to_a_bridge_on_loopback(tmp_path: Path) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    with serving(tmp_path) as url:
        async with httpx2.AsyncClient() as http:
            assert (await http.post(url, json=body, headers={"Host": "evil.example"})).status_code == 421
            assert (await http.post(url, json=body, headers={"Origin": "https://evil.example"})).status_code == 403
            assert (await http.post(url, content="x", headers={"Content-Type": "text/plain"})).status_code >= 400


@pytest.mark.parametrize(
    ("host", "token", "names"),
    [
        ("0.0.0.0", None, ()),
        ("::", None, ("bridge.example",)),
        ("192.0.2.1", None, ()),
        ("bridge.example", None, ()),
        ("0.0.0.0", TOKEN, ()),
        ("127.0.0.1", "short", ()),
    ],
)
def test_a_door_that_would_stand_open_is_refused(host: str, token: str | None, names: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Door(host, token=token, names=names)


def test_the_command_says_why_it_refuses() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_bridge", "--http", "--host", "0.0.0.0"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: 0.0.0.0 is not loopback")
    assert done.stdout == ""


def test_only_the_names_that_were_said_are_let_in() -> None:
    security = Door("0.0.0.0", token=TOKEN, names=("bridge.example",)).security()
    assert security.enable_dns_rebinding_protection
    assert security.allowed_hosts == ["bridge.example", "bridge.example:*"]
    assert "https://bridge.example" in security.allowed_origins
    assert Door("192.0.2.1", token=TOKEN).security().allowed_hosts == ["192.0.2.1", "192.0.2.1:*"]
    assert Door("2001:db8::1", token=TOKEN).security().allowed_hosts == ["[2001:db8::1]", "[2001:db8::1]:*"]
    assert Door("::1").is_loopback
    assert Door("localhost").is_loopback


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"Bearer wrong")],
        [(b"authorization", f"Basic {TOKEN}".encode())],
        [(b"authorization", f"Bearer {TOKEN}".encode()), (b"authorization", b"Bearer wrong")],
        [(b"authorization", f"Bearer {TOKEN}x".encode())],
        [(b"authorization", "Bearer é".encode("latin-1"))],
    ],
)
async def test_the_guard_lets_nothing_through(headers: list[tuple[bytes, bytes]]) -> None:
    sent = []

    async def inside(*_: object) -> None:
        raise AssertionError("let in")

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    for kind in ("http", "websocket"):
        await TokenGuard(inside, TOKEN)({"type": kind, "headers": headers}, inside, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 401
