"""From a question to queried rows in one conversation, with a real Dagster that the bridge starts for itself."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from estat_dagster.sandbox.server import Sandbox
from mcp_bridge.japanese import CHECKS
from tests.mcp.talk import Place, Talk, pages_asked, talking

pytestmark = pytest.mark.anyio
LABOR, LARGE = "0003005798", "9900000014"


async def started(talk: Talk, tool: str, **arguments: Any) -> dict[str, Any]:
    """Start a run; a Dagster that needs longer than a call may wait goes on starting meanwhile."""
    for _ in range(12):
        result = await talk.client.call_tool(tool, {"wait_seconds": 0, **arguments})
        facts = dict(result.structured_content or {})
        if facts.get("error") != "TIMEOUT_ERROR":
            assert not result.is_error, facts
            return facts
    raise AssertionError("Dagster did not start")


def gone(place: Place, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while place.processes() and time.monotonic() < end:
        time.sleep(0.2)
    return not place.processes()


async def test_from_a_question_to_queried_rows(place: Place, sandbox: Sandbox) -> None:
    async with talking(place) as talk:
        found = await talk.call("search_estat_data", query="就業状態")
        assert LABOR in str(found)
        described = await talk.call("describe_dataset", dataset_id=LABOR)
        assert "cat02" in str(described["axes"])
        assert len(place.processes()) == 1, "nothing is started before it is needed"

        run = await started(talk, "ingest_dataset_complete", dataset_id=int(LABOR))
        again = await talk.call("ingest_dataset_complete", dataset_id=LABOR, wait_seconds=0)
        assert again["run_id"] == run["run_id"]
        assert again["already_running"]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/runs/[0-9a-f-]{36}", run["web"])
        assert "このサーバーが自分で起動したDagster" in run["message"]
        state = await talk.ended(run)
        assert state["status"] == "SUCCESS", state
        assert [layer["rows"] for layer in state["layers"]] == [15] * 5
        assert sorted(check["name"] for check in state["checks"]) == sorted(CHECKS)
        assert state["asked_by"] == "mcp ingest_dataset_complete"

        query = f"SELECT sum(value) AS total, count(*) AS n FROM labor_data WHERE dataset_id = '{LABOR}'"
        before = await talk.call("analyze_with_athena", custom_query=query)
        assert before["results"][0]["rows"][0][1] == 15

        table = sandbox.tables[LABOR]
        first, *others = table.cells
        sandbox.replace(table.revised(updated="2026-11-01", cells=[first._replace(value="1"), *others]))
        state = await talk.ended(await started(talk, "ingest_dataset_complete", dataset_id=LABOR))
        assert state["status"] == "SUCCESS", state
        changes = await talk.call("compare_snapshots", dataset_id=LABOR)
        assert changes["counts"]["revised"] == 1, changes
        after = await talk.call("analyze_with_athena", custom_query=query)
        assert after["results"][0]["rows"][0] != before["results"][0]["rows"][0]

        sandbox.fail("drip", page=2, seconds=60)
        slow = await started(talk, "ingest_dataset_complete", dataset_id=LARGE)
        while (await talk.call("get_run", run_id=slow["run_id"], wait_seconds=1))["status"] != "STARTED":
            pass
        for _ in range(2):
            canceled = await talk.call("cancel_run", run_id=slow["run_id"])
            assert canceled["status"] in ("CANCELING", "CANCELED"), canceled
        sandbox.heal()
        state = await talk.ended(slow)
        assert (state["status"], state["errors"]) == ("CANCELED", [])
        assert state["progress"] < 1
        assert {layer["status"] for layer in state["layers"]} == {"CANCELED", "WAITING"}, state["layers"]

        sandbox.fail("drip", page=2, seconds=60)
        slow = await started(talk, "ingest_dataset_complete", dataset_id=LARGE)
        while (await talk.call("get_run", run_id=slow["run_id"], wait_seconds=1))["status"] != "STARTED":
            pass
        assert (await talk.call("cancel_run", run_id=slow["run_id"], force=True))["status"] == "CANCELED"
        assert (await talk.call("cancel_run", run_id=slow["run_id"]))["finished"]
        sandbox.heal()
    assert gone(place)


async def test_what_is_asked_for_reaches_the_run(place: Place, sandbox: Sandbox) -> None:
    async with talking(place) as talk:
        run = await started(talk, "fetch_dataset_filtered", dataset_id=LABOR, filters={"cat02": ["08", "09"]})
        assert (await talk.ended(run))["status"] == "SUCCESS"
        assert {asked.get("cdCat02") for asked in pages_asked(sandbox)} == {"08,09"}
        listed = await talk.call("list_datasets")
        assert "08" in str(listed)

        sandbox.requests.clear()
        run = await started(talk, "fetch_large_dataset_parallel", dataset_id=LABOR, chunk_size=4, max_concurrent=2)
        state = await talk.ended(run)
        assert (state["records_fetched"], state["records_total"]) == (15, 15)
        assert {asked["limit"] for asked in pages_asked(sandbox)} == {"4"}
        assert "cdCat02" not in str(pages_asked(sandbox))

        for tool in ("transform_data", "validate_data_quality", "save_to_parquet", "load_to_iceberg"):
            state = await talk.ended(await started(talk, tool, dataset_id=LABOR))
            assert (state["status"], len(state["layers"])) == ("SUCCESS", 1), state

        sandbox.fail("too-few", function="getStatsData")
        run = await started(talk, "fetch_dataset_auto", dataset_id=LABOR)
        state = await talk.ended(run)
        assert state["status"] == "FAILURE"
        assert state["errors"], state
    assert gone(place)


async def test_two_bridges_share_one_dagster_and_a_killed_one_lets_go(place: Place) -> None:
    async with talking(place) as first:
        one = await started(first, "fetch_dataset", dataset_id=LABOR)
        async with talking(place) as second:
            state = await second.call("get_run", run_id=one["run_id"], wait_seconds=0)
            assert state["web"].partition("/runs")[0] == one["web"].partition("/runs")[0]
        assert (await first.ended(one))["status"] == "SUCCESS"
    assert gone(place)
