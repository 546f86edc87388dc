"""Every fault of the sandbox against a fetch into a lake: it ends complete and right, or fails with the right kind of
error and leaves nothing that could be taken for data.

Each fault happens once and is gone, or stays, on the first page or on a later one.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from estat_dagster.assets.registering import register_dataset
from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.assets.steps.raw import fetch_raw
from estat_dagster.assets.steps.rows import transform
from estat_dagster.errors import DataError, DataLakeError
from estat_dagster.estat.client import EstatClient, Patience
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.estat.pages import StatsPage
from estat_dagster.sandbox.faults import LATER, OF_A_PAGE, Kind
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from estat_dagster.workbench import Workbench
from tests.estat.answers import TABLE_ID
from tests.estat.small_table import MemorySink, records_of, small_table
from tests.replay import as_list

SLOW = (Kind.SILENT, Kind.STALL, Kind.DRIP)
SECONDS = 30.0  # longer than anybody's patience
PLAN = FetchPlan(chunk_size=6, max_concurrent=3)  # four pages
FIRST, LATER_ONE = 1, 3
APP_ID = "0123456789abcdef0123456789abcdef01234567"

WHOLE = "complete and right"
API, NETWORK, TIMEOUT, DATA = "API_ERROR", "NETWORK_ERROR", "TIMEOUT_ERROR", "DATA_ERROR"

OUTCOMES: dict[Kind, tuple[str, str]] = {
    Kind.TOO_MANY_REQUESTS: (WHOLE, API),
    Kind.WAIT_SECONDS: (WHOLE, API),
    Kind.WAIT_UNTIL: (WHOLE, API),
    Kind.HTTP_500: (WHOLE, API),
    Kind.HTTP_502: (WHOLE, API),
    Kind.HTTP_503: (WHOLE, API),
    Kind.HTTP_504: (WHOLE, API),
    Kind.STATUS_200: (WHOLE, API),
    Kind.STATUS_299: (WHOLE, API),
    Kind.XML_100: (API, API),
    Kind.XML_299: (WHOLE, API),
    Kind.OTHER_TYPE: (WHOLE, API),
    Kind.INVALID_JSON: (WHOLE, API),
    Kind.CUT: (WHOLE, NETWORK),
    Kind.INVALID_GZIP: (WHOLE, API),
    Kind.LENGTH_TOO_LONG: (WHOLE, NETWORK),
    Kind.LENGTH_TOO_SHORT: (WHOLE, API),
    Kind.SILENT: (WHOLE, TIMEOUT),
    Kind.STALL: (WHOLE, TIMEOUT),
    Kind.RESET: (WHOLE, NETWORK),
    Kind.DRIP: (WHOLE, TIMEOUT),
    Kind.TOO_FEW: (DATA, DATA),
    Kind.TOO_MANY: (DATA, DATA),
    Kind.REPEATED_PAGE: (DATA, DATA),
    Kind.REPEATED_VALUES: (DATA, DATA),
    Kind.SHIFTED_PAGE: (DATA, DATA),
    Kind.TOTAL_CHANGES: (WHOLE, DATA),
    Kind.REPLACED: (WHOLE, DATA),
    Kind.NO_NEXT_KEY: (WHOLE, WHOLE),
    Kind.EMPTY_DATA_INF: (DATA, DATA),
}
"""What becomes of a fetch: where the fault happens once, and where it stays."""

CASES = [
    pytest.param(kind, page, times, outcome, id=f"{kind}-page-{page}-{'once' if times else 'always'}")
    for kind, outcomes in OUTCOMES.items()
    for page in (FIRST, LATER_ONE)
    for times, outcome in zip((1, None), outcomes, strict=True)
    if not (kind in LATER and page == FIRST)
]


def test_every_fault_is_in_the_table() -> None:
    assert set(OUTCOMES) == set(Kind)


@pytest.fixture(scope="module")
def only_sandbox() -> Iterator[Sandbox]:
    with Sandbox([small_table()]) as running:
        yield running


@pytest.fixture
def sandbox(only_sandbox: Sandbox) -> Sandbox:
    """The sandbox as new: nothing goes wrong, and the table is the first one."""
    only_sandbox.heal()
    only_sandbox.replace(small_table())
    return only_sandbox


@pytest.fixture
def job(sandbox: Sandbox, tmp_path: Path) -> DatasetJob:
    """The dataset, registered in an empty lake."""
    bench = Workbench(Settings(app_id=APP_ID, base_url=sandbox.base_url, lake_home=tmp_path))
    bench.estat = EstatClient(APP_ID, sandbox.base_url, patience=Patience(tries=2, sleep=lambda seconds: None))
    register_dataset(bench, TABLE_ID)
    return DatasetJob.of(bench, TABLE_ID)


def impatient(sandbox: Sandbox, tries: int) -> EstatClient:
    """Return a client that gives up soon; the next try is twice as patient."""
    patience = Patience(tries=tries, read_timeout=0.25, total_timeout=0.35, sleep=lambda seconds: None)
    return EstatClient(APP_ID, sandbox.base_url, patience=patience)


@pytest.mark.parametrize(("kind", "page", "times", "outcome"), CASES)
def test_a_fetch_is_whole_or_fails_and_leaves_nothing(
    sandbox: Sandbox,
    job: DatasetJob,
    caplog: pytest.LogCaptureFixture,
    kind: Kind,
    page: int,
    times: int | None,
    outcome: str,
) -> None:
    caplog.set_level("DEBUG")
    if kind in SLOW:
        job.bench.estat = impatient(sandbox, tries=4 if times else 2)
    met = None if kind is Kind.REPLACED and times is None else page  # replaced at one page, the others may agree
    sandbox.fail(kind, page=met, times=times, function="getStatsData", seconds=SECONDS)
    if outcome == WHOLE:
        fetch_raw(job, PLAN)
        check_whole(sandbox, job)
        return
    with pytest.raises(DataLakeError) as caught:
        fetch_raw(job, PLAN)
    assert caught.value.kind == outcome, repr(caught.value.to_dict())
    assert APP_ID not in everything_said(caught.value)
    assert APP_ID not in caplog.text
    check_nothing(job, resumes=caught.value.can_retry)
    sandbox.heal()
    fetch_raw(job, PLAN)
    check_whole(sandbox, job)


@pytest.mark.parametrize(
    "kind", [Kind.HTTP_503, Kind.RESET, Kind.STALL, Kind.TOO_FEW, Kind.REPEATED_PAGE, Kind.REPLACED]
)
def test_a_fetch_that_fails_leaves_the_one_before_as_it_was(sandbox: Sandbox, job: DatasetJob, kind: Kind) -> None:
    fetch_raw(job, PLAN)
    before, files = job.manifest(), kept_pages(job)
    job.bench.estat = impatient(sandbox, tries=2)
    sandbox.replace(small_table(updated="2026-06-01"))
    sandbox.fail(kind, page=None if kind is Kind.REPLACED else LATER_ONE, function="getStatsData", seconds=SECONDS)
    with pytest.raises(DataLakeError):
        fetch_raw(job, PLAN)
    assert job.manifest() == before
    assert kept_pages(job) == files


@pytest.mark.parametrize("kind", sorted(OF_A_PAGE - LATER - {Kind.REPLACED, Kind.NO_NEXT_KEY}))
def test_a_table_of_one_page_is_whole_too_or_nothing(sandbox: Sandbox, job: DatasetJob, kind: Kind) -> None:
    sandbox.fail(kind)
    with pytest.raises(DataError):
        fetch_raw(job, FetchPlan())
    check_nothing(job, resumes=False)


@pytest.mark.parametrize("kind", [Kind.WAIT_SECONDS, Kind.WAIT_UNTIL])
def test_a_server_that_asks_to_wait_is_waited_for(sandbox: Sandbox, kind: Kind) -> None:
    naps: list[float] = []
    client = EstatClient("id", sandbox.base_url, patience=Patience(sleep=naps.append))
    sandbox.fail(kind, times=1, page=LATER_ONE, seconds=40)
    fetch_dataset(client, TABLE_ID, {}, MemorySink(), PLAN)
    assert len(naps) == 1
    assert 35 < naps[0] <= 41


def test_a_body_that_drips_within_the_patience_is_taken(sandbox: Sandbox, job: DatasetJob) -> None:
    sandbox.fail(Kind.DRIP, seconds=0.1)
    fetch_raw(job, PLAN)
    check_whole(sandbox, job)


def test_a_body_that_drips_on_and_on_is_given_up(sandbox: Sandbox) -> None:
    patience = Patience(tries=1, total_timeout=0.3)  # the next bytes are waited for much longer
    sandbox.fail(Kind.DRIP, seconds=4)
    with pytest.raises(DataLakeError) as caught:
        fetch_dataset(EstatClient("id", sandbox.base_url, patience=patience), TABLE_ID, {}, MemorySink(), PLAN)
    assert caught.value.kind == TIMEOUT


def check_whole(sandbox: Sandbox, job: DatasetJob) -> None:
    """Compare what the lake holds with the table that the sandbox serves now, and with an undisturbed fetch of it."""
    sandbox.heal()
    pages = kept_pages(job)
    table = sandbox.tables[TABLE_ID]
    values = itertools.chain.from_iterable(as_list(json.loads(page.values)) for page in pages)
    assert list(values) == records_of(table.cells)
    assert {page.table.updated_date for page in pages} == {table.facts["UPDATED_DATE"]}
    undisturbed = fetch_dataset(EstatClient("id", sandbox.base_url), TABLE_ID, {}, MemorySink())
    assert job.manifest()[1].content_hash == undisturbed.content_hash


def check_nothing(job: DatasetJob, *, resumes: bool) -> None:
    """Look for what could be taken for data: there is no manifest, and so the next step has nothing to read.

    Pages stay for the next try alone, where there is a point in trying again.
    """
    assert job.raw.latest() is None
    with pytest.raises(DataError, match="No raw pages"):
        transform(job)
    assert resumes or job.raw.names("") == []
    files = [path for path in job.bench.settings.lake_home.rglob("*") if path.is_file()]
    assert not any(APP_ID.encode() in path.read_bytes() for path in files)


def kept_pages(job: DatasetJob) -> list[StatsPage]:
    """Return the pages of the newest manifest."""
    return [job.raw.read_checked(entry) for entry in job.manifest()[1].pages]


def everything_said(error: BaseException) -> str:
    """Return the words of an error and of all that it came from."""
    parts: list[Any] = []
    following: BaseException | None = error
    while following is not None:
        parts += [following, following.args, vars(following)]
        following = following.__cause__ or following.__context__
    return repr(parts)
