"""Any page size, any order of arrival and any fault seed gives the same raw content, or none at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from estat_dagster.errors import DataLakeError
from estat_dagster.estat.client import EstatClient, Patience
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.sandbox.faults import OF_A_PAGE, Fault, FaultPlan, Kind
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import TABLE_ID
from tests.estat.small_table import RECORDS, MemorySink, records_of, small_cells, small_table

SLOW = {Kind.SILENT, Kind.STALL, Kind.DRIP}
MENDED = sorted(set(Kind) - OF_A_PAGE - SLOW - {Kind.XML_100})
"""The faults that are over sooner or later, of which none takes its time."""

CELLS = small_cells()
PLANS = st.builds(FetchPlan, st.integers(1, RECORDS + 1), st.integers(1, 6))
SEEDS = st.integers(0, 2**32)
JITTERS = st.sampled_from([0.0, 0.005, 0.02])
EXAMPLES = settings(max_examples=settings.default.max_examples // 4)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([small_table()]) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(sandbox: Sandbox) -> str:
    """The content hash of a fetch in one page from a sandbox without faults."""
    sandbox.faults = FaultPlan()
    return fetch(sandbox, FetchPlan())[0]


def fetch(sandbox: Sandbox, plan: FetchPlan) -> tuple[str, list[dict[str, str]]]:
    """Fetch with a client that tries long enough, and return the content hash and the records."""
    client = EstatClient("id", sandbox.base_url, patience=Patience(tries=40, sleep=lambda seconds: None))
    sink = MemorySink()
    manifest = fetch_dataset(client, TABLE_ID, {}, sink, plan)
    return manifest.content_hash, sink.records(manifest)


@EXAMPLES
@given(plan=PLANS, seed=SEEDS, jitter=JITTERS, kinds=st.sets(st.sampled_from(MENDED), max_size=4))
def test_what_can_be_mended_leaves_no_trace(
    sandbox: Sandbox, undisturbed: str, plan: FetchPlan, seed: int, jitter: float, kinds: set[Kind]
) -> None:
    faults = [Fault(kind, rate=0.15, seconds=1) for kind in sorted(kinds)]
    sandbox.faults = FaultPlan(faults, seed=seed, jitter=jitter)
    assert fetch(sandbox, plan) == (undisturbed, records_of(CELLS))


@EXAMPLES
@given(
    plan=PLANS, seed=SEEDS, jitter=JITTERS, kind=st.sampled_from(sorted(OF_A_PAGE)), rate=st.sampled_from([0.1, 0.4])
)
def test_pages_that_lie_give_the_table_as_it_is_or_nothing(
    sandbox: Sandbox, plan: FetchPlan, seed: int, jitter: float, kind: Kind, rate: float
) -> None:
    sandbox.replace(small_table())
    sandbox.faults = FaultPlan([Fault(kind, rate=rate)], seed=seed, jitter=jitter)
    try:
        found = fetch(sandbox, plan)
    except DataLakeError as error:
        event(f"{kind}: {error.kind}")
        return
    event(f"{kind}: whole")
    sandbox.faults = FaultPlan()
    assert found == fetch(sandbox, FetchPlan())
