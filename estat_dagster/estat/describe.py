"""What a table is before it is fetched: axes, codes, units, symbols, periods, size, and the domain it would go to.

Two requests: getMetaInfo, and one record of getStatsData, which brings the count and the meaning of the symbols (NOTE).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from estat_dagster.domains import Domain, infer_domain
from estat_dagster.estat.client import EstatClient
from estat_dagster.estat.credit import table_credit
from estat_dagster.estat.models import Axis, ClassItem, Metadata, TableInfo
from estat_dagster.estat.periods import Period
from estat_dagster.estat.plan import Estimate, estimate
from estat_dagster.estat.timecodes import parse_period, parse_survey_date

SAMPLE = 5


@dataclass(frozen=True)
class AxisSummary:
    """An axis: how many codes it has, on which levels (level -> codes), in which units, and its first codes."""

    id: str
    name: str
    size: int
    levels: Mapping[str, int]
    units: tuple[str, ...]
    samples: tuple[ClassItem, ...]
    description: str


@dataclass(frozen=True)
class Periods:
    """The periods of a table: first and last day, how many of each kind, and what could not be read."""

    first: date | None
    last: date | None
    kinds: Mapping[str, int]
    doubts: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Description:
    """A table before it is fetched; `plan` is of a fetch of all of it."""

    table: TableInfo
    axes: tuple[AxisSummary, ...]
    periods: Periods
    units: tuple[str, ...]
    notes: Mapping[str, str]
    plan: Estimate
    domain: str
    domain_reason: str
    source: str
    credit: str

    @property
    def metadata(self) -> Metadata:
        """Table and axes with every code."""
        return self.plan.metadata


def describe_table(client: EstatClient, dataset_id: str) -> Description:
    """Return what a table is and how large a fetch of all of it would be.

    Raises:
        ApiError: e-Stat has no such table, or refuses.
        DataLakeError: as every request.
    """
    metadata = client.get_metadata(dataset_id)
    _, page = client.get_page({"statsDataId": dataset_id, "limit": 1, "metaGetFlg": "N", "explanationGetFlg": "N"})
    table, axes = metadata.table, tuple(map(summarise_axis, metadata.axes))
    domain, reason = domain_of(metadata)
    return Description(
        table=table,
        axes=axes,
        periods=covered_periods(metadata),
        units=tuple(dict.fromkeys(unit for axis in axes for unit in axis.units)),
        notes=page.notes,
        plan=estimate(metadata, {}, [page.total_number]),
        domain=domain.name,
        domain_reason=reason,
        source=client.source,
        credit=table_credit(table, client.source, processed=False),
    )


def domain_of(metadata: Metadata) -> tuple[Domain, str]:
    """Return the domain that a table goes to, and the reason (`domains.infer_domain`)."""
    table = metadata.table
    return infer_domain(
        field_code=table.field_code,
        field_name=table.field_name,
        title=table.title,
        survey=f"{table.stat_name} {table.statistics_name}",
        axis_names=[axis.name for axis in metadata.axes],
    )


def summarise_axis(axis: Axis) -> AxisSummary:
    """Return an axis in few facts."""
    return AxisSummary(
        id=axis.id,
        name=axis.name,
        size=len(axis.classes),
        levels=dict(sorted(Counter(item.level for item in axis.classes).items())),
        units=tuple(dict.fromkeys(item.unit for item in axis.classes if item.unit)),
        samples=axis.classes[:SAMPLE],
        description=axis.description,
    )


def covered_periods(metadata: Metadata) -> Periods:
    """Return what the time axis covers, or SURVEY_DATE where there is none."""
    axis = metadata.axis("time")
    if axis is None:
        return _periods([parse_survey_date(metadata.table.survey_date)], "SURVEY_DATE")
    return _periods([parse_period(item.code, item.name) for item in axis.classes], "time axis")


def _periods(periods: list[Period], source: str) -> Periods:
    starts = [period.start for period in periods if period.start]
    ends = [period.end for period in periods if period.end]
    return Periods(
        first=min(starts, default=None),
        last=max(ends, default=None),
        kinds=dict(Counter(period.kind for period in periods)),
        doubts=tuple(period.doubt for period in periods if period.doubt),
        source=source,
    )
