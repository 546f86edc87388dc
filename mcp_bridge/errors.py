"""Errors as tools answer them: the form of design.md section 7, with what to do next in words of this server's tools.

`error` is one of the seven stable codes, `error_message` and `context` are English and exact, `message` is for a
Japanese reader: what kind of thing went wrong, and what to do.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mcp.types import CallToolResult, TextContent

from estat_dagster.errors import DataLakeError, ValidationError
from mcp_bridge.hiding import map_texts
from mcp_bridge.plain import clean, cut

if TYPE_CHECKING:
    import pydantic

MOST_WORDS = 2_000

_KINDS = {
    "API_ERROR": "e-Stat APIがエラーを返しました。",
    "NETWORK_ERROR": "通信できませんでした。",
    "TIMEOUT_ERROR": "時間内に応答がありませんでした。",
    "STORAGE_ERROR": "データレイクを読み書きできませんでした。",
    "DATA_ERROR": "データに問題があります。",
    "VALIDATION_ERROR": "指定された内容が正しくありません。",
    "UNKNOWN_ERROR": "予期しないエラーが起きました。",
}
_STEPS = {
    "VALIDATION_ERROR": "context.hint を読み、引数を直してもう一度呼び出してください。",
    "DATA_ERROR": "context.hint を読み、データセットの状態を list_datasets で確かめてください。",
    "API_ERROR": "統計表IDと引数を確かめてください。統計表は search_estat_data で探せます。",
    "UNKNOWN_ERROR": "同じエラーが続くときは、サーバーのログ(stderr)を確かめてください。",
}
_TRY_AGAIN = "しばらく待って、同じ呼び出しをもう一度行ってください。"


class _Way(NamedTuple):
    """What a hint for the estat command means here: the tool, what is written in the command's place, the next step."""

    command: re.Pattern[str]
    tool: str
    words: str
    step: str


_WAYS = tuple(
    _Way(re.compile(command), tool, words or tool, step)
    for command, tool, words, step in (
        ("`?estat search WORDS`?", "search_estat_data", "", "search_estat_data で統計表を探してください。"),
        ("`?estat suggest WORDS`?", "search_estat_data", "", "search_estat_data の suggestions から選んでください。"),
        ("`estat describe [^`]*`", "describe_dataset", "", "describe_dataset と find_codes で確かめてください。"),
        ("`estat load [^`]*`", "ingest_dataset_complete", "", "ingest_dataset_complete で取り込んでください。"),
        ("(Load a dataset first)", "ingest_dataset_complete", r"\1", "ingest_dataset_complete で取り込んでください。"),
        ("`estat query 'SHOW TABLES'`", "list_tables", "", "list_tables でテーブル名を確かめてください。"),
        ("(Tables: )", "list_tables", r"\1", "list_tables でテーブル名を確かめてください。"),
        ("`--children-of`", "find_codes", "children_of", "find_codes で子を持つコードを確かめてください。"),
        ("`estat status`", "list_datasets", "", "list_datasets で取込済みのデータセットを確かめてください。"),
        (
            r"`estat history (\d+)`",
            "list_datasets",
            r"the resource lake://datasets/\1",
            "リソース lake://datasets/統計表ID でスナップショットを確かめてください。",
        ),
    )
)
_OPTIONS = (
    (re.compile(r"--filter (\w+)="), r"filters \1="),
    (re.compile(r"--children-of"), "children_of"),
    (re.compile(r"--domain"), "domain"),
)


def to_failure(error: DataLakeError) -> CallToolResult:
    """Return an expected failure as MCP sends it."""
    facts = describe(error)
    lines = (f"{facts['error']}: {facts['error_message']}", facts["context"].get("hint", ""), facts["message"])
    text = "\n".join(line for line in lines if line)
    return CallToolResult(is_error=True, content=[TextContent(type="text", text=text)], structured_content=facts)


def describe(error: DataLakeError) -> dict[str, Any]:
    """Return an error in the five fields of design.md section 7; the hint and what a retry can do are in `context`."""
    hint, tool, step = _next_step(error)
    context = {name: value for name, value in error.context.items() if value is not None}
    more = {"hint": hint, "next_tool": tool, "retryable": error.can_retry}
    facts = {
        "success": False,
        "error": error.kind,
        "error_message": error.message,
        "context": context | {name: value for name, value in more.items() if value not in ("", None)},
        "message": f"{_KINDS[error.kind]}{step}",
    }
    plain: dict[str, Any] = json.loads(json.dumps(facts, ensure_ascii=False, default=str))
    shortened: dict[str, Any] = map_texts(plain, lambda words: cut(clean(words), MOST_WORDS))
    return shortened


def _next_step(error: DataLakeError) -> tuple[str, str | None, str]:
    """Return the hint in words of the tools, the tool it names, and the step in Japanese."""
    hint, tool, step = error.hint, None, _TRY_AGAIN if error.can_retry else _STEPS.get(error.kind, _TRY_AGAIN)
    way = next((way for way in _WAYS if way.command.search(hint)), None)
    if way:
        tool, step, hint = way.tool, way.step, way.command.sub(way.words, hint)
    for option, words in _OPTIONS:
        hint = option.sub(words, hint)
    return hint, tool, step


def wrong_arguments(tool: str, error: pydantic.ValidationError) -> ValidationError:
    """Return pydantic's complaint about a tool's arguments in few words, without the values that were given."""
    complaints = [
        f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return ValidationError(
        f"The arguments of {tool} are not right: {'; '.join(complaints)}.",
        hint="Its input schema says what it takes; unknown arguments are refused.",
    )
