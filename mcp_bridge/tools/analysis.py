"""SQL over the lake: canned analyses and one's own SELECT, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from mcp_bridge.answers import Answer, Facts, Source, source_lines, wire_size
from mcp_bridge.arguments import Cursor, OptionalDatasetId
from mcp_bridge.asking import About, Kind, Question, ask
from mcp_bridge.bridge import Bridge
from mcp_bridge.cells import fit_row
from mcp_bridge.code_names import Names, names_of_codes
from mcp_bridge.open_results import OpenResult
from mcp_bridge.origins import MOST_SOURCES
from mcp_bridge.pages import as_many_as_fit
from mcp_bridge.plain import cut, data_line
from mcp_bridge.toolbox import reading

if TYPE_CHECKING:
    import pyarrow as pa

    from estat_dagster.lake.iceberg import IcebergTableManager

MOST_SQL = 1_500


class ResultPage(Facts):
    """A page of one result: rows under columns, which have Athena's types. `names` are of codes without them."""

    analysis: str
    meaning: str
    sql: str
    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    names: Names
    first_row: int
    cells_cut: int
    next_cursor: str | None
    bytes_scanned: int | None
    cost_usd: float | None

    def lines(self) -> list[str]:
        """Return a line a row."""
        last = self.first_row + len(self.rows) - 1
        title = f"{self.analysis}: {self.meaning} " if self.meaning else ""
        lines = [title + (f"{self.first_row:,}行目から{last:,}行目。" if self.rows else "該当する行はありません。")]
        lines += [data_line(self.columns), *(data_line(row) for row in self.rows)]
        for column, names in self.names.items():
            lines.append(data_line([f"{column} の名称", *(f"{code} {name}" for code, name in names.items())]))
        if self.cells_cut:
            lines.append(f"長すぎるセル {self.cells_cut:,}個を途中で切りました(…)。列を減らすと全部見えます。")
        if self.next_cursor:
            lines.append(f"続きは同じ引数と next_cursor: {self.next_cursor}")
        return lines


class AnalysisAnswer(Answer):
    """Results, the snapshots read (table -> id), and where the rows are from."""

    results: list[ResultPage]
    snapshots: dict[str, str]
    datasets: int
    provenance: list[Source]

    def text(self) -> str:
        """Return the rows, then where they are from."""
        lines = [line for result in self.results for line in result.lines()]
        lines += [f"読んだスナップショット: {name} {snapshot}" for name, snapshot in self.snapshots.items()]
        if self.datasets > len(self.provenance):
            lines.append(f"{self.datasets:,}データセットのうち{len(self.provenance):,}件の出典を示します。")
        return "\n".join([*lines, *source_lines(self.provenance)])


@reading("SQLで分析")
def analyze_with_athena(
    bridge: Bridge,
    table_name: Annotated[str, Field(description="all datasets of a table", max_length=200)] = "",
    dataset_id: OptionalDatasetId = "",
    analysis_type: Annotated[Kind, Field(description="empty: custom with a custom_query, else basic")] = "",
    analysis: Annotated[str, Field(description="name of one; empty: all", max_length=50)] = "",
    custom_query: Annotated[str, Field(description="one SELECT in Athena (Trino) SQL", max_length=10_000)] = "",
    as_of: Annotated[str, Field(description="snapshot id or moment", max_length=40)] = "",
    picture: Literal["", "auto", "lines", "bars", "map"] = "",
    max_results: Annotated[int, Field(ge=1, le=1000)] = 50,
    cursor: Cursor = "",
) -> AnalysisAnswer:
    """Query the lake with read-only Athena SQL (データの分析): basic (what there is) or advanced (change, ranks,
    shares) analyses of a dataset, or a custom_query. NULL is a missing cell, never 0: see missing_reason.

    Tables hold many datasets, and totals beside details: filter by dataset_id and codes (list_tables, find_codes).
    """
    question = Question(table_name, dataset_id, analysis_type, analysis, custom_query, as_of)
    with ExitStack() as held:
        if cursor:
            key, opened, offset = bridge.results.find(cursor, question)
            held.enter_context(opened.lock)
            parts = [_Part.take(opened, key, offset, max_results)]
            return _with_picture(_answer(bridge, parts, max_results), parts, picture)
        parts = []
        for opened in ask(bridge.bench, question):
            held.callback(opened.result.close)
            parts.append(_Part.take(opened, "", 0, max_results))
        answer = _with_picture(_answer(bridge, parts, max_results), parts, picture)
        held.pop_all()
        return answer


