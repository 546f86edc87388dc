"""Athena as moto plays it, through HTTP: rows said beforehand, queries that wait, run, succeed and are stopped.

What moto does not play is asked of `fake_athena`: pages of 1,000 rows, throttling, reasons of failures, limits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from pyiceberg.catalog import Catalog
from query_lake import NAMESPACE

from estat_dagster.errors import RequestTimeoutError, UnknownError
from estat_dagster.query.athena import executions, workgroup
from estat_dagster.query.athena.client import Client
from estat_dagster.query.athena.engine import AthenaEngine
from tests.cloud import REGION, Cloud, running_cloud

GROUP = "estat-datalake"
SELECT = "SELECT year FROM population_data"
EXECUTION = "athena::execution"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as running:
        yield running
        requests.post(f"{running.endpoint}/moto-api/reset", timeout=10).raise_for_status()


@pytest.fixture
def athena(cloud: Cloud, lake: Catalog, monkeypatch: pytest.MonkeyPatch) -> AthenaEngine:
    monkeypatch.setattr(executions, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(executions, "LONGEST_PAUSE", 0.01)
    client = Client(REGION)
    workgroup.set_up(client, GROUP, "s3://lake/athena-results/")
    return AthenaEngine(client, lake, NAMESPACE, group=GROUP, seconds=20)


@pytest.fixture
def endless(cloud: Cloud) -> Iterator[None]:
    """Let queries stay where they are until they are stopped."""
    _tell(cloud, "state-manager/set-transition", {"progression": "manual", "times": 10**9})
    yield
    _tell(cloud, "state-manager/unset-transition", None)


def _tell(cloud: Cloud, door: str, transition: dict[str, Any] | None) -> None:
    said = {"model_name": EXECUTION} | ({"transition": transition} if transition else {})
    requests.post(f"{cloud.endpoint}/moto-api/{door}", json=said, timeout=10).raise_for_status()


def _say_rows(cloud: Cloud, *texts: str | None) -> None:
    """Let the next query give these rows of one whole number."""
    held: list[dict[str, str]] = [{} if text is None else {"VarCharValue": text} for text in ("n", *texts)]
    column = {"Name": "n", "Label": "n", "Type": "integer"}
    result = {"rows": [{"Data": [cell]} for cell in held], "column_info": [column]}
    door = f"{cloud.endpoint}/moto-api/static/athena/query-results"
    requests.post(door, json={"region": REGION, "results": [result]}, timeout=10).raise_for_status()


def _state(query_id: str) -> str:
    athena = boto3.client("athena", region_name=REGION)
    return str(athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]["State"])


@pytest.mark.parametrize("limit", [None, 700, 1000, 2500])
def test_more_than_a_thousand_rows_come_whole_by_cursors(cloud: Cloud, athena: AthenaEngine, limit: int | None) -> None:
    _say_rows(cloud, *map(str, range(2499)), None)
    seen: list[int | None] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        result = athena.run(SELECT, limit=limit, cursor=cursor)
        seen += result.read_all().column("n").to_pylist()
        cursor, pages = result.cursor, pages + 1
    assert seen == [*range(2499), None]
    assert pages == -(-2500 // (limit or 2500))


def test_a_query_without_rows_has_none(athena: AthenaEngine, cloud: Cloud) -> None:
    _say_rows(cloud)
    result = athena.run(SELECT)
    assert (result.read_all().num_rows, result.cost_usd) == (0, pytest.approx(0.0000476837))


def test_a_query_that_waits_and_runs_is_waited_for(athena: AthenaEngine, cloud: Cloud) -> None:
    _say_rows(cloud, "1")
    _tell(cloud, "state-manager/set-transition", {"progression": "manual", "times": 3})
    try:
        assert athena.run(SELECT).read_all().to_pylist() == [{"n": 1}]
    finally:
        _tell(cloud, "state-manager/unset-transition", None)


@pytest.mark.usefixtures("endless")
def test_a_query_is_cancelled_from_another_thread(athena: AthenaEngine) -> None:
    started: list[str] = []
    told = threading.Event()
    met: list[BaseException] = []

    def ask() -> None:
        try:
            athena.run(SELECT, on_start=lambda query_id: (started.append(query_id), told.set())[1])
        except UnknownError as error:
            met.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert told.wait(20)
    assert athena.cancel(started[0])
    thread.join(20)
    assert "cancelled" in str(met[0])
    assert _state(started[0]) == "CANCELLED"
    assert athena.cancel(started[0]) is False


@pytest.mark.usefixtures("endless")
def test_a_query_that_takes_too_long_is_stopped(athena: AthenaEngine, lake: Catalog) -> None:
    engine = AthenaEngine(Client(REGION), lake, NAMESPACE, group=GROUP, seconds=0.05)
    started: list[str] = []
    with pytest.raises(RequestTimeoutError, match=r"took longer than 0\.05 s and was stopped"):
        engine.run(SELECT, on_start=started.append)
    assert _state(started[0]) == "CANCELLED"


@pytest.mark.usefixtures("endless")
@pytest.mark.parametrize("gone", [KeyboardInterrupt, SystemExit])
def test_a_query_is_stopped_when_its_caller_goes_away(athena: AthenaEngine, gone: type[BaseException]) -> None:
    started: list[str] = []

    def leave(query_id: str) -> None:
        started.append(query_id)
        raise gone

    with pytest.raises(gone):
        athena.run(SELECT, on_start=leave)
    assert _state(started[0]) == "CANCELLED"
