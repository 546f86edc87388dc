"""A conversation with the bridge as a client has it: over stdio, with a lake and a Dagster home of its own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

from estat_dagster.sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parents[2]
APP_ID = "0123456789abcdef-secret-of-the-test"
CLOSED = "http://127.0.0.1:1"


@dataclass
class Place:
    """Where a bridge works: a Dagster home with its lake, and where the data come from."""

    home: Path
    base_url: str
    more: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir(exist_ok=True)
        shutil.copy(ROOT / "dagster.yaml", self.home)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
            "DAGSTER_HOME": str(self.home),
            "DATALAKE_HOME": str(self.home / "lake"),
            "DAGSTER_URL": CLOSED,
            "ESTAT_APP_ID": APP_ID,
            "ESTAT_BASE_URL": self.base_url,
            **self.more,
        }

    def processes(self) -> set[int]:
        """Return the processes that work in this home."""
        wanted, found = f"DAGSTER_HOME={self.home}".encode(), set()
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if wanted in path.read_bytes().split(b"\0"):
                    found.add(int(path.parent.name))
            except (PermissionError, FileNotFoundError, ProcessLookupError):
                continue
        return found


@dataclass
class Talk:
    """Calls tools and keeps all that was said."""

    client: Client
    said: list[str] = field(default_factory=list)
    progress: list[float] = field(default_factory=list)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the structured answer of a call that succeeds."""
        result = await self._call(tool, arguments)
        assert not result.is_error, result.content
        return dict(result.structured_content or {})

    async def refused(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the structured error of a call that is refused."""
        result = await self._call(tool, arguments)
        assert result.is_error, result.content
        facts = dict(result.structured_content or {})
        assert set(facts) == {"success", "error", "error_message", "context", "message"}
        assert facts["message"]
        return facts

    async def ended(self, started: dict[str, Any]) -> dict[str, Any]:
        """Follow a run that was started to its end."""
        while True:
            state = await self.call("get_run", run_id=started["run_id"], wait_seconds=30)
            if state["finished"]:
                return state
            assert state["message"].count(started["run_id"])

    async def _call(self, tool: str, arguments: dict[str, Any]) -> Any:
        self.progress = []

        async def on_progress(done: float, total: float | None, words: str | None) -> None:
            self.progress.append(done)

        result = await self.client.call_tool(tool, arguments, progress_callback=on_progress)
        self.said.append(result.model_dump_json())
        assert self.progress == sorted(set(self.progress))
        assert APP_ID not in self.said[-1]
        assert "Traceback" not in self.said[-1]
        return result


@asynccontextmanager
async def talking(place: Place, *arguments: str, mode: str = "auto") -> AsyncIterator[Talk]:
    """Start a bridge and talk to it."""
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_bridge", *arguments], cwd=ROOT, env=place.environment
    )
    async with Client(parameters, mode=mode, read_timeout_seconds=120) as client:
        yield Talk(client)


def pages_asked(sandbox: Sandbox) -> list[dict[str, str]]:
    """Return the parameters of the requests for records."""
    asked = [dict(seen.params) for seen in sandbox.requests if seen.path.endswith("/getStatsData")]
    return [params for params in asked if params.get("cntGetFlg") != "Y" and params.get("limit") != "1"]
