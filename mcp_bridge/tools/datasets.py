"""Datasets: what the lake holds, and what a table of e-Stat is before it is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from mcp_bridge.answers import Answer, wire_size
from mcp_bridge.arguments import Cursor, DatasetId
from mcp_bridge.bridge import Bridge
from mcp_bridge.pages import as_many_as_fit, cursor_for, offset_of
from mcp_bridge.plain import cut, data_line
from mcp_bridge.toolbox import reading

if TYPE_CHECKING:
    from estat_dagster.estat.describe import AxisSummary, Description
    from estat_dagster.lake.registry import DatasetEntry

MOST_WORDS = 300
DomainName = Literal["", "population", "economy", "labor", "education", "health", "general"]


class Held(BaseModel):
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


class DatasetsAnswer(Answer):
    """A page of the datasets of the lake."""

    total: int
    datasets: list[Held]
    next_cursor: str | None
    credit: str

    def text(self) -> str:
        """Return a line a dataset."""
        lines = [f"データレイクのデータセット {self.total:,}件中、{len(self.datasets):,}件を表示。"]
        lines += [held.line() for held in self.datasets]
        if not self.datasets:
            lines.append("次: search_estat_data で統計表を探し、ingest_dataset_complete で取り込みます。")
        if self.next_cursor:
            lines.append(f"続きは next_cursor: {self.next_cursor}")
        return "\n".join([*lines, *([data_line([self.credit])] if self.credit else [])])


@reading("Datasets of the lake (取込済みデータセット)")
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

    entries = sorted(filter(keeps, bridge.bench.lake.registry), key=lambda entry: entry.dataset_id)

    def compose(page: Sequence[DatasetEntry]) -> DatasetsAnswer:
        after = offset + len(page)
        return DatasetsAnswer(
            total=len(entries),
            datasets=[held(entry) for entry in page],
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


class AxisFacts(BaseModel):
    """An axis: how many codes on which levels, in which units, and its first ones as code -> name."""

    axis: str
    name: str
    codes: int
    levels: dict[str, int]
    units: list[str]
    first_codes: dict[str, str]

    def line(self) -> str:
        """Return it as a line of data."""
        samples = "、".join(f"{code} {name}" for code, name in self.first_codes.items())
        units = [f"単位 {'、'.join(self.units)}"] if self.units else []
        return data_line([self.axis, self.name, f"{self.codes:,}コード", *units, samples])


class TableFacts(BaseModel):
    """What e-Stat says of a table."""

    title: str
    survey: str
    survey_code: str
    statistics: str
    organisation: str
    field: str
    cycle: str
    survey_date: str
    area_level: str
    opened: str
    updated: str


class PeriodFacts(BaseModel):
    """The days that a table covers, how many periods of which kind, and which could not be read for sure."""

    first_day: str | None
    last_day: str | None
    kinds: dict[str, int]
    doubts: list[str]


class FetchFacts(BaseModel):
    """How large a fetch of all of it is, and what would make it smaller."""

    records: int
    requests: int
    seconds: float
    advice: list[str]


class DescribeAnswer(Answer):
    """A table of e-Stat, its symbols, the size of a fetch, and what the lake holds of it (null: nothing)."""

    dataset_id: str
    table: TableFacts
    axes: list[AxisFacts]
    periods: PeriodFacts
    symbols: dict[str, str]
    fetch: FetchFacts
    domain: str
    domain_reason: str
    in_lake: Held | None
    credit: str

    def text(self) -> str:
        """Return the facts in Japanese."""
        table, periods, fetch = self.table, self.periods, self.fetch
        lines = [
            data_line([self.dataset_id, table.title]),
            data_line([table.survey, table.organisation, table.field, table.cycle, f"更新 {table.updated}"]),
            f"期間: {periods.first_day or '不明'} から {periods.last_day or '不明'}。軸:",
            *(axis.line() for axis in self.axes),
            *(["記号の意味:"] if self.symbols else []),
            *(data_line(pair) for pair in self.symbols.items()),
            f"全件で {fetch.records:,}件、{fetch.requests:,}回の取得、およそ {fetch.seconds:g}秒。分野: {self.domain}。",
            *(data_line(["filters で小さくできます", advice]) for advice in fetch.advice),
        ]
        if self.in_lake and self.in_lake.status == "loaded":
            lines += ["取込済み:", self.in_lake.line(), "次: analyze_with_athena で分析します。"]
        else:
            lines += ["次: ingest_dataset_complete で取り込みます。"]
        return "\n".join([*lines, data_line([self.credit])])


@reading("Describe a table (統計表の内容)", open_world=True)
def describe_dataset(bridge: Bridge, dataset_id: DatasetId) -> DescribeAnswer:
    """Describe one table of e-Stat before fetching it: survey, axes (軸) with first codes, periods, symbols (記号),
    size of a fetch, domain, and what the lake holds of it. For all codes of an axis use find_codes.
    """
    from estat_dagster.estat.describe import describe_table

    found = describe_table(bridge.bench.estat, dataset_id)
    entry = bridge.bench.lake.registry.find(dataset_id)
    symbols = list(found.notes.items())
    axes = list(found.axes)

    def compose(parts: Sequence[AxisSummary]) -> DescribeAnswer:
        return _describe(found, parts, symbols[:MOST_SYMBOLS], held(entry) if entry else None)

    return as_many_as_fit(axes, compose, wire_size)


MOST_SYMBOLS = 20


def _describe(
    found: Description, axes: Iterable[AxisSummary], symbols: Iterable[tuple[str, str]], in_lake: Held | None
) -> DescribeAnswer:
    table, periods, plan = found.table, found.periods, found.plan
    return DescribeAnswer(
        dataset_id=table.id,
        table=TableFacts(
            title=cut(table.title, MOST_WORDS),
            survey=table.stat_name,
            survey_code=table.stat_code,
            statistics=table.statistics_name,
            organisation=table.gov_org,
            field=f"{table.field_code} {table.field_name}".strip(),
            cycle=table.cycle,
            survey_date=table.survey_date,
            area_level=table.collect_area,
            opened=table.open_date,
            updated=table.updated_date,
        ),
        axes=[_axis(axis) for axis in axes],
        periods=PeriodFacts(
            first_day=periods.first.isoformat() if periods.first else None,
            last_day=periods.last.isoformat() if periods.last else None,
            kinds=dict(periods.kinds),
            doubts=list(periods.doubts)[:MOST_SYMBOLS],
        ),
        symbols={symbol: cut(meaning, MOST_WORDS) for symbol, meaning in symbols},
        fetch=FetchFacts(records=plan.records, requests=plan.requests, seconds=plan.seconds, advice=list(plan.advice)),
        domain=found.domain,
        domain_reason=found.domain_reason,
        in_lake=in_lake,
        credit=found.credit,
    )


def _axis(axis: AxisSummary) -> AxisFacts:
    return AxisFacts(
        axis=axis.id,
        name=axis.name,
        codes=axis.size,
        levels=dict(axis.levels),
        units=list(axis.units)[:20],
        first_codes={item.code: cut(item.name, 100) for item in axis.samples},
    )


class Snapshot(BaseModel):
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


MOST_SNAPSHOTS = 100


def read_table(bridge: Bridge, dataset_id: str) -> DescribeAnswer:
    """Return what a table of e-Stat is, for its resource.

    Raises:
        ValidationError: the id is none.
    """
    from estat_dagster.domains import check_dataset_id

    described: DescribeAnswer = describe_dataset.function(bridge, check_dataset_id(dataset_id))
    return described


TOOLS = (list_datasets, describe_dataset)
