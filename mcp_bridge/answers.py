"""What tools answer: typed facts, the same facts in short Japanese text, and pictures where they were asked for.

The fields of an `Answer` are its structured content and its output schema. Its `text` says the same in few lines; those
of data come from `plain.data_line`, so that no cell can pass for the bridge's own words.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from mcp.types import CallToolResult, ContentBlock, ImageContent, TextContent
from pydantic import BaseModel, ConfigDict, PrivateAttr

from mcp_bridge.hiding import map_texts
from mcp_bridge.plain import MARK, NOTICE, clean_lines, data_line

READ_ONLY = "このサーバーは読み取り専用で、取込みはできません。取込みはサーバーの管理者に頼んでください。"


class Facts(BaseModel):
    """The base of what answers hold: a model is built for the first answer, not when the bridge starts."""

    model_config = ConfigDict(defer_build=True)


class Answer(Facts):
    """The base of every tool's answer; `published` are the fields in the output schema, empty for all of them."""

    published: ClassVar[tuple[str, ...]] = ()
    _pictures: list[bytes] = PrivateAttr(default_factory=list)
    _can_load: bool = PrivateAttr(default=True)

    def text(self) -> str:
        """Return the facts in short text."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False)

    def to_load(self, words: str) -> str:
        """Return how to load datasets, or that this server cannot."""
        return words if self._can_load else READ_ONLY


class Source(Facts):
    """Where data is from: dataset, survey, when e-Stat updated it, the lake's snapshot, and the credit due."""

    dataset_id: str
    title: str
    survey: str = ""
    organisation: str = ""
    updated: str = ""
    snapshot_id: str | None = None
    credit: str = ""

    def line(self) -> str:
        """Return it as a line of data."""
        snapshot = [f"snapshot {self.snapshot_id}"] if self.snapshot_id else []
        named = [
            self.dataset_id,
            self.title,
            self.survey,
            self.organisation,
            f"更新 {self.updated or '不明'}",
            *snapshot,
        ]
        return data_line([*filter(None, named), self.credit])


def source_lines(sources: Iterable[Source]) -> list[str]:
    """Return the lines of an answer that say where its data is from."""
    lines = [source.line() for source in sources]
    return ["出典:", *lines] if lines else []


def to_result(answer: Answer) -> CallToolResult:
    """Return an answer as MCP sends it, its texts cleaned."""
    text = clean_lines(answer.text())
    if any(line.startswith(MARK) for line in text.split("\n")):
        text = f"{NOTICE}\n{text}"
    pictures: Sequence[ContentBlock] = [
        ImageContent(type="image", data=base64.b64encode(png).decode(), mime_type="image/png")
        for png in answer._pictures
    ]
    return CallToolResult(
        content=[TextContent(type="text", text=text), *pictures],
        structured_content=map_texts(answer.model_dump(mode="json"), clean_lines),
    )


def with_texts(result: CallToolResult, change: Callable[[str], str]) -> CallToolResult:
    """Return a result with every text of it changed, but for pictures."""
    content = [
        TextContent(type="text", text=change(block.text)) if isinstance(block, TextContent) else block
        for block in result.content
    ]
    changed: dict[str, Any] = {"content": content, "structured_content": map_texts(result.structured_content, change)}
    return result.model_copy(update=changed)


def wire_size(answer: Answer) -> int:
    """Return the bytes of an answer on the wire, without its pictures."""
    result = to_result(answer)
    result.content = result.content[:1]
    return len(result.model_dump_json(by_alias=True, exclude_none=True).encode())
