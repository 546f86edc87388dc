"""The bridge's door: a client over stdio, in both eras of the protocol."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client, StdioServerParameters

from estat_dagster.settings import Settings, project_root
from mcp_bridge.bridge import Bridge
from mcp_bridge.server import build_server

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_client_lists_and_calls_tools_over_stdio(tmp_path: Path, mode: str) -> None:
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_bridge"], cwd=ROOT, env={"DATALAKE_HOME": str(tmp_path)}
    )
    async with Client(parameters, mode=mode) as client:
        [tool] = [tool for tool in (await client.list_tools()).tools if tool.name == "list_tables"]
        assert tool.input_schema["additionalProperties"] is False
        result = await client.call_tool("list_tables", {})
        assert not result.is_error
        refused = await client.call_tool("list_tables", {"bogus": 1})
        assert refused.is_error
        assert refused.structured_content["error"] == "VALIDATION_ERROR"


async def test_the_list_of_tools_is_short_and_every_tool_says_how_it_may_be_treated(tmp_path: Path) -> None:
    server = build_server(Bridge(Settings(lake_home=tmp_path)))
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    assert len(json.dumps(listed, ensure_ascii=False, separators=(",", ":")).encode()) < 24_000
    for tool in listed:
        assert {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} <= set(tool["annotations"])
        assert tool["inputSchema"]["additionalProperties"] is False
        answer = tool["outputSchema"]
        assert answer["anyOf"] == [{"required": list(answer["properties"])}, {"required": ["error"]}]


HEAVY = {
    "boto3",
    "dagster",
    "duckdb",
    "estat_dagster.estat",
    "estat_dagster.lake",
    "estat_dagster.query",
    "estat_dagster.workbench",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "pyiceberg",
    "requests",
    "sqlglot",
}
"""What only a tool needs."""


def test_nothing_heavy_is_imported_before_a_tool_needs_it() -> None:
    who = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    asked = [
        {"id": 1, "method": "initialize", "params": who},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    ]
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "mcp_bridge"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        for message in asked:
            server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            server.stdin.flush()
            if "id" in message:
                assert "result" in json.loads(server.stdout.readline())
        _, imported = server.communicate(timeout=30)
    names = {line.rsplit("|", 1)[-1].strip() for line in imported.splitlines() if line.startswith("import time:")}
    assert "mcp_bridge.tools" in names
    assert not names & HEAVY


def test_no_answer_is_built_before_a_tool_gives_it() -> None:
    code = """
from mcp_bridge.answers import Facts
from mcp_bridge.bridge import Bridge
from mcp_bridge.server import build_server

def kinds(model):
    return [model, *(each for one in model.__subclasses__() for each in kinds(one))]

build_server(Bridge())
built = [each.__name__ for each in kinds(Facts)[1:] if each.__pydantic_complete__]
assert not built, built
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def words(most: int, pattern: str = "") -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most, "pattern": pattern}


EXACT = r"^\d+\.\d+\.\d+\S*$"
REGISTRY = {
    "required": ["$schema", "name", "title", "description", "version", "packages"],
    "properties": {
        "$schema": words(255, r"/schemas/2025-12-11/server\.schema\.json$"),
        "name": words(200, r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"),
        "title": words(100),
        "description": words(100),
        "version": words(255, EXACT),
        "packages": {
            "items": {
                "required": ["registryType", "identifier", "version", "transport"],
                "properties": {
                    "registryType": {"const": "pypi"},
                    "identifier": words(255),
                    "version": words(255, EXACT),
                    "runtimeHint": {"const": "uvx"},
                    "transport": {"const": {"type": "stdio"}},
                    "environmentVariables": {
                        "items": {
                            "required": ["name", "description"],
                            "properties": {
                                "name": words(255),
                                "description": words(255),
                                "isRequired": {"type": "boolean"},
                                "isSecret": {"type": "boolean"},
                            },
                            "additionalProperties": False,
                        }
                    },
                },
                "additionalProperties": False,
            }
        },
    },
    "additionalProperties": False,
}
"""What the registry's schema asks of the parts that server.json has; a key that it does not know is a slip."""


def test_what_the_registry_is_told_is_in_its_form_and_so() -> None:
    told = json.loads((ROOT / "server.json").read_text("utf-8"))
    jsonschema.validate(told, REGISTRY)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [package] = told["packages"]
    assert told["version"] == package["version"] == project["version"]
    assert package["identifier"] == project["name"]
    assert f"<!-- mcp-name: {told['name']} -->" in (ROOT / "README.md").read_text("utf-8")
    known = inspect.getsource(Settings.from_env) + inspect.getsource(project_root)
    assert all(f'"{each["name"]}"' in known for each in package["environmentVariables"])
    secrets = {each["name"] for each in package["environmentVariables"] if each.get("isSecret")}
    assert secrets == {"ESTAT_APP_ID", "DAGSTER_TOKEN"}


@pytest.mark.parametrize("name", ["estat-datalake", "estat-datalake-mcp"])
def test_the_commands_of_the_bridge_start_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    [command] = metadata.entry_points(group="console_scripts", name=name)
    with pytest.raises(SystemExit) as ended:
        command.load()(["--help"])
    assert ended.value.code == 0
    assert "--read-only" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_the_set_up_in_the_readme_is_json_and_names_each_client(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    [server] = [block["mcpServers"]["estat"] for block in blocks if "mcpServers" in block]
    assert server["args"] == ["-m", "mcp_bridge"]
    for place in (".kiro/settings/mcp.json", "claude_desktop_config.json", ".vscode/mcp.json", ".cursor/mcp.json"):
        assert place in text
