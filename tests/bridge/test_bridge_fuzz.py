"""Calls of every tool with what a model may send, right and wrong: no crash, no traceback, no secret, no broken schema.

Prompts, resources and completions are asked the same way. `make test-mcp` makes thousands of calls;
`FUZZ_CALLS=5000 FUZZ_SEED=7 pytest tests/bridge/test_bridge_fuzz.py` as many as are wanted.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from mcp import Client, MCPError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    Prompt,
    PromptReference,
    ResourceTemplateReference,
    Result,
    Tool,
)

from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from mcp_bridge import following
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.door import Dagster
from mcp_bridge.server import build_server
from tests.bridge.asking_tools import KINDS, MOST_BYTES
from tests.bridge.fake_dagster import FakeDagster
from tests.bridge.reading_lake import APP_ID, LABOR, POPULATION, SSDS
from tests.doors.loader import load

pytestmark = pytest.mark.anyio
CALLS, SEED = int(os.environ.get("FUZZ_CALLS", "250")), int(os.environ.get("FUZZ_SEED", "1"))

IDS: list[Any] = [
    LABOR,
    POPULATION,
    SSDS,
    int(LABOR),
    10101,
    "0009999999",
    "9900000013",
    "12345",
    "",
    "００００",
    -1,
    1e99,
]
WORDS: list[Any] = [
    "", "人口", "収入 AND 東京", "population_data", "labor_data", "dataset_inventory", "2020", "2024-01-01", "basic",
    "lake://tables", "../../etc/passwd", "file:///etc/passwd", "s3://other/bucket", "http://127.0.0.1:1/", "\x00\x1b",
    "'; DROP TABLE labor_data; --", "SELECT * FROM labor_data", "SELECT sum(value) FROM population_data",
    "SELECT * FROM read_csv('/etc/passwd')", "WITH x AS (SELECT 1 a) SELECT * FROM x, x", "DELETE FROM labor_data",
    "SELECT repeat('あ', 100000)", "(((((", "𠮷" * 300, "\u202eevil", "NaN", "null", '{"a": 1}', '["東京"]', "a" * 5000,
    "00000000-0000-0000-0000-000000000000", "eyJ4IjoxfQ", "added", "tokyo", "area", "level:2", "%s%n", "${jndi:ldap://x}",
]  # fmt: skip
NUMBERS: list[Any] = [0, 1, 2, 3, 7, 50, 100, 45, -1, 2**63, 1.5, "3", True, None]
FILTERS: list[Any] = [
    {}, {"cat02": "08"}, {"cat02": ["08", 9]}, {"area": "東京"}, {"time": "2015..2020"}, {"moon": "x"}, {"area": {}},
    {"area": ",".join(["00000"] * 200)}, '{"cat02": "08"}', [], "x", None,
]  # fmt: skip
ODD: list[Any] = [None, [], {}, [[]], {"$ref": "#"}, True, 3.14, "x" * 100, ["a", 1]]


class Fuzzer:
    """Draws arguments from what a tool's schema says, mostly right ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def arguments(self, tool: Tool) -> dict[str, Any]:
        properties, required = tool.input_schema["properties"], tool.input_schema.get("required", [])
        chosen = [name for name in properties if name in required or self.random.random() < 0.4]
        given = {name: self.value(name, properties[name]) for name in chosen}
        if self.random.random() < 0.05:
            given[self.random.choice(["bogus", "uri", "__class__", ""])] = self.random.choice(ODD)
        if given and self.random.random() < 0.05:
            given.pop(self.random.choice(list(given)))
        return given

    def value(self, name: str, schema: dict[str, Any]) -> Any:
        if self.random.random() < 0.07:
            return self.random.choice(ODD)
        if name == "wait_seconds":
            return self.random.choice([0, 0, 0, 1, 99])
        if "enum" in schema:
            return self.random.choice([*schema["enum"], "nothing"])
        if name.endswith("dataset_id"):
            return self.random.choice(IDS)
        kinds = schema.get("type")
        if kinds == "object":
            return self.random.choice([*FILTERS, {"収入": "所得"}])
        if kinds in ("integer", "number"):
            return self.random.choice(NUMBERS)
        if kinds == "boolean":
            return self.random.choice([True, False, "yes", 0])
        return self.random.choice(WORDS)

    def other_request(self, prompts: list[Prompt], templates: list[str]) -> tuple[str, str, dict[str, str]]:
        """Draw a prompt, a resource or a completion: its kind, its name or address, and its arguments."""
        draw = self.random.choice
        kind = draw(["prompt", "resource", "completion"])
        if kind == "resource":
            place = draw([*templates, "lake://tables", "lake://{dataset_id}", "{name}"])
            return kind, re.sub(r"{\w+}", lambda _: quote(self.text(), safe=""), place), {}
        prompt = draw(prompts)
        names = [each.name for each in prompt.arguments or []]
        name = prompt.name if self.random.random() < 0.9 else draw(["", "nothing", "\u202eevil", "x" * 5000])
        if kind == "completion":
            place = draw([name, *templates])
            return kind, place, {draw([*names, *re.findall(r"{(\w+)}", place), "", "bogus"]): self.text()}
        given = {each: self.text(each) for each in names if self.random.random() < 0.85}
        if self.random.random() < 0.05:
            given["bogus"] = self.text()
        return kind, name, given

    def text(self, name: str = "") -> str:
        """Draw a text for a prompt's argument, mostly a right one."""
        right: dict[str, list[Any]] = {"language": ["ja", "en"], "dataset_id": [LABOR, SSDS], "domain": ["labor"]}
        return str(self.random.choice(right.get(name, IDS + WORDS) if self.random.random() < 0.8 else IDS + WORDS))


