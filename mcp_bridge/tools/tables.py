"""The tables of the lake, as SQL sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mcp_bridge.answers import Answer, Facts, wire_size
from mcp_bridge.bridge import Bridge
from mcp_bridge.pages import as_many_as_fit
from mcp_bridge.plain import data_line
from mcp_bridge.toolbox import reading

if TYPE_CHECKING:
    from pyiceberg.table import Table

ABOUT = {
    "dataset_inventory": "データセットの一覧",
    "dataset_dimensions": "軸のコードと名称",
}


class TableFacts(Facts):
    """A table: what it holds in Japanese, its rows, and its current snapshot (ids are texts)."""

    name: str
    about: str
    rows: int | None
    columns: int
    partition_by: list[str]
    snapshot_id: str | None
    changed_at: str | None

    def line(self) -> str:
        """Return it as a line of data."""
        rows = "行数不明" if self.rows is None else f"{self.rows:,}行"
        return data_line([self.name, self.about, rows, f"{self.columns}列", f"変更 {self.changed_at or 'なし'}"])


class ColumnFacts(Facts):
    """A column in Athena's words, with its meaning in Japanese and English."""

    name: str
    type: str
    meaning: str


class TablesAnswer(Answer):
    """The tables of the lake, and the columns of the one that was asked for."""

    tables: list[TableFacts]
    columns: list[ColumnFacts]

    def text(self) -> str:
        """Return a line a table, or a line a column."""
        lines = [f"データレイクのテーブル {len(self.tables):,}個。", *(table.line() for table in self.tables)]
        lines += [data_line([column.name, column.type, column.meaning]) for column in self.columns]
        if not self.tables:
            load = self.to_load("次: search_estat_data で統計表を探し、ingest_dataset_complete で取り込みます。")
            return f"データレイクは空です。{load}"
        if not self.columns:
            lines.append("次: table_name を渡すと列の一覧、analyze_with_athena で分析。")
        return "\n".join(lines)


@reading("テーブルと列")
def list_tables(
    bridge: Bridge,
    table_name: Annotated[str, Field(description="one, with its columns; empty: all", max_length=200)] = "",
) -> TablesAnswer:
    """List the Iceberg tables that SQL can ask, with rows and current snapshot; with table_name also its columns (列).

    Each domain has one table (population_data, economy_data, ...) with the rows of many datasets: filter by dataset_id.
    """
    from estat_dagster.query.tables import unknown_table
    from estat_dagster.query.types import iceberg_type_name

    tables = bridge.bench.lake.tables
    names, wanted = tables.names(), table_name.strip().lower()
    if wanted and wanted not in names:
        raise unknown_table(table_name, names)
    loaded = [tables.load(name) for name in ([wanted] if wanted else names)]
    fields = loaded[0].schema().fields if wanted else ()
    columns = [ColumnFacts(name=f.name, type=iceberg_type_name(f.field_type), meaning=f.doc or "") for f in fields]

    def compose(found: Sequence[Table]) -> TablesAnswer:
        return TablesAnswer(tables=[table_facts(table) for table in found], columns=columns)

    return as_many_as_fit(loaded, compose, wire_size)


def table_facts(table: Table) -> TableFacts:
    """Return what a table is now."""
    from estat_dagster.domains import DOMAINS

    name, snapshot = table.name()[-1], table.current_snapshot()
    abouts = {domain.table_name: f"{domain.ja}のデータ" for domain in DOMAINS.values()}
    total = snapshot.summary.additional_properties.get("total-records") if snapshot and snapshot.summary else None
    moment = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC) if snapshot else None
    return TableFacts(
        name=name,
        about=(abouts | ABOUT).get(name, ""),
        rows=int(total) if total is not None else (0 if snapshot is None else None),
        columns=len(table.schema().fields),
        partition_by=[field.name for field in table.spec().fields],
        snapshot_id=str(snapshot.snapshot_id) if snapshot else None,
        changed_at=moment.isoformat(timespec="seconds") if moment else None,
    )


TOOLS = (list_tables,)
