"""Dagster's API as it fails: each failure is one of the seven kinds, in words that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from estat_dagster.errors import DataLakeError
from estat_dagster.settings import Settings
from mcp_bridge.dagster import documents
from mcp_bridge.dagster.door import Dagster
from mcp_bridge.dagster.graphql import GraphQL
from mcp_bridge.dagster.questions import KEEPER_TAG
from mcp_bridge.dagster.runs import RunView
from tests.bridge.fake_dagster import FakeDagster

pytestmark = pytest.mark.anyio


def fails(error: Exception) -> Callable[[httpx2.Request], httpx2.Response]:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise error

    return answer


def says(status: int, **content: Any) -> Callable[[httpx2.Request], httpx2.Response]:
    return lambda _: httpx2.Response(status, **content)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (fails(httpx2.ConnectError("refused")), "NETWORK_ERROR", "No Dagster answers"),
        (fails(httpx2.ReadTimeout("slow")), "TIMEOUT_ERROR", "did not answer"),
        (says(200, text="<html>"), "UNKNOWN_ERROR", "is not Dagster"),
        (says(502, text=""), "UNKNOWN_ERROR", "HTTP 502"),
        (says(200, json=[1]), "UNKNOWN_ERROR", "is not Dagster"),
        (says(200, json={"errors": [{"message": "Cannot query\n  Traceback"}]}), "UNKNOWN_ERROR", "Cannot query"),
        (says(200, json={"data": None}), "UNKNOWN_ERROR", "an empty answer"),
        (says(200, json={"data": {"x": {"__typename": "UnauthorizedError"}}}), "VALIDATION_ERROR", "read-only"),
    ],
)
async def test_what_goes_wrong_has_a_kind(
    answer: Callable[[httpx2.Request], httpx2.Response], kind: str, words: str
) -> None:
    async with GraphQL("http://dagster.example/", transport=httpx2.MockTransport(answer)) as api:
        with pytest.raises(DataLakeError, match=words) as caught:
            await api.ask(documents.WORKSPACE)
    assert caught.value.kind == kind
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "another", "locationOrLoadError": {"__typename": "RepositoryLocation"}},
        {"name": "estat", "locationOrLoadError": {"__typename": "PythonError", "message": "broken"}},
    ],
)
async def test_a_dagster_without_the_project_is_not_used(entry: dict[str, Any]) -> None:
    fake = FakeDagster({"Workspace": lambda _: {"__typename": "Workspace", "locationEntries": [entry]}})
    door = Dagster(Settings(), may_start=False, transport=fake.transport)
    with pytest.raises(DataLakeError, match="No Dagster of this project") as caught:
        await door.connect()
    assert caught.value.kind == "NETWORK_ERROR"


def event(kind: str, **facts: Any) -> dict[str, Any]:
    return {"__typename": kind, "stepKey": "labor__raw_json", "message": "", **facts}


def log(words: str) -> dict[str, Any]:
    return event("LogMessageEvent", message=words)


def a_run(**changes: Any) -> RunView:
    view = RunView("run")
    record = {
        "status": "STARTED",
        "jobName": "ingest_labor",
        "creationTime": 1.0,
        "startTime": 2.0,
        "endTime": None,
        "assetSelection": None,
        "tags": [{"key": KEEPER_TAG, "value": "x"}, {"key": "dagster/partition", "value": "0003005798"}],
        "stepStats": [{"stepKey": "labor__raw_json", "status": "IN_PROGRESS", "startTime": 2.0, "endTime": None}],
    }
    view.read_record(record | changes)
    return view


def test_a_fetch_is_followed_by_its_records() -> None:
    view = a_run()
    view.read_events(
        [log("fetch: records 1 to 100,000 of 243,000"), log("fetch: records 200,001 to 243,000 of 243,000")]
    )
    assert view.stage == "取得: 243,000件のうち143,000件"
    assert view.pages == (2, 3)
    assert view.fraction == pytest.approx(143 / 243 / 5)
    view.read_events([log("fetch: The table was replaced in the middle: x. Starting again.")])
    assert view.fraction == 0


def test_a_transformation_is_followed_by_its_pages() -> None:
    steps = [
        {"stepKey": "labor__raw_json", "status": "SUCCESS", "startTime": 2.0, "endTime": 3.5},
        {"stepKey": "labor__transformed_frame", "status": "IN_PROGRESS", "startTime": 4.0, "endTime": None},
        {"stepKey": "labor__raw_json__checks", "status": "SUCCESS", "startTime": 3.5, "endTime": 4.0},
    ]
    view = a_run(stepStats=steps)
    view.read_events([log("transform: page 3 of 4")])
    assert view.stage == "行への変換: 4ページのうち3ページ"
    assert view.fraction == pytest.approx((1 + 0.75) / 5)
    assert view.layers["raw_json"].seconds == 1.5


def test_errors_are_told_by_their_cause_and_once() -> None:
    check = {"checkName": "complete", "success": False, "severity": "ERROR", "description": "3 of 4 records"}
    evaluation = event("AssetCheckEvaluationEvent", evaluation=check | {"assetKey": {"path": ["labor", "raw_json"]}})
    failed = {"error": {"message": "outer", "cause": {"message": "inner\n  at"}}, "failureMetadata": None}
    view = a_run(status="FAILURE")
    view.read_events(
        [evaluation, event("ExecutionStepFailureEvent", **failed, **{"stepKey": "labor__raw_json__checks"})]
    )
    view.read_events([event("RunFailureEvent", error={"message": "Steps failed"})])
    assert view.errors == ["The check complete failed: 3 of 4 records"]
    other = a_run(status="FAILURE")
    told = {"description": "API_ERROR: no such table", "metadataEntries": []}
    other.read_events([event("ExecutionStepFailureEvent", error=failed["error"], failureMetadata=told)])
    third = a_run(status="FAILURE")
    third.read_events([event("ExecutionStepFailureEvent", **failed)])
    last = a_run(status="FAILURE")
    last.read_events([event("RunFailureEvent", error={"message": "The worker died"})])
    assert (other.errors, third.errors, last.errors) == (["API_ERROR: no such table"], ["inner"], ["The worker died"])


def test_a_run_that_ended_well_is_whole_and_another_stays_where_it_was() -> None:
    assert a_run(status="SUCCESS", endTime=5.0).fraction == 1
    assert a_run(status="FAILURE", endTime=5.0).fraction == 0
    assert a_run(endTime=5.0).seconds == 3.0
    assert a_run(startTime=None).seconds is None


@pytest.mark.parametrize("step", ["FAILURE", "IN_PROGRESS"])
def test_a_run_that_was_canceled_has_not_failed(step: str) -> None:
    steps = [
        {"stepKey": "labor__raw_json", "status": "SUCCESS", "startTime": 2.0, "endTime": 3.5},
        {"stepKey": "labor__transformed_frame", "status": step, "startTime": 4.0, "endTime": None},
    ]
    view = a_run(status="CANCELED", stepStats=steps)
    interrupted = {"message": "dagster._core.errors.DagsterExecutionInterruptedError", "cause": None}
    view.read_events([event("ExecutionStepFailureEvent", error=interrupted, failureMetadata=None)])
    view.read_events([event("RunFailureEvent", error=interrupted)])
    assert view.errors == []
    assert [layer.status for layer in view.layers.values()] == ["SUCCESS", "CANCELED", "WAITING", "WAITING", "WAITING"]
    assert view.fraction == pytest.approx(1 / 5)
