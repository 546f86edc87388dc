"""What a table of e-Stat is, before it is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mcp_bridge.answers import Answer, Facts, wire_size
from mcp_bridge.arguments import DatasetId
from mcp_bridge.bridge import Bridge
from mcp_bridge.pages import as_many_as_fit
from mcp_bridge.plain import cut, data_line
from mcp_bridge.toolbox import reading
from mcp_bridge.tools.datasets import MOST_WORDS, Held, held

if TYPE_CHECKING:
    from estat_dagster.estat.describe import AxisSummary, Description
    from estat_dagster.lake.registry import DatasetEntry

MOST_SYMBOLS = 20


class AxisFacts(Facts):
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


class TableFacts(Facts):
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


class PeriodFacts(Facts):
    """The days that a table covers, how many periods of which kind, and which could not be read for sure."""

    first_day: str | None
    last_day: str | None
    kinds: dict[str, int]
    doubts: list[str]


class FetchFacts(Facts):
    """How large a fetch of all of it is, and what would make it smaller."""

    records: int
    requests: int
    seconds: float
    advice: list[str]


class DescribeAnswer(Answer):
    """A table of e-Stat, its symbols, the size of a fetch, and what the lake holds of it (null: nothing).

    `kept_filters` is the part that loads fetch until other filters are given.
    """

    dataset_id: str
    table: TableFacts
    axes: list[AxisFacts]
    periods: PeriodFacts
    symbols: dict[str, str]
    fetch: FetchFacts
    domain: str
    domain_reason: str
    in_lake: Held | None
    kept_filters: dict[str, str]
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
            f"全件で {fetch.records:,}件、取得 {fetch.requests:,}回、およそ {fetch.seconds:g}秒。分野: {self.domain}。",
            *(data_line(["filters で小さくできます", advice]) for advice in fetch.advice),
        ]
        if self.kept_filters:
            lines += [
                "保存済みの絞り込みがあり、filters を渡さない取込みはこの部分だけを取得します(全件は filters={}):"
            ]
            lines += [data_line([f"{axis}={codes}" for axis, codes in self.kept_filters.items()])]
        if self.in_lake and self.in_lake.status == "loaded":
            lines += ["取込済み:", self.in_lake.line(), "次: analyze_with_athena で分析します。"]
        else:
            lines += [self.to_load("次: ingest_dataset_complete で取り込みます。")]
        return "\n".join([*lines, data_line([self.credit])])


@reading("統計表の内容", open_world=True)
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
        return _describe(found, parts, symbols[:MOST_SYMBOLS], entry)

    return as_many_as_fit(axes, compose, wire_size)


def _describe(
    found: Description, axes: Iterable[AxisSummary], symbols: Iterable[tuple[str, str]], entry: DatasetEntry | None
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
        in_lake=held(entry) if entry else None,
        kept_filters={axis: cut(codes, MOST_WORDS) for axis, codes in entry.scope.items()} if entry else {},
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


def read_table(bridge: Bridge, dataset_id: str) -> DescribeAnswer:
    """Return what a table of e-Stat is, for its resource.

    Raises:
        ValidationError: the id is none.
    """
    from estat_dagster.domains import check_dataset_id

    described: DescribeAnswer = describe_dataset.function(bridge, check_dataset_id(dataset_id))
    return described


TOOLS = (describe_dataset,)
