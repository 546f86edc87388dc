"""The plan of a fetch: how to make it, how large it will be, and what would make it smaller. Counts are asked for
(cntGetFlg); OVERALL_TOTAL_NUMBER of the metadata is 0 for some tables that are full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from estat_dagster.errors import ValidationError
from estat_dagster.estat.client import PAGE_LIMIT, EstatClient
from estat_dagster.estat.models import Axis, Metadata
from estat_dagster.estat.pace import START
from estat_dagster.estat.resolve import resolve_scope
from estat_dagster.estat.scope import Scope, describe_scope, narrowing, split_scope

# Rough on purpose: a page of 100,000 real records is 0.73 MB of gzip, and takes some seconds to come.
BYTES_A_RECORD = 7.5
SECONDS_A_REQUEST, SECONDS_A_RECORD = 0.5, 2.5e-5
MOST_ADVICE = 4
LAST_PERIODS = 5


@dataclass(frozen=True)
class FetchPlan:
    """How to fetch.

    Args:
        chunk_size: records a page.
        max_concurrent: the most requests at once; the client's pace may allow fewer.
        interval: the least seconds between two requests.
        max_records: the most records to fetch; a larger scope is refused, and nothing of it is fetched.
        expected: records that the table had last time, 0 where nothing is known; the pages of that many are asked for
            without waiting for the first. What the answers say decides.
    """

    chunk_size: int = PAGE_LIMIT
    max_concurrent: int = 10
    interval: float = 0.0
    max_records: int | None = None
    expected: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.chunk_size <= PAGE_LIMIT:
            raise ValidationError(
                f"A chunk size of {self.chunk_size:,} is not possible.", hint=f"Choose 1 to {PAGE_LIMIT:,} records."
            )
        if self.max_concurrent < 1 or not 0 <= self.interval <= 3_600:
            raise ValidationError(
                f"{self.max_concurrent} requests at once, {self.interval} s apart, are not possible.",
                hint="Choose 1 request or more, and 0 to 3,600 seconds.",
            )
        if self.max_records is not None and self.max_records < 1:
            raise ValidationError("The most records to fetch must be 1 or more.", hint="Leave it out to fetch all.")


@dataclass(frozen=True)
class Estimate:
    """How large a fetch will be: records and requests are exact, bytes (gzip) and seconds are not.

    `advice` says what would make it smaller, "" lines never; empty where one request is enough.
    """

    metadata: Metadata
    scope: dict[str, str]
    records: int
    requests: int
    bytes: int
    seconds: float
    advice: tuple[str, ...]


def estimate_fetch(
    client: EstatClient, dataset_id: str, scope: Scope | None = None, plan: FetchPlan | None = None
) -> Estimate:
    """Ask e-Stat how many records the scope has, and return how large its fetch will be.

    Raises:
        ValidationError: the table has no such axis, code or name.
        DataLakeError: as every request.
    """
    metadata = client.get_metadata(dataset_id)
    resolved = resolve_scope(scope or {}, metadata)
    return estimate(metadata, resolved, count_parts(client, dataset_id, resolved), plan)


def estimate(metadata: Metadata, scope: Scope, counts: Sequence[int], plan: FetchPlan | None = None) -> Estimate:
    """Return how large a fetch will be whose parts have so many records; the scope is in codes."""
    plan, records = plan or FetchPlan(), sum(counts)
    requests = sum(max(1, -(-count // plan.chunk_size)) for count in counts)
    return Estimate(
        metadata,
        dict(scope),
        records,
        requests,
        bytes=round(records * BYTES_A_RECORD),
        seconds=round(_seconds(requests, min(records, plan.chunk_size), plan), 1),
        advice=tuple(_advice(metadata, scope, records))[:MOST_ADVICE] if requests > 1 else (),
    )


def count_parts(client: EstatClient, dataset_id: str, scope: Scope) -> list[int]:
    """Return the number of records of each request that the scope takes."""
    return [client.get_count(dataset_id, narrowing(piece)) for piece in split_scope(scope)]


def refuse_larger(client: EstatClient, dataset_id: str, scope: Scope, plan: FetchPlan) -> int:
    """Return the number of records of a scope that is within the plan's `max_records`.

    A part of a table that looks like all of it would be worse than none, so nothing is cut off.

    Raises:
        ValidationError: it has more.
    """
    records = sum(count_parts(client, dataset_id, scope))
    if plan.max_records is None or records <= plan.max_records:
        return records
    advice = "; ".join(_advice(client.get_metadata(dataset_id), scope, records))
    part = f" with {describe_scope(scope)}" if scope else ""
    raise ValidationError(
        f"{dataset_id}{part} has {records:,} records, more than the {plan.max_records:,} that may be fetched.",
        hint=f"Nothing was fetched. Raise the limit, or narrow it: {advice or 'filter one of its axes'}.",
        dataset_id=dataset_id,
        records=records,
    )


def _seconds(requests: int, page: int, plan: FetchPlan) -> float:
    """Return about how long so many requests take: rounds of as many at once as the pace allows by then."""
    rounds, done, at_once = 1, 1, START
    while done < requests:
        rounds, done = rounds + 1, done + min(at_once, plan.max_concurrent)
        at_once *= 2
    return max(rounds * (SECONDS_A_REQUEST + page * SECONDS_A_RECORD), (requests - 1) * plan.interval)


def _advice(metadata: Metadata, scope: Scope, records: int) -> Iterator[str]:
    """Return filters that leave less, as shares of an axis's classes; cells may be absent, so the counts are rough."""
    free = [axis for axis in metadata.axes if axis.id not in scope and len(axis.classes) > 1]
    for axis in sorted(free, key=lambda axis: -len(axis.classes)):
        yield from (f"{words} leaves about {records * left:,.0f} records" for words, left in _shares(axis))


def _shares(axis: Axis) -> Iterator[tuple[str, float]]:
    size = len(axis.classes)
    levels = sorted({item.level for item in axis.classes if item.level})
    if len(levels) > 1:
        counts = {level: sum(item.level == level for item in axis.classes) for level in levels}
        level, left = min(counts.items(), key=lambda each: each[1])
        yield f"{axis.id}=level:{level} ({left:,} of the {size:,} classes of {axis.name})", left / size
    elif axis.id == "time" and size > LAST_PERIODS:
        first = sorted(item.code for item in axis.classes)[-LAST_PERIODS]
        yield f"time={first}.. (the last {LAST_PERIODS} of {size:,} periods)", LAST_PERIODS / size
    else:
        yield f"{axis.id}=CODE, one of the {size:,} classes of {axis.name},", 1 / size
