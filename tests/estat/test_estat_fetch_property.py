"""Any page size, any order of arrival and any fault seed gives the same raw content, or none at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from estat_dagster.errors import DataLakeError
from estat_dagster.estat.client import EstatClient, Patience
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.sandbox.faults import OF_A_PAGE, Fault, FaultPlan, Kind
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import TABLE_ID
from tests.estat.small_table import RECORDS, MemorySink, records_of, small_table

SLOW = {Kind.SILENT, Kind.STALL, Kind.DRIP}
MENDED = sorted(set(Kind) - OF_A_PAGE - SLOW - {Kind.XML_100})
"""The faults that are over sooner or later, of which none takes its time."""

PLANS = st.builds(
    FetchPlan,
    chunk_size=st.integers(1, RECORDS + 1),
    max_concurrent=st.integers(1, 6),
    expected=st.sampled_from([0, 1, RECORDS - 1, RECORDS, 2 * RECORDS]),
)
WEATHERS = st.builds(
    lambda kinds, rate, seed, jitter: FaultPlan(
        [Fault(kind, rate=rate, seconds=1) for kind in sorted(kinds)], seed=seed, jitter=jitter
    ),
    st.sets(st.sampled_from(sorted(set(Kind) - SLOW)), max_size=3),
    st.sampled_from([0.05, 0.1, 0.3]),
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.005, 0.02]),
)
EXAMPLES = settings(max_examples=settings.default.max_examples // 4)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([small_table()]) as running:
        yield running


def fetch(
    sandbox: Sandbox, plan: FetchPlan, *, tries: int, sink: MemorySink | None = None
) -> tuple[str, list[dict[str, str]]]:
    """Fetch and return the content hash and the records."""
    client = EstatClient("id", sandbox.base_url, patience=Patience(tries=tries, sleep=lambda seconds: None))
    sink = sink or MemorySink()
    manifest = fetch_dataset(client, TABLE_ID, {}, sink, plan)
    return manifest.content_hash, sink.records(manifest)


def undisturbed(sandbox: Sandbox) -> tuple[str, list[dict[str, str]]]:
    """Fetch the table as it is now, in one page from a sandbox that has no more faults."""
    sandbox.faults = FaultPlan()
    found = fetch(sandbox, FetchPlan(), tries=1)
    assert found[1] == records_of(sandbox.tables[TABLE_ID].cells)
    return found


@EXAMPLES
@given(
    plan=PLANS,
    kinds=st.sets(st.sampled_from(MENDED), max_size=4),
    seed=st.integers(0, 2**32),
    jitter=st.sampled_from([0.0, 0.005, 0.02]),
)
def test_what_can_be_mended_leaves_no_trace(
    sandbox: Sandbox, plan: FetchPlan, kinds: set[Kind], seed: int, jitter: float
) -> None:
    sandbox.replace(small_table())
    sandbox.faults = FaultPlan([Fault(kind, rate=0.15, seconds=1) for kind in sorted(kinds)], seed=seed, jitter=jitter)
    assert fetch(sandbox, plan, tries=40) == undisturbed(sandbox)


@EXAMPLES
@given(attempts=st.lists(st.tuples(PLANS, WEATHERS, st.booleans()), min_size=1, max_size=4), last=PLANS)
def test_whatever_earlier_fetches_left_behind_the_content_is_the_tables_or_none(
    sandbox: Sandbox, attempts: Sequence[tuple[FetchPlan, FaultPlan, bool]], last: FetchPlan
) -> None:
    sandbox.replace(small_table())
    sink = MemorySink()
    for plan, weather, rots in attempts:
        sandbox.faults = weather
        try:
            found = fetch(sandbox, plan, tries=1, sink=sink)
        except DataLakeError as error:
            event(f"{error.kind}, {'pages left' if sink.record and sink.pages else 'nothing left'}")
        else:
            event("whole")
            assert found == undisturbed(sandbox)
        if rots and sink.record and sink.pages:
            name = min(sink.pages)
            sink.pages[name] = sink.pages[max(sink.pages)] if len(sink.pages) > 1 else b""
    sandbox.faults = FaultPlan()
    assert fetch(sandbox, last, tries=1, sink=sink) == undisturbed(sandbox)
