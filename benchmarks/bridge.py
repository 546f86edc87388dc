"""`python -m benchmarks.bridge [--json]`: the MCP server beside a bare one of the same SDK, its tools, and a load.

Each start is a new process, the two servers in turn; counted are the seconds from the start to the answer of
`initialize`, and of `tools/list`. The tools that only read are called over stdio, with a small lake, a sandbox in the
measuring process, and each first call, which imports, apart. The load is of one dataset, from the call of
`ingest_dataset_complete` to SUCCESS; the Dagster that the bridge starts for it is counted apart.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from estat_dagster.sandbox.server import Sandbox
from mcp_bridge.tools import all_tools

ROOT = Path(__file__).resolve().parents[1]
DATASET, OTHER = "0003005798", "0000010101"
STARTS, CALLS, RATIO_GOAL, BYTES_GOAL = 9, 10, 1.15, 24_000
BARE = """
from mcp.server import MCPServer
server = MCPServer("bare", version="1", log_level="WARNING")
@server.tool()
def nothing() -> str:
    return ""
server.run("stdio")
"""
READING: dict[str, dict[str, Any]] = {
    "search_estat_data": {"query": "人口"},
    "apply_keyword_suggestions": {"original_query": "収入", "accepted_keywords": {"収入": "所得"}},
    "list_datasets": {},
    "describe_dataset": {"dataset_id": DATASET},
    "find_codes": {"dataset_id": OTHER, "query": "tokyo"},
    "get_run": {"wait_seconds": 0},
    "list_tables": {},
    "analyze_with_athena": {"custom_query": f"SELECT count(*) AS n FROM labor_data WHERE dataset_id = '{DATASET}'"},
    "compare_snapshots": {"dataset_id": DATASET},
    "load_data_from_s3": {"dataset_id": DATASET},
}
"""The tools that only read, with arguments that succeed after a load of `DATASET`."""


class Server:
    """A server on stdio, asked one thing after another."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._started, self._asked = time.perf_counter(), 0
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.initialize = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "benchmark", "version": "1"},
        }
        self.ask("initialize", self.initialize)
        self.ready = time.perf_counter() - self._started
        self._send({"method": "notifications/initialized"})

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        assert self._process.stdout
        while True:
            answer = json.loads(self._process.stdout.readline())
            if answer.get("id") == self._asked:
                return dict(answer["result"])

    def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the structured answer of a tool."""
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError") and result["structuredContent"]["error"] != "TIMEOUT_ERROR":
            raise SystemExit(f"{tool} failed: {result['structuredContent']}")
        return dict(result["structuredContent"])

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self._process.stdin.flush()


@contextmanager
def place() -> Iterator[dict[str, str]]:
    """Give the environment of a bridge with an empty lake, a Dagster home of its own, and a sandbox."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Sandbox() as sandbox:
        shutil.copy(ROOT / "dagster.yaml", folder)
        compiling = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield compiling | {
            "DAGSTER_HOME": folder,
            "DATALAKE_HOME": f"{folder}/lake",
            "DAGSTER_URL": "http://127.0.0.1:1",
            "ESTAT_APP_ID": "benchmark",
            "ESTAT_BASE_URL": sandbox.base_url,
        }


def measure_starts(environment: dict[str, str], starts: int) -> dict[str, Any]:
    """Return the medians of both servers, and the size of the bridge's list."""
    commands = {"bare": [sys.executable, "-c", BARE], "bridge": [sys.executable, "-m", "mcp_bridge"]}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    size = 0
    for turn in range(starts + 1):
        for name, command in commands.items():
            server = Server(command, environment)
            began = time.perf_counter()
            listed = server.ask("tools/list", {})
            if turn:  # the first start compiles
                seconds[name].append((server.ready, server.ready + time.perf_counter() - began))
            server.close()
            size = len(json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode())
    found: dict[str, Any] = {
        name: {"initialize": statistics.median(a for a, _ in each), "tools/list": statistics.median(b for _, b in each)}
        for name, each in seconds.items()
    }
    ratios = {answer: found["bridge"][answer] / bare for answer, bare in found["bare"].items()}
    return found | {"ratios": ratios, "goal": RATIO_GOAL, "bytes": size, "bytes_goal": BYTES_GOAL}


def measure_load(server: Server) -> tuple[dict[str, float], str]:
    """Return the seconds until Dagster answers, and of loads from the call to SUCCESS; and the last run."""
    no_run = {"run_id": "00000000-0000-0000-0000-000000000000", "wait_seconds": 0}
    began = time.perf_counter()
    while server.ask("tools/call", {"name": "get_run", "arguments": no_run})["structuredContent"]["error"] != (
        "VALIDATION_ERROR"
    ):
        pass
    seconds = {"dagster": time.perf_counter() - began}
    run_id = ""
    for name, arguments in (("first load", {}), ("loading again", {"force": True})):
        began = time.perf_counter()
        run = server.call("ingest_dataset_complete", {"dataset_id": DATASET, "wait_seconds": 45, **arguments})
        state = server.call("get_run", {"run_id": run["run_id"], "wait_seconds": 45})
        seconds[name], run_id = time.perf_counter() - began, run["run_id"]
        if state["status"] != "SUCCESS":
            raise SystemExit(f"The load ended as {state['status']}: {state['errors']}")
    return seconds, run_id


def measure_calls(server: Server, run_id: str, calls: int) -> dict[str, dict[str, float]]:
    """Return of each tool that only reads the seconds of the first call and the median of the others."""
    found = {}
    for tool, arguments in READING.items():
        seconds = []
        for _ in range(calls + 1):
            began = time.perf_counter()
            server.call(tool, arguments | ({"run_id": run_id} if tool == "get_run" else {}))
            seconds.append(time.perf_counter() - began)
        found[tool] = {"first": seconds[0], "median": statistics.median(seconds[1:])}
    return found


def measure(starts: int, calls: int) -> dict[str, Any]:
    """Return everything that is measured, in seconds and bytes."""
    missing = {spec.function.__name__ for spec in all_tools() if spec.read_only} - set(READING)
    if missing:
        raise SystemExit(f"No call is known of {', '.join(sorted(missing))}.")
    with place() as environment:
        started = measure_starts(environment, starts)
        server = Server([sys.executable, "-m", "mcp_bridge"], environment)
        try:
            load, run_id = measure_load(server)
            tools = measure_calls(server, run_id, calls)
        finally:
            server.close()
    return {
        "start": started,
        "load": load,
        "tools": tools,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("mcp", "dagster")},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=STARTS)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.starts, arguments.calls)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    start = found["start"]
    print(f"{found['machine']}, Python {found['python']}, {found['versions']}")
    for name in ("bare", "bridge"):
        print(
            f"  {name:26} initialize {start[name]['initialize']:.3f} s   tools/list {start[name]['tools/list']:.3f} s"
        )
    ratios = start["ratios"]
    print(
        f"  {'ratio':26} initialize {ratios['initialize']:.2f}   tools/list {ratios['tools/list']:.2f}"
        f"   goal: at most {RATIO_GOAL}"
    )
    print(f"  {'tools/list':26} {start['bytes']:,} bytes   goal: fewer than {BYTES_GOAL:,}")
    for name, seconds in found["load"].items():
        print(f"  {name:26} {seconds:.2f} s")
    for name, seconds in found["tools"].items():
        print(f"  {name:26} {1000 * seconds['median']:.0f} ms   first {1000 * seconds['first']:.0f} ms")


if __name__ == "__main__":
    main()
