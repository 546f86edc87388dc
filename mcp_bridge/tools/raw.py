"""A look at raw records: the cells of a table as e-Stat sent them, with the names of their codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mcp_bridge.answers import Answer, Source, source_lines, wire_size
from mcp_bridge.arguments import Cursor, OptionalDatasetId
from mcp_bridge.bridge import Bridge
from mcp_bridge.pages import as_many_as_fit, cursor_for, offset_of
from mcp_bridge.plain import data_line
from mcp_bridge.toolbox import reading

if TYPE_CHECKING:
    from estat_dagster.estat.manifest import Manifest
    from estat_dagster.estat.models import TableInfo
    from mcp_bridge.raw_records import Row


class RawAnswer(Answer):
    """A page of raw records: rows under their columns. A value is the text that e-Stat sent, not a number of it."""

    uri: str
    fetched_at: str
    total_records: int
    first_record: int
    columns: list[str]
    rows: list[list[str | None]]
    next_cursor: str | None
    provenance: list[Source]

    def text(self) -> str:
        """Return a line a record."""
        last = self.first_record + len(self.rows) - 1
        shown = f"{self.first_record:,}から{last:,}件目" if self.rows else "0件"
        lines = [f"生データ {self.total_records:,}件中、{shown}。取得 {self.fetched_at}。{self.uri}"]
        lines += [data_line(self.columns), *(data_line(row) for row in self.rows)]
        if self.next_cursor:
            lines.append(f"続きは next_cursor: {self.next_cursor}")
        return "\n".join([*lines, *source_lines(self.provenance)])


@reading("生データの確認")
def load_data_from_s3(
    bridge: Bridge,
    dataset_id: OptionalDatasetId = "",
    uri: Annotated[str, Field(description="raw/{id}/FILE, or s3://BUCKET/raw/... of this lake", max_length=500)] = "",
    max_records: Annotated[int, Field(ge=1, le=200)] = 20,
    cursor: Cursor = "",
) -> RawAnswer:
    """Preview the raw records (生データ) of a fetched dataset as e-Stat sent them, with names beside codes.

    Give dataset_id (its newest fetch) or the uri of one raw file inside the lake. For analysis use analyze_with_athena.
    """
    from estat_dagster.errors import ValidationError
    from estat_dagster.estat.pages import parse_stats_page
    from mcp_bridge.raw_records import MANIFEST, PAGE, Preview, find_manifest, parse_place

    if bool(dataset_id) == bool(uri):
        raise ValidationError("Give either dataset_id or uri.", hint="dataset_id is enough in most cases.")
    lake, file = bridge.bench.lake, ""
    if uri:
        dataset_id, file = parse_place(uri, bridge.bench.settings.s3_bucket)
    raw = lake.raw(dataset_id, parse_stats_page)
    manifest = find_manifest(raw, lake.store.names(f"raw/{dataset_id}"), dataset_id, file)
    pages = [page for page in manifest.pages if not file.endswith(PAGE) or page.file == file]
    asked = {"dataset_id": dataset_id, "file": file, "fetch": manifest.stamp}
    position = max(offset_of(cursor, **asked), pages[0].from_number if pages else 1)
    preview = Preview(raw, manifest, position, max_records)
    source = _source(dataset_id, manifest, preview.table)

    def compose(rows: Sequence[Row]) -> RawAnswer:
        after = position + len(rows)
        return RawAnswer(
            uri=f"raw/{dataset_id}/{preview.entry.file if preview.entry else manifest.name + MANIFEST}",
            fetched_at=manifest.fetched_at,
            total_records=sum(page.to_number - page.from_number + 1 for page in pages),
            first_record=position,
            columns=preview.columns,
            rows=[list(row) for row in rows],
            next_cursor=cursor_for(after, **asked) if rows and after <= pages[-1].to_number else None,
            provenance=[source],
        )

    return as_many_as_fit(preview.rows, compose, wire_size)


def _source(dataset_id: str, manifest: Manifest, table: TableInfo | None) -> Source:
    """Return where the records are from: what the fetch itself says of its table."""
    from estat_dagster.estat.credit import service_credit, table_credit

    return Source(
        dataset_id=dataset_id,
        title=table.title if table else "",
        survey=table.stat_name if table else "",
        organisation=table.gov_org if table else "",
        updated=manifest.updated_date,
        credit=table_credit(table, manifest.source, processed=False) if table else service_credit(manifest.source),
    )


TOOLS = (load_data_from_s3,)
