"""The bridge's door: a client over stdio, in both eras of the protocol."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

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
        assert tool.input_schema == {"type": "object", "properties": {}, "additionalProperties": False}
        result = await client.call_tool("list_tables", {})
        assert result.structured_content == {"tables": []}
        refused = await client.call_tool("list_tables", {"bogus": 1})
        assert refused.is_error
        assert refused.structured_content["error"] == "VALIDATION_ERROR"
