"""SQL over the lake: canned analyses and one's own SELECT, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field

from mcp_bridge.answers import Answer, Source, source_lines, wire_size
from mcp_bridge.arguments import Cursor, OptionalDatasetId
from mcp_bridge.bridge import Bridge
from mcp_bridge.cells import fit_row
from mcp_bridge.open_results import OpenResult
from mcp_bridge.pages import as_many_as_fit
from mcp_bridge.plain import cut, data_line
from mcp_bridge.toolbox import reading

if TYPE_CHECKING:
    pass

MOST_SQL = 2_000
Kind = Literal["", "basic", "advanced", "custom"]


class ResultColumn(BaseModel):
    """A column of the result, its type in Athena's words."""

    name: str
    type: str


class QueryAnswer(Answer):
    """A page of rows under their columns; NULL is null. `names` are those of codes that stand without them."""

    sql: str
    columns: list[ResultColumn]
    rows: list[list[Any]]
    names: dict[str, dict[str, str]]
    first_row: int
    cells_cut: int
    next_cursor: str | None
    bytes_scanned: int | None
    cost_usd: float | None
    snapshots: dict[str, str]
    provenance: list[Source]
    datasets: int

    def text(self) -> str:
        """Return a line a row, then where they are from."""
        last = self.first_row + len(self.rows) - 1
        lines = [f"結果の{self.first_row:,}行目から{last:,}行目。" if self.rows else "該当する行はありません。"]
        lines += [data_line(column.name for column in self.columns), *(data_line(row) for row in self.rows)]
        for column, names in self.names.items():
            lines.append(data_line([f"{column} の名称", *(f"{code} {name}" for code, name in names.items())]))
        if self.cells_cut:
            lines.append(f"長すぎるセル {self.cells_cut:,}個を途中で切りました(…)。列を減らすと全部見えます。")
        if self.next_cursor:
            lines.append(f"続きは同じ引数と next_cursor: {self.next_cursor}")
        lines += [f"読んだスナップショット: {name} {snapshot}" for name, snapshot in self.snapshots.items()]
        if self.datasets > len(self.provenance):
            lines.append(f"{self.datasets:,}データセットのうち{len(self.provenance):,}件の出典を示します。")
        return "\n".join([*lines, *source_lines(self.provenance)])


@reading("Analyse with SQL (Athena SQLで分析)")
def analyze_with_athena(
    bridge: Bridge,
    table_name: Annotated[str, Field(description="for basic and advanced: one table", max_length=200)] = "",
    dataset_id: OptionalDatasetId = "",
    analysis_type: Annotated[Kind, Field(description="empty: custom if there is a custom_query, else basic")] = "",
    custom_query: Annotated[str, Field(description="one SELECT in Athena (Trino) SQL", max_length=10_000)] = "",
    as_of: Annotated[str, Field(description="snapshot id or moment of an earlier state", max_length=40)] = "",
    max_results: Annotated[int, Field(ge=1, le=1000)] = 100,
    cursor: Cursor = "",
) -> QueryAnswer:
    """Query the lake with read-only Athena SQL (データの分析): basic or advanced summaries of a dataset or table, or a
    custom_query. NULL is a missing cell (never 0), explained by value_text and missing_reason.

    Tables hold many datasets and totals beside details: filter by dataset_id and codes (see list_tables, find_codes).
    """
    question = _Question(table_name, dataset_id, analysis_type, custom_query, as_of)
    if cursor:
        key, opened, offset = bridge.results.find(cursor, question)
    else:
        opened, offset = _ask(bridge, question), 0
        key = bridge.results.keep(opened)
    with opened.lock:
        return _page(bridge, opened, key, offset, max_results)


@dataclass(frozen=True)
class _Question:
    table_name: str
    dataset_id: str
    analysis_type: Kind
    custom_query: str
    as_of: str


def _ask(bridge: Bridge, question: _Question) -> OpenResult:
    from mcp_bridge.origins import find_origins

    sql = _sql(bridge, question)
    engine, as_of = bridge.bench.sql, question.as_of or None
    origins = find_origins(bridge.bench.lake.tables, sql, as_of)
    return OpenResult(engine.run(sql, as_of=as_of), question, (sql, origins))


def _sql(bridge: Bridge, question: _Question) -> str:
    from estat_dagster.errors import ValidationError

    if question.analysis_type == "custom" or (question.custom_query and not question.analysis_type):
        if not question.custom_query.strip():
            raise ValidationError(
                "custom_query is empty.", hint="Write one SELECT; list_tables shows tables and columns."
            )
        return question.custom_query
    if question.custom_query:
        raise ValidationError(
            f"custom_query does not belong to {question.analysis_type}.",
            hint="Use analysis_type custom, or leave it out.",
        )
    raise ValidationError("The canned analyses are not there yet.", hint="Use custom_query.")


def _page(bridge: Bridge, opened: OpenResult, key: str, offset: int, most: int) -> QueryAnswer:
    from mcp_bridge.code_names import names_of_codes

    rows, has_more = opened.take(offset, most)
    fitted = [fit_row(row) for row in rows]
    result, (sql, origins) = opened.result, opened.about
    columns = [ResultColumn(name=column.name, type=column.type) for column in result.columns]
    names = names_of_codes(
        bridge.bench.lake.tables, [c.name for c in columns], [row for row, _ in fitted], origins.dataset_ids
    )

    def compose(part: Sequence[tuple[list[Any], int]]) -> QueryAnswer:
        more = has_more or len(part) < len(fitted)
        return QueryAnswer(
            sql=cut(sql, MOST_SQL),
            columns=columns,
            rows=[row for row, _ in part],
            names=_names_in(names, [column.name for column in columns], [row for row, _ in part]),
            first_row=offset + 1,
            cells_cut=sum(count for _, count in part),
            next_cursor=f"{key}.{offset + len(part)}" if more else None,
            bytes_scanned=result.bytes_scanned,
            cost_usd=result.cost_usd,
            snapshots=origins.snapshots,
            provenance=origins.sources,
            datasets=len(origins.dataset_ids),
        )

    answer = as_many_as_fit(fitted, compose, wire_size)
    opened.show(len(answer.rows))
    return answer


def _names_in(names: Names, columns: list[str], rows: list[list[Any]]) -> Names:
    """Return the names of those codes alone that stand in the rows."""
    held = {column: {row[columns.index(column)] for row in rows} for column in names}
    kept = {column: {c: name for c, name in known.items() if c in held[column]} for column, known in names.items()}
    return {column: known for column, known in kept.items() if known}


TOOLS = (analyze_with_athena,)
