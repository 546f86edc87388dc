"""Datasets: what the lake holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mcp_bridge.answers import Answer, Facts, wire_size
from mcp_bridge.arguments import Cursor
from mcp_bridge.bridge import Bridge
from mcp_bridge.pages import as_many_as_fit, cursor_for, offset_of
from mcp_bridge.plain import cut, data_line
from mcp_bridge.toolbox import reading

if TYPE_CHECKING:
    from estat_dagster.lake.registry import DatasetEntry

MOST_WORDS = 300
MOST_SNAPSHOTS = 100
DomainName = Literal["", "population", "economy", "labor", "education", "health", "general"]


class Held(Facts):
    """A dataset of the lake: how its last load ended, and what of it the table holds. Ids of snapshots are texts."""

    dataset_id: str
    title: str
    survey: str
    organisation: str
    domain: str
    table_name: str | None
    status: str
    error: str | None
    rows: int | None
    rows_without_number: int | None
    quarantined: int | None
    scope: dict[str, str]
    updated: str
    changed_at: str | None
    snapshot_id: str | None

    def line(self) -> str:
        """Return it as a line of data."""
        counts = f"{self.rows or 0:,}行" if self.status == "loaded" else self.status
        more = [f"値なし {self.rows_without_number:,}"] if self.rows_without_number else []
        more += [f"隔離 {self.quarantined:,}"] if self.quarantined else []
        more += [" ".join(f"{axis}={codes}" for axis, codes in self.scope.items())] if self.scope else []
        more += [f"エラー: {self.error}"] if self.error else []
        named = [self.dataset_id, self.title, self.survey, self.organisation, self.table_name or self.domain]
        return data_line([*named, counts, *more, f"更新 {self.updated or '不明'}"])


TO_MEND = "registry/ のファイルをバックアップから戻すか、消して取り込み直します。"


class DatasetsAnswer(Answer):
    """A page of the datasets of the lake."""

    total: int
    datasets: list[Held]
    unreadable: list[str]
    next_cursor: str | None
    credit: str

    def text(self) -> str:
        """Return a line a dataset."""
        lines = [f"データレイクのデータセット {self.total:,}件中、{len(self.datasets):,}件を表示。"]
        lines += [held.line() for held in self.datasets]
        if not self.datasets:
            lines.append(self.to_load("次: search_estat_data で統計表を探し、ingest_dataset_complete で取り込みます。"))
        if self.unreadable:
            lines.append(f"登録ファイルが壊れていて読めないもの: {'、'.join(self.unreadable)}。{TO_MEND}")
        if self.next_cursor:
            lines.append(f"続きは next_cursor: {self.next_cursor}")
        return "\n".join([*lines, *([data_line([self.credit])] if self.credit else [])])


@reading("取込済みデータセット")
def list_datasets(
    bridge: Bridge,
    query: Annotated[str, Field(description="part of id, title, survey or organisation", max_length=200)] = "",
    domain: DomainName = "",
    status: Literal["", "registered", "loaded", "failed"] = "",
    max_results: Annotated[int, Field(ge=1, le=200)] = 50,
    cursor: Cursor = "",
) -> DatasetsAnswer:
    """List the datasets that the lake holds (取込済みの統計表): status, rows, table, scope, update date, snapshot.

    Use search_estat_data for tables that are not loaded yet.
    """
    from estat_dagster.estat.credit import service_credit
    from estat_dagster.estat.words import fold_kana

    asked = {"query": query, "domain": domain, "status": status}
    offset = offset_of(cursor, **asked)
    wanted = fold_kana(query)

    def keeps(entry: DatasetEntry) -> bool:
        words = fold_kana(f"{entry.dataset_id} {entry.title} {entry.stat_name} {entry.gov_org}")
        return domain in ("", entry.domain) and status in ("", entry.status) and wanted in words

    known, damaged = bridge.bench.lake.registry.look()
    entries = sorted(filter(keeps, known), key=lambda entry: entry.dataset_id)

    def compose(page: Sequence[DatasetEntry]) -> DatasetsAnswer:
        after = offset + len(page)
        return DatasetsAnswer(
            total=len(entries),
            datasets=[held(entry) for entry in page],
            unreadable=list(damaged),
            next_cursor=cursor_for(after, **asked) if page and after < len(entries) else None,
            credit=service_credit(page[0].source) if page else "",
        )

    return as_many_as_fit(entries[offset : offset + max_results], compose, wire_size)


def held(entry: DatasetEntry) -> Held:
    """Return what the registry says of a dataset."""
    from estat_dagster.lake.registry import held_scope

    return Held(
        dataset_id=entry.dataset_id,
        title=cut(entry.title, MOST_WORDS),
        survey=entry.stat_name,
        organisation=entry.gov_org,
        domain=entry.domain,
        table_name=entry.table_name,
        status=entry.status,
        error=cut(entry.error, MOST_WORDS) if entry.error else None,
        rows=entry.valid_count,
        rows_without_number=entry.null_count,
        quarantined=entry.quarantined_count,
        scope={axis: cut(codes, MOST_WORDS) for axis, codes in held_scope(entry).items()},
        updated=entry.updated_date,
        changed_at=entry.changed_at,
        snapshot_id=None if entry.snapshot_id is None else str(entry.snapshot_id),
    )


class Snapshot(Facts):
    """A snapshot that loaded, rolled back or deleted the dataset; ids are texts."""

    snapshot_id: str
    made_at: str
    action: str
    rows: int | None
    run_id: str | None
    is_current: bool


class DatasetFacts(Answer):
    """What the lake holds of a dataset, and its snapshots, the newest first."""

    dataset: Held
    snapshots: list[Snapshot]
    credit: str


def read_dataset(bridge: Bridge, dataset_id: str) -> DatasetFacts:
    """Return what the lake holds of a dataset, for its resource.

    Raises:
        DataError: it is not registered.
    """
    from estat_dagster.lake.history import dataset_snapshots

    lake = bridge.bench.lake
    entry = lake.registry.get_dataset_info(dataset_id)
    known = dataset_snapshots(lake.tables.load(entry.table_name), dataset_id) if entry.table_name else []
    snapshots = [
        Snapshot(
            snapshot_id=str(each.snapshot_id),
            made_at=each.made_at.isoformat(),
            action=each.action,
            rows=each.rows,
            run_id=each.run_id,
            is_current=each.is_current,
        )
        for each in known[:MOST_SNAPSHOTS]
    ]
    return DatasetFacts(dataset=held(entry), snapshots=snapshots, credit=entry.credit)


TOOLS = (list_datasets,)