def judge(tool: Tool, result: Any, hidden: tuple[str, ...]) -> None:
    """See that an answer is one that every client can read, and tells nothing that it must not."""
    words = result.model_dump_json(by_alias=True, exclude_none=True)
    assert len(words.encode()) <= MOST_BYTES
    assert not [secret for secret in hidden if secret in words]
    facts = dict(result.structured_content or {})
    if result.is_error:
        assert set(facts) == {"success", "error", "error_message", "context", "message"}
        assert facts["error"] in KINDS - {"UNKNOWN_ERROR"}, facts
    jsonschema.validate(facts, tool.output_schema or {})  # of errors too: clients of the TypeScript SDK insist on it


@pytest.fixture
async def fuzzed(
    tmp_path: Path, bridge_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Client, FakeDagster]]:
    monkeypatch.setattr(following, "POLL_SECONDS", 0.001)
    load(tmp_path / "lake", bridge_sandbox.base_url, SSDS)
    settings = Settings(app_id=APP_ID, base_url=bridge_sandbox.base_url, lake_home=tmp_path / "lake")
    bridge, dagster = Bridge(settings), FakeDagster()
    bridge.dagster = Dagster(settings, transport=dagster.transport)
    async with Client(build_server(bridge)) as client:
        yield client, dagster


async def test_no_call_breaks_a_tool(
    tmp_path: Path, fuzzed: tuple[Client, FakeDagster], capfd: pytest.CaptureFixture[str]
) -> None:
    (client, dagster), fuzzer = fuzzed, Fuzzer(SEED)
    hidden = (APP_ID, str(tmp_path), "Traceback", "pydantic", "AssertionError", "`estat")
    tools = (await client.list_tools()).tools
    for number in range(CALLS):
        tool = tools[number % len(tools)]
        arguments = fuzzer.arguments(tool)
        if "run_id" in arguments and dagster.runs and fuzzer.random.random() < 0.6:
            arguments["run_id"] = fuzzer.random.choice(list(dagster.runs))
        try:
            judge(tool, await client.call_tool(tool.name, arguments), hidden)
        except Exception as error:
            raise AssertionError(f"call {number}, seed {SEED}: {tool.name} {arguments!r:.2000}") from error
    assert dagster.launched, "no call was right"
    assert APP_ID not in "".join(capfd.readouterr())


async def test_no_prompt_resource_or_completion_breaks(
    tmp_path: Path, fuzzed: tuple[Client, FakeDagster], capfd: pytest.CaptureFixture[str]
) -> None:
    (client, _), fuzzer = fuzzed, Fuzzer(SEED)
    prompts = (await client.list_prompts()).prompts
    templates = [each.uri_template for each in (await client.list_resource_templates()).resource_templates]
    right = 0
    for number in range(CALLS // 2):
        asked = fuzzer.other_request(prompts, templates)
        try:
            code, told = await ask(client, *asked)
        except Exception as error:
            raise AssertionError(f"request {number}, seed {SEED}: {asked!r:.2000}") from error
        right += code == 0
        assert code in (0, INVALID_PARAMS) or (code == INTERNAL_ERROR and '"error": "' in told), asked
        assert not [secret for secret in (APP_ID, str(tmp_path), "Traceback", "`estat") if secret in told], asked
    assert right > CALLS // 20
    assert "Traceback" not in "".join(capfd.readouterr())


async def ask(client: Client, kind: str, name: str, arguments: dict[str, str]) -> tuple[int, str]:
    """Return what a prompt, a resource or a completion is answered with, after the code of the error, if it is one."""
    try:
        return 0, (await answer_to(client, kind, name, arguments)).model_dump_json()
    except MCPError as error:
        return error.code, str(error)


async def answer_to(client: Client, kind: str, name: str, arguments: dict[str, str]) -> Result:
    if kind == "prompt":
        return await client.get_prompt(name, arguments)
    if kind == "resource":
        return await client.read_resource(name)
    is_address = "://" in name
    ref = ResourceTemplateReference(uri=name) if is_address else PromptReference(name=name)
    [(argument, value)] = arguments.items()
    return await client.complete(ref, {"name": argument, "value": value})
