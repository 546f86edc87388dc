"""The bridge as a process: how it ends, what it leaves behind, and what it writes where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from estat_dagster.errors import RequestTimeoutError
from estat_dagster.settings import Settings
from mcp_bridge.dagster.door import Dagster
from tests.mcp.talk import APP_ID, ROOT, Place
from tests.mcp.test_mcp_conversation import gone

NO_RUN = "00000000-0000-0000-0000-000000000000"
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


@contextmanager
def bridge(place: Place) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mcp_bridge"],
        cwd=ROOT,
        env=place.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(place.home / "stderr").open("w"),
        text=True,
    )
    try:
        ask(process, "initialize", INITIALIZE)
        say(process, "notifications/initialized", {})
        yield process
    finally:
        process.kill()
        process.wait()


def say(process: subprocess.Popen[str], method: str, params: dict[str, Any], **more: Any) -> None:
    assert process.stdin
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}) + "\n")
    process.stdin.flush()


def ask(process: subprocess.Popen[str], method: str, params: dict[str, Any]) -> dict[str, Any]:
    say(process, method, params, id=1)
    assert process.stdout
    while True:
        answer = json.loads(process.stdout.readline())
        if answer.get("id") == 1:
            return dict(answer["result"])


def with_a_dagster(process: subprocess.Popen[str]) -> None:
    """Call a tool until the bridge has started a Dagster."""
    for _ in range(12):  # each waits; a busy machine takes minutes to start three services
        result = ask(process, "tools/call", {"name": "get_run", "arguments": {"run_id": NO_RUN}})
        if result["structuredContent"]["error"] == "VALIDATION_ERROR":
            return
    raise AssertionError(f"Dagster did not start: {result}")


@pytest.mark.parametrize("ending", ["eof", "SIGTERM", "SIGINT", "SIGKILL"])
def test_the_bridge_and_its_dagster_end_however_it_ends(place: Place, ending: str) -> None:
    with bridge(place) as process:
        with_a_dagster(process)
        assert len(place.processes()) > 2
        if ending == "eof":
            assert process.stdin
            process.stdin.close()
        else:
            process.send_signal(getattr(signal, ending))
        code = process.wait(10)
        assert code == (-signal.SIGKILL if ending == "SIGKILL" else 0)
    assert gone(place)
    lines = (place.home / "stderr").read_text("utf-8").splitlines()
    assert all({"timestamp", "level", "message"} <= set(json.loads(line)) for line in lines)
    assert APP_ID not in (place.home / "stderr").read_text("utf-8")


@pytest.mark.parametrize("ending", ["eof", "SIGTERM", "SIGINT"])
def test_a_call_in_progress_does_not_keep_it(place: Place, sandbox: Any, ending: str) -> None:
    with bridge(place) as process:
        sandbox.fail("silent", seconds=60)
        arguments = {"name": "describe_dataset", "arguments": {"dataset_id": "0003005798"}}
        say(process, "tools/call", arguments, id=7)
        while not sandbox.requests:
            time.sleep(0.05)
        began = time.monotonic()
        if ending == "eof":
            assert process.stdin
            process.stdin.close()
        else:
            process.send_signal(getattr(signal, ending))
        assert process.wait(20) == 0
        assert time.monotonic() - began < 15


def test_a_keeper_that_is_killed_takes_its_services_along(place: Place) -> None:
    with bridge(place) as process:
        with_a_dagster(process)
        [keeper] = [pid for pid in place.processes() if b"keeper" in cmdline(pid)]
        os.kill(keeper, signal.SIGKILL)
        end = time.monotonic() + 60
        while place.processes() != {process.pid} and time.monotonic() < end:
            time.sleep(0.2)
        assert place.processes() == {process.pid}
        with_a_dagster(process)
    assert gone(place)


@pytest.mark.anyio
async def test_a_dagster_that_needs_longer_than_a_call_goes_on_starting(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    door, keepers = Dagster(Settings.from_env()), set()
    try:
        for _ in range(600):
            keepers |= {pid for pid in place.processes() - {os.getpid()} if b"dagster.keeper" in cmdline(pid)}
            with suppress(RequestTimeoutError):
                await door.connect(0.5)
                break
        else:
            raise AssertionError("Dagster did not start")
    finally:
        await door.close()
    assert len(keepers) == 1
    assert gone(place)


def cmdline(pid: int) -> bytes:
    with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123  of a process that may end meanwhile
        return file.read()
