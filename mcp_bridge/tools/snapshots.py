"""What changed in a dataset between two states of the lake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from mcp_bridge.answers import Answer, Source, source_lines, wire_size
from mcp_bridge.arguments import Cursor, DatasetId
from mcp_bridge.bridge import Bridge
from mcp_bridge.cells import fit_row
from mcp_bridge.origins import describe_datasets
from mcp_bridge.pages import as_many_as_fit, cursor_for, offset_in, offset_of
from mcp_bridge.plain import data_line
from mcp_bridge.toolbox import reading

if TYPE_CHECKING:
    import pyarrow as pa

    from estat_dagster.lake.comparing import Comparison

NAMES = {"revised": "変更", "added": "追加", "removed": "削除", "unchanged": "同じ"}
Change = Literal["", "revised", "added", "removed"]


class Changes(Answer):
    """Counts of all changes, and a page of the rows of one kind. A cell without a number is null, never 0."""

    dataset_id: str
    table_name: str
    before: str
    after: str
    counts: dict[str, int]
    change: str
    columns: list[str]
    rows: list[list[Any]]
    next_cursor: str | None
    provenance: list[Source]

    def text(self) -> str:
        """Return the counts and a line a row."""
        lines = [
            f"{self.table_name} の {self.dataset_id}: snapshot {self.before} から {self.after}。",
            "、".join(f"{NAMES[kind]} {count:,}行" for kind, count in self.counts.items()) + "。",
        ]
        if self.rows:
            lines += [f"{NAMES[self.change]}された行:", data_line(self.columns), *(data_line(row) for row in self.rows)]
        if self.next_cursor:
            lines.append(f"続きは同じ引数と next_cursor: {self.next_cursor}")
        return "\n".join([*lines, *source_lines(self.provenance)])


@reading("改定の比較")
def compare_snapshots(
    bridge: Bridge,
    dataset_id: DatasetId,
    before: Annotated[str, Field(description="snapshot id or moment; empty: before the last load", max_length=40)] = "",
    after: Annotated[str, Field(description="snapshot id or moment; empty: now", max_length=40)] = "",
    change: Annotated[Change, Field(description="rows to show")] = "",
    max_results: Annotated[int, Field(ge=1, le=500)] = 50,
    cursor: Cursor = "",
) -> Changes:
    """Compare two states of a dataset in the lake (スナップショットの比較): cells revised, with old and new values,
    added and removed. Use it after a dataset was loaded again, to see what e-Stat changed.
    """
    tables = bridge.bench.lake.tables
    found = _compare(bridge, dataset_id, before, after, offset_in(cursor) + max_results)
    counts = {kind: getattr(found, f"{kind}_count") for kind in NAMES}
    kind = change or next((kind for kind in ("revised", "added", "removed") if counts[kind]), "revised")
    asked = {"dataset_id": dataset_id, "change": kind, "before": found.before, "after": found.after}
    offset = offset_of(cursor, **asked)
    table = getattr(found, kind)
    rows = _rows(table, offset, max_results)

    def compose(part: Sequence[list[Any]]) -> Changes:
        after_these = offset + len(part)
        return Changes(
            dataset_id=dataset_id,
            table_name=found.table_name,
            before=str(found.before),
            after=str(found.after),
            counts=counts,
            change=kind,
            columns=table.column_names,
            rows=list(part),
            next_cursor=cursor_for(after_these, **asked) if part and after_these < counts[kind] else None,
            provenance=describe_datasets(tables, {dataset_id}),
        )

    return as_many_as_fit(rows, compose, wire_size)


def _compare(bridge: Bridge, dataset_id: str, before: str, after: str, sample: int) -> Comparison:
    from estat_dagster.errors import DataError
    from estat_dagster.lake.comparing import compare

    lake = bridge.bench.lake
    try:
        return compare(lake.tables, dataset_id, before or None, after or None, sample=sample)
    except DataError as error:
        entry = lake.registry.find(dataset_id)
        if before or entry is None or entry.snapshot_id is None:
            raise
        raise DataError(
            error.message,
            hint="Only one state is kept: there is nothing to compare until e-Stat changes it and it is loaded again.",
            step="比べられる前の状態がありません(取込みが一度だけ、または変更がなかったためです)。"
            "これまでに改定は記録されていません。",
        ) from error


def _rows(table: pa.Table, offset: int, most: int) -> list[list[Any]]:
    return [fit_row(list(row.values()))[0] for row in table.slice(offset, most).to_pylist()]


TOOLS = (compare_snapshots,)
