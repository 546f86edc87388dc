"""Runs as tasks (SEP-2663) of the bridge's own server, for a client that declares the extension."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, MCPError
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.types import METHOD_NOT_FOUND, CallToolResult, Request, Result
from pydantic import ConfigDict

from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.door import Dagster
from mcp_bridge.server import build_server
from mcp_bridge.tasks import EXTENSION, TaskParams
from tests.bridge.asking_tools import check
from tests.bridge.fake_dagster import FakeDagster

pytestmark = pytest.mark.anyio
LABOR = "0003005798"
APP_ID = "0123456789abcdef-of-the-tasks"
NO_TASK = "00000000-0000-0000-0000-000000000000"


class TaskStarted(Result):
    model_config = ConfigDict(extra="allow")
    result_type: Literal["task"] = "task"


class TaskAnswer(Result):
    model_config = ConfigDict(extra="allow")


class AsTasks(ClientExtension):
    """Takes tasks in the place of results, and keeps the last one."""

    identifier = EXTENSION

    def __init__(self) -> None:
        self.task: dict[str, Any] = {}

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=TaskStarted, resolve=self._keep)]

    async def _keep(self, found: TaskStarted, context: ClaimContext) -> CallToolResult:
        self.task = found.model_dump(by_alias=True)
        nothing = {"run_id": "", "status": "", "unchanged": False, "message": ""}
        return CallToolResult(content=[], structured_content=nothing)


class Bench:
    """A client that polls tasks of a bridge whose Dagster runs nothing."""

    def __init__(self, home: Path, sandbox: Sandbox) -> None:
        settings = Settings(app_id=APP_ID, base_url=sandbox.base_url, lake_home=home)
        bridge, self.dagster, self.extension = Bridge(settings), FakeDagster(), AsTasks()
        bridge.dagster = Dagster(settings, transport=self.dagster.transport)
        self.client = Client(build_server(bridge), mode="2026-07-28", extensions=[self.extension])

    async def start(self, **arguments: Any) -> tuple[CallToolResult, dict[str, Any]]:
        self.extension.task = {}
        result = await self.client.call_tool("ingest_dataset_complete", {"wait_seconds": 45, **arguments})
        return result, self.extension.task

    async def ask(self, method: str, task_id: str) -> dict[str, Any]:
        request = Request[TaskParams, str](method=method, params=TaskParams(task_id=task_id))
        return (await self.client.session.send_request(request, TaskAnswer)).model_dump(by_alias=True)


@pytest.fixture
async def bench(tmp_path: Path, bridge_sandbox: Sandbox) -> Any:
    made = Bench(tmp_path, bridge_sandbox)
    async with made.client:
        yield made


async def test_a_load_is_a_task_that_ends_with_the_run_s_answer(bench: Bench) -> None:
    _, task = await bench.start(dataset_id=LABOR)
    assert (task["status"], task["taskId"]) == ("working", bench.dagster.newest)
    told = await bench.ask("tasks/get", task["taskId"])
    while told["status"] == "working":
        told = await bench.ask("tasks/get", task["taskId"])
    assert told["status"] == "completed"
    assert told["result"]["structuredContent"]["status"] == "SUCCESS"
    assert "isError" not in told["result"] or told["result"]["isError"] is False
    assert (await bench.ask("tasks/cancel", task["taskId"]))["resultType"] == "complete"
    assert (await bench.ask("tasks/get", task["taskId"]))["status"] == "completed"


async def test_a_run_that_fails_has_completed_with_an_error(bench: Bench) -> None:
    bench.dagster.stages = ("STARTED", "FAILURE")
    _, task = await bench.start(dataset_id=LABOR)
    told = await bench.ask("tasks/get", task["taskId"])
    assert (told["status"], told["result"]["isError"]) == ("completed", True)


async def test_a_task_says_why_a_run_failed_in_few_words_and_without_secrets(bench: Bench) -> None:
    words = f"appId=abcdefgh {APP_ID} {Path.home()}/x " + "long" * 10_000
    failure = {"message": words, "error": {"message": words}, "stepKey": "labor__raw_json", "failureMetadata": None}
    failures = [{"__typename": "ExecutionStepFailureEvent", **failure}] * 50
    bench.dagster.stages, bench.dagster.every_event = ("STARTED", "FAILURE"), failures
    _, task = await bench.start(dataset_id=LABOR)
    result = CallToolResult.model_validate((await bench.ask("tasks/get", task["taskId"]))["result"])
    assert "appId=***" in str(result.structured_content)
    check(result)
    assert not [hidden for hidden in (APP_ID, "abcdefgh", "Traceback") if hidden in str(result)]


async def test_a_task_that_is_canceled_works_until_its_step_lets_go(bench: Bench) -> None:
    bench.dagster.stages = ("QUEUED", "STARTED", "CANCELING")

    def safely(given: dict[str, Any]) -> dict[str, Any]:
        bench.dagster.runs[given["id"]]["status"] = "CANCELING"
        return {"__typename": "TerminateRunSuccess"}

    bench.dagster.answers["Cancel"] = safely
    _, task = await bench.start(dataset_id=LABOR)
    for _ in range(2):
        await bench.ask("tasks/cancel", task["taskId"])
    told = await bench.ask("tasks/get", task["taskId"])
    assert (told["status"], told["statusMessage"]) == ("working", "中止処理中")
    bench.dagster.runs[task["taskId"]]["status"] = "CANCELED"
    assert (await bench.ask("tasks/get", task["taskId"]))["status"] == "cancelled"


async def test_what_is_refused_is_a_result_and_what_is_not_there_an_error(bench: Bench) -> None:
    result, task = await bench.start(dataset_id="123")
    assert result.is_error
    assert task == {}
    for task_id in (NO_TASK, "../../etc"):
        for method in ("tasks/get", "tasks/cancel"):
            with pytest.raises(MCPError) as caught:
                await bench.ask(method, task_id)
            assert caught.value.code == -32602


async def test_a_dagster_that_fails_is_said_to_who_polls(bench: Bench) -> None:
    _, task = await bench.start(dataset_id=LABOR)
    bench.dagster.answers["Run"] = lambda _: {"__typename": "PythonError", "message": f"broken {APP_ID}\nTraceback"}
    with pytest.raises(MCPError, match=r"UNKNOWN_ERROR: Dagster refused to tell of the run: broken \*\*\*") as caught:
        await bench.ask("tasks/get", task["taskId"])
    assert "Traceback" not in str(caught.value)


async def test_a_read_only_server_has_no_tasks_that_could_be_canceled(tmp_path: Path) -> None:
    server = build_server(Bridge(Settings(lake_home=tmp_path), read_only=True))
    async with Client(server, mode="2026-07-28", extensions=[AsTasks()]) as client:
        request = Request[TaskParams, str](method="tasks/cancel", params=TaskParams(task_id=NO_TASK))
        with pytest.raises(MCPError) as caught:
            await client.session.send_request(request, TaskAnswer)
    assert caught.value.code == METHOD_NOT_FOUND
