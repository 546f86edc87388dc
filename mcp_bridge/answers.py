"""What tools answer: typed facts, and the same facts in short text."""

from __future__ import annotations

from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel


class Answer(BaseModel):
    """The base of every tool's answer. Its fields are the structured content and the output schema."""

    def text(self) -> str:
        """Return the facts in short text."""
        return self.model_dump_json()


def to_result(answer: Answer) -> CallToolResult:
    """Return an answer as MCP sends it."""
    return CallToolResult(
        content=[TextContent(type="text", text=answer.text())], structured_content=answer.model_dump(mode="json")
    )
