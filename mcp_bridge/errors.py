"""Errors as tools answer them: the form of design.md section 7, with what to do next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mcp.types import CallToolResult, TextContent

from estat_dagster.errors import DataLakeError, ValidationError

if TYPE_CHECKING:
    import pydantic


def to_failure(error: DataLakeError) -> CallToolResult:
    """Return an expected failure as MCP sends it."""
    facts = error.to_dict()
    text = json.dumps(facts, ensure_ascii=False, default=str)
    return CallToolResult(
        is_error=True, content=[TextContent(type="text", text=text)], structured_content=json.loads(text)
    )


def wrong_arguments(tool: str, error: pydantic.ValidationError) -> ValidationError:
    """Return pydantic's complaint about a tool's arguments in few words, without the values that were given."""
    complaints = [
        f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False)
    ]
    return ValidationError(
        f"The arguments of {tool} are not right: {'; '.join(complaints)}.", hint="Its input schema says what it takes."
    )
