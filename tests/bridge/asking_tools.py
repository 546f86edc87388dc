"""Calls of tools as the tests make them: every answer is checked as every client may check it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
from mcp import Client
from mcp.types import CallToolResult

from tests.bridge import reading_lake

MOST_BYTES = 30_000
SCHEMAS: dict[str, dict[str, Any]] = {}
KINDS = {
    "API_ERROR",
    "NETWORK_ERROR",
    "TIMEOUT_ERROR",
    "STORAGE_ERROR",
    "DATA_ERROR",
    "VALIDATION_ERROR",
    "UNKNOWN_ERROR",
}


async def call(client: Client, tool: str, **arguments: Any) -> tuple[dict[str, Any], str]:
    """Return the structured content and the text of a call that succeeds."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    facts = dict(result.structured_content or {})
    jsonschema.validate(facts, schema := await _schema(client, tool))
    assert set(schema["properties"]) <= set(facts)
    check(result)
    return facts, text_of(result)


async def refused(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return the structured error of a call that fails."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text_of(result)
    facts = dict(result.structured_content or {})
    jsonschema.validate(facts, await _schema(client, tool))  # clients of the TypeScript SDK insist on it
    assert set(facts) == {"success", "error", "error_message", "context", "message"}
    assert facts["success"] is False
    assert facts["error"] in KINDS
    assert facts["message"].endswith("。")
    check(result)
    return facts


async def _schema(client: Client, tool: str) -> dict[str, Any]:
    if not SCHEMAS:
        SCHEMAS.update({each.name: each.output_schema or {} for each in (await client.list_tools()).tools})
    return SCHEMAS[tool]


def text_of(result: CallToolResult) -> str:
    return "".join(getattr(block, "text", "") for block in result.content)


def check(result: CallToolResult) -> None:
    """See that an answer is small and tells no secret, no path of this machine, and hides no control characters."""
    words = result.model_dump_json(by_alias=True, exclude_none=True)
    assert len(words.encode()) <= MOST_BYTES
    for hidden in (reading_lake.APP_ID, str(Path.home()) + "/", "/tmp/", "file://", "Traceback"):
        assert hidden not in words, hidden
    texts = list(_texts(result.structured_content)) + text_of(result).split("\n")
    for each in texts:
        assert all(char.isprintable() or char in "\n\u3000" for char in each), repr(each)


def _texts(node: Any) -> Any:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from (key, *_texts(value))
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
