"""Errors as tools answer them: the form of design.md section 7, with what to do next in words of this server's tools.

`error` is one of the seven stable codes, `error_message` and `context` are English and exact, `message` is for a
Japanese reader: what kind of thing went wrong, and what to do.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mcp.types import CallToolResult, TextContent

from estat_dagster.errors import DataLakeError, ValidationError
from mcp_bridge.answers import READ_ONLY
from mcp_bridge.hiding import map_texts
from mcp_bridge.plain import clean, cut

if TYPE_CHECKING:
    import pydantic
    from pydantic_core import ErrorDetails

MOST_WORDS, MOST_COMPLAINTS, MOST_NAME = 2_000, 10, 60

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


class _Tool(NamedTuple):
    """What a subcommand of `estat` is here: a tool, if there is one, what a hint calls it, and the next step."""

    name: str | None
    words: str
    step: str = ""


def _operators(command: str) -> _Tool:
    return _Tool(None, f"the operator's command {command}", "このサーバーの管理者に伝えてください。")


_COMMANDS = {
    "search": _Tool("search_estat_data", "search_estat_data", "search_estat_data で統計表を探してください。"),
    "suggest": _Tool("search_estat_data", "search_estat_data", "search_estat_data の suggestions から選んでください。"),
    "describe": _Tool("describe_dataset", "describe_dataset", "describe_dataset と find_codes で確かめてください。"),
    "codes": _Tool("find_codes", "find_codes", "find_codes でコードを確かめてください。"),
    "load": _Tool(
        "ingest_dataset_complete", "ingest_dataset_complete", "ingest_dataset_complete で取り込んでください。"
    ),
    "status": _Tool("list_datasets", "list_datasets", "list_datasets で取込済みのデータセットを確かめてください。"),
    "query": _Tool("list_tables", "list_tables", "list_tables でテーブルと列の名前を確かめてください。"),
    "history": _Tool(
        "analyze_with_athena",
        'SELECT * FROM "TABLE$snapshots" in analyze_with_athena',
        'analyze_with_athena の SELECT * FROM "テーブル名$snapshots" でスナップショットを確かめてください。',
    ),
}
_COMMAND = re.compile(r"`estat ([a-z][\w-]*)[^`]*`")
_PLAIN = (
    (re.compile("Load a dataset first"), _COMMANDS["load"]),
    (re.compile("Tables: "), _COMMANDS["query"]),
)
_TOOL = re.compile(r"\b(?:(?:search|describe|fetch|ingest|list|find|get)_[a-z_]*[a-z]|analyze_with_athena)\b")
_OPTION = re.compile(r"`?(?<![\w-])--([a-z][\w-]*)`?")
LOADERS = ("ingest_dataset_complete", "fetch_dataset")
"""The tools that a hint names where data is not in the lake."""
_OPTIONS = {"filter": "filters", "sql": "custom_query"}


def to_failure(error: DataLakeError, *, can_load: bool = True) -> CallToolResult:
    """Return an expected failure as MCP sends it; `can_load` is whether the server has the tools that load."""
    facts = describe(error, can_load=can_load)
    lines = (f"{facts['error']}: {facts['error_message']}", facts["context"].get("hint", ""), facts["message"])
    text = "\n".join(line for line in lines if line)
    return CallToolResult(is_error=True, content=[TextContent(type="text", text=text)], structured_content=facts)


def describe(error: DataLakeError, *, can_load: bool = True) -> dict[str, Any]:
    """Return an error in the five fields of design.md section 7; the hint and what a retry can do are in `context`."""
    hint, tool, step = _next_step(error)
    if tool in LOADERS and not can_load:
        hint, tool, step = "This server is read-only: it loads nothing.", None, READ_ONLY
    context = {name: value for name, value in error.context.items() if value is not None and name != "step"}
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
    """Return the hint in words of the tools, the tool it names, and the step in Japanese.

    Errors of the bridge name both in their context (`next_tool`, `step`); hints of the project name its commands.
    """
    meant = next(_meant(error.hint), None) or _named(error.hint)
    hint = _COMMAND.sub(lambda found: _of(found[1]).words, error.hint)
    hint = _OPTION.sub(lambda found: _OPTIONS.get(found[1], found[1].replace("-", "_")), hint)
    usual = _TRY_AGAIN if error.can_retry else _STEPS.get(error.kind, _TRY_AGAIN)
    found = meant.step if meant else usual
    if meant and not meant.name and error.can_retry:
        found = f"{usual}続くときは、{meant.step}"
    step = error.context.get("step") or found
    return hint, error.context.get("next_tool") or (meant.name if meant else None), step


def _of(command: str) -> _Tool:
    return _COMMANDS.get(command) or _operators(command)


def _named(hint: str) -> _Tool | None:
    """Return the tool that a hint of the bridge names."""
    found = _TOOL.search(hint)
    return _Tool(found[0], found[0], f"次は {found[0]} を使ってください。") if found else None


def _meant(hint: str) -> Iterator[_Tool]:
    """Yield what a hint speaks of, the tools before what is for the operator alone."""
    found = [_of(each) for each in _COMMAND.findall(hint)]
    yield from (tool for tool in found if tool.name)
    yield from (tool for words, tool in _PLAIN if words.search(hint))
    yield from (tool for tool in found if not tool.name)


def wrong_arguments(tool: str, error: pydantic.ValidationError, known: Iterable[str]) -> ValidationError:
    """Return pydantic's complaint about the arguments of a tool or a prompt, without the values that were given."""
    complaints = [
        _complaint(each, list(known)) for each in error.errors(include_url=False, include_input=False)[:MOST_COMPLAINTS]
    ]
    return ValidationError(
        f"The arguments of {tool} are not right: {'; '.join(english for english, _ in complaints)}.",
        hint="Its input schema says what it takes; unknown arguments are refused.",
        step="".join(dict.fromkeys(japanese for _, japanese in complaints)) + "直してもう一度呼び出してください。",
    )


def unknown_tool(name: str, known: Sequence[str]) -> ValidationError:
    """Return the error of a call of a tool that is not there."""
    shown, near = cut(clean(name), MOST_NAME), difflib.get_close_matches(name, known, 1)
    return ValidationError(
        f"There is no tool {shown!r}.",
        hint=f"Is {near[0]} meant?" if near else f"There are {', '.join(known)}.",
        next_tool=near[0] if near else None,
        step=f"ツール {shown} はありません。" + (f"{near[0]} のことですか。" if near else ""),
    )


def _complaint(each: ErrorDetails, known: list[str]) -> tuple[str, str]:
    """Return what is wrong with an argument, in English and in Japanese."""
    name = cut(clean(".".join(map(str, each["loc"]))), MOST_NAME) or "arguments"
    kind, words = each["type"], each["msg"].removeprefix("Value error, ")
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        near = difflib.get_close_matches(name, known, 1)
        if near:
            return f"there is no {name}, is {near[0]} meant?", f"引数 {name} はありません。{near[0]} のことですか。"
        return f"there is no {name}, only {', '.join(known) or 'none'}", f"引数 {name} はありません。"
    if kind.startswith("missing"):
        return f"{name} is missing", f"引数 {name} が必要です。"
    return f"{name}: {words}", f"引数 {name} の値が正しくありません。"
