"""The bridge and the programs of others: the Inspector in strict mode, and a client of the TypeScript SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_bridge.tools import all_tools
from tests.mcp.node_tools import TOOLS, needs_node, node
from tests.mcp.talk import Place

pytestmark = needs_node
INSPECTOR = "node_modules/.bin/mcp-inspector"
NAMES = {spec.function.__name__ for spec in all_tools()}


def bridge(place: Place) -> list[str]:
    """Return the command that starts the bridge in its place."""
    pairs = [f"{name}={value}" for name, value in place.environment.items()]
    return ["/usr/bin/env", "-i", *pairs, sys.executable, "-m", "mcp_bridge"]


def inspect(place: Place, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return node(INSPECTOR, "--cli", *bridge(place), *arguments, "--format", "json", home=home)


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return dict(json.loads(done.stdout[done.stdout.index("{") :]))


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_finds_nothing_wrong_with_the_tools(place: Place, tmp_path: Path, era: str) -> None:
    done = inspect(place, tmp_path, "--protocol-era", era, "--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert {tool["name"] for tool in answer(done)["result"]["tools"]} == NAMES


def test_the_inspector_calls_a_tool_and_sees_its_error(place: Place, tmp_path: Path) -> None:
    right = inspect(place, tmp_path, "--method", "tools/call", "--tool-name", "list_tables")
    assert right.returncode == 0, right.stderr[-2000:]
    call = ("--method", "tools/call", "--tool-name", "describe_dataset", "--tool-args-json", '{"dataset_id": "1"}')
    assert inspect(place, tmp_path, *call).returncode == 5


def test_a_client_of_the_typescript_sdk(place: Place, tmp_path: Path) -> None:
    script = TOOLS / "client.mjs"
    script.write_text((Path(__file__).parent / "node" / "client.mjs").read_text("utf-8"), "utf-8")
    done = node(str(script), *bridge(place), home=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert set(said["tools"]) == NAMES
    assert "人口" in said["found"]
    assert said["wrong"] == {"isError": True, "kind": "VALIDATION_ERROR"}
    assert said["resources"]
    assert said["prompts"]
