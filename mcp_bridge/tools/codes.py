"""Codes and names inside one table of e-Stat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mcp_bridge.answers import Answer, Facts, wire_size
from mcp_bridge.arguments import Cursor, DatasetId
from mcp_bridge.bridge import Bridge
from mcp_bridge.pages import as_many_as_fit, cursor_for, offset_of
from mcp_bridge.plain import cut, data_line
from mcp_bridge.toolbox import reading

if TYPE_CHECKING:
    from estat_dagster.estat.codes import CodeMatch

MOST_DESCRIPTION = 300


class CodeName(Facts):
    """A code of an axis with its name, its way down from the top, and how many codes stand below it."""

    axis: str
    axis_name: str
    code: str
    name: str
    level: str
    path: str
    children: int
    unit: str | None
    description: str | None
    why: str

    def line(self) -> str:
        """Return it as a line of data."""
        below = [f"下位 {self.children}"] if self.children else []
        more = [self.path, f"単位 {self.unit}" if self.unit else "", *below, self.description or ""]
        return data_line([f"{self.axis} {self.axis_name}", self.code, self.name, *filter(None, more)])


class CodesAnswer(Answer):
    """A page of the codes that match."""

    dataset_id: str
    title: str
    total: int
    codes: list[CodeName]
    next_cursor: str | None
    credit: str

    def text(self) -> str:
        """Return a line a code."""
        lines = [data_line([self.dataset_id, self.title]), f"コード {self.total:,}件中、{len(self.codes):,}件を表示。"]
        lines += [code.line() for code in self.codes]
        if not self.codes:
            lines.append("次: describe_dataset で軸を確かめるか、query を短くしてください。")
        if self.next_cursor:
            lines.append(f"続きは next_cursor: {self.next_cursor}")
        return "\n".join([*lines, data_line([self.credit])])


@reading("コードと名称", open_world=True)
def find_codes(
    bridge: Bridge,
    dataset_id: DatasetId,
    query: Annotated[str, Field(description="code or part of a name: 東京都, tokyo; empty: all")] = "",
    axis: Annotated[str, Field(description="tab, cat01-cat15, area, time")] = "",
    children_of: Annotated[str, Field(description="directly below this code or name")] = "",
    max_results: Annotated[int, Field(ge=1, le=500)] = 50,
    cursor: Cursor = "",
) -> CodesAnswer:
    """Find codes (地域・分類・時間などのコード) and their Japanese names on the axes of one table, for filters and SQL.

    Use it before a part of a table is fetched, or to learn what a region_code or category_code means.
    """
    from estat_dagster.estat.codes import find_codes as find

    asked = {"dataset_id": dataset_id, "query": query, "axis": axis, "children_of": children_of}
    offset = offset_of(cursor, **asked)
    found = find(
        bridge.bench.estat,
        dataset_id,
        query,
        axis=axis or None,
        children_of=children_of or None,
        offset=offset,
        most=max_results,
    )

    def compose(matches: Sequence[CodeMatch]) -> CodesAnswer:
        after = offset + len(matches)
        return CodesAnswer(
            dataset_id=found.dataset_id,
            title=found.title,
            total=found.total,
            codes=[_code(match) for match in matches],
            next_cursor=cursor_for(after, **asked) if matches and after < found.total else None,
            credit=found.credit,
        )

    return as_many_as_fit(found.matches, compose, wire_size)


def _code(match: CodeMatch) -> CodeName:
    same = ("axis", "axis_name", "code", "name", "level", "children", "unit", "why")
    return CodeName(
        **{name: getattr(match, name) for name in same},
        path=" > ".join(f"{parent.code} {parent.name or '(軸にない)'}" for parent in match.path),
        description=cut(match.description, MOST_DESCRIPTION) if match.description else None,
    )


TOOLS = (find_codes,)