@dataclass
class _Part:
    """A result's rows from an offset, as they fit into an answer, with the cells cut in each."""

    opened: OpenResult
    key: str
    offset: int
    read: list[list[Any]]
    rows: list[tuple[list[Any], int]]
    has_more: bool

    @classmethod
    def take(cls, opened: OpenResult, key: str, offset: int, most: int) -> _Part:
        rows, has_more = opened.take(offset, most)
        return cls(opened, key, offset, rows, [fit_row(row) for row in rows], has_more)

    def table(self) -> pa.Table:
        """Return the rows that were read, as the engine gave them."""
        import pyarrow as pa

        schema = self.opened.result.schema
        columns = [[row[place] for row in self.read] for place in range(len(schema))]
        return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)

    @property
    def about(self) -> About:
        found: About = self.opened.about
        return found

    def page(self, count: int, known: Names) -> ResultPage:
        """Return the page of the first so many rows."""
        part, result = self.rows[:count], self.opened.result
        columns = [column.name for column in result.columns]
        more = self.has_more or len(part) < len(self.rows)
        rows = [row for row, _ in part]
        return ResultPage(
            analysis=self.about.name,
            meaning=self.about.meaning,
            sql=cut(self.about.sql, MOST_SQL),
            columns=columns,
            types=[column.type for column in result.columns],
            rows=rows,
            names=_names_in(known, columns, rows),
            first_row=self.offset + 1,
            cells_cut=sum(count for _, count in part),
            next_cursor=f"{self.key or PENDING}.{self.offset + len(part)}" if more else None,
            bytes_scanned=result.bytes_scanned,
            cost_usd=result.cost_usd,
        )


PENDING = "-" * 16
"""Stands for the key of a result that is kept open only if it has more rows than the answer; as long as one."""


def _with_picture(answer: AnalysisAnswer, parts: list[_Part], kind: str) -> AnalysisAnswer:
    """Return the answer with a picture of the rows that were read, also of those beyond the bytes of an answer."""
    if not kind:
        return answer
    from estat_dagster.errors import ValidationError
    from estat_dagster.pictures.drawing import draw

    if len(parts) > 1:
        names = ", ".join(part.about.name for part in parts)
        raise ValidationError("A picture is of one result.", hint=f"Name one analysis: {names}.")
    table = parts[0].table()
    credits = dict.fromkeys(source.credit for source in answer.provenance)
    answer._pictures.append(draw(table, kind, credit=" ".join(credits)))  # type: ignore[arg-type]  # one of the Literal
    return answer


def _answer(bridge: Bridge, parts: list[_Part], most: int) -> AnalysisAnswer:
    tables = bridge.bench.lake.tables
    names = [_names(tables, part) for part in parts]
    sources = {source.dataset_id: source for part in parts for source in part.about.origins.sources}
    snapshots = {name: each for part in parts for name, each in part.about.origins.snapshots.items()}
    datasets = {one for part in parts for one in part.about.origins.dataset_ids}

    def compose(counts: Sequence[int]) -> AnalysisAnswer:
        return AnalysisAnswer(
            results=[part.page(len(counts), known) for part, known in zip(parts, names, strict=True)],
            snapshots=snapshots,
            datasets=len(datasets),
            provenance=list(sources.values())[:MOST_SOURCES],
        )

    answer = as_many_as_fit(range(most), compose, wire_size)
    for part, page in zip(parts, answer.results, strict=True):
        after = part.opened.show(len(page.rows))
        if page.next_cursor and not part.key:
            page.next_cursor = f"{bridge.results.keep(part.opened)}.{after}"
    return answer


def _names(tables: IcebergTableManager, part: _Part) -> Names:
    columns = [column.name for column in part.opened.result.columns]
    return names_of_codes(tables, columns, [row for row, _ in part.rows], part.about.origins.dataset_ids)


def _names_in(names: Names, columns: list[str], rows: list[list[Any]]) -> Names:
    """Return the names of those codes alone that stand in the rows."""
    held = {column: {row[columns.index(column)] for row in rows} for column in names}
    kept = {column: {c: name for c, name in known.items() if c in held[column]} for column, known in names.items()}
    return {column: known for column, known in kept.items() if known}


TOOLS = (analyze_with_athena,)
