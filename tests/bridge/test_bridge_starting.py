"""Starting runs: what is refused before anything is changed, and exactly what Dagster is asked for."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError

from estat_dagster.assets.layers import LAYERS as ASSET_LAYERS
from estat_dagster.assets.layers import FetchConfig
from estat_dagster.automation.jobs import ingest_jobs
from estat_dagster.errors import StorageError
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from mcp_bridge import following, starting, toolbox
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.door import Dagster
from mcp_bridge.dagster.lease import Lease
from mcp_bridge.dagster.runs import LAYERS, WHOLE_JOB
from mcp_bridge.server import build_server
from mcp_bridge.tools import runs
from tests.bridge.fake_dagster import FakeDagster

pytestmark = pytest.mark.anyio
LABOR, POPULATION, UNLOADED = "0003005798", "9900000002", "0003109741"


class Bench:
    """A bridge whose lake is empty and whose Dagster runs nothing."""

    def __init__(self, home: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        settings = Settings(app_id="test-app", base_url=sandbox.base_url, lake_home=home)
        self.bridge, self.dagster = Bridge(settings), FakeDagster()
        self.bridge.dagster = Dagster(settings, transport=self.dagster.transport)
        self.client = Client(build_server(self.bridge))

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.content
        return dict(result.structured_content or {})

    async def refused(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the error of a call that is refused, and see that it changed nothing."""
        error = await self.refused_now(tool, **arguments)
        assert self.dagster.partitions == []
        assert self.dagster.launched == []
        return error

    async def refused_now(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return the error of a call that is refused."""
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, result.content
        return dict(result.structured_content or {})

    @property
    def launch(self) -> dict[str, Any]:
        return self.dagster.launched[-1]

    @property
    def tags(self) -> dict[str, str]:
        return {tag["key"]: tag["value"] for tag in self.launch["executionMetadata"]["tags"]}


@pytest.fixture
async def bench(tmp_path: Path, bridge_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    made = Bench(tmp_path, bridge_sandbox, monkeypatch)
    async with made.client:
        yield made


def test_the_bridge_names_what_dagster_names() -> None:
    assert tuple(layer.name for layer in ASSET_LAYERS) == LAYERS
    assert all(job.name.startswith(WHOLE_JOB) for job in ingest_jobs())
    assert {"chunk_size", "max_records", "max_concurrent", "force"} <= set(FetchConfig.model_fields)


async def test_ingesting_registers_adds_the_partition_and_launches_the_domain_s_job(bench: Bench) -> None:
    answer = await bench.call("ingest_dataset_complete", dataset_id=int(LABOR), wait_seconds=45, max_records=20)
    assert (answer["status"], answer["domain"], answer["already_running"]) == ("SUCCESS", "labor", False)
    assert "15件を1回の要求で取得" in answer["plan"]
    assert answer["doing"] == "完了"
    assert bench.dagster.partitions == [("labor_datasets", LABOR)]
    assert bench.launch["selector"]["pipelineName"] == "ingest_labor"
    ops = bench.launch["runConfigData"]["ops"]
    assert list(ops) == [f"labor__{layer}" for layer in LAYERS]
    assert ops["labor__raw_json"] == {"config": {"force": False, "chunk_size": 100_000, "max_records": 20}}
    assert bench.tags["dagster/partition"] == LABOR
    assert bench.tags["estat/requested_by"] == "mcp ingest_dataset_complete"
    assert bench.tags["estat/client"]
    assert bench.bridge.bench.lake.registry.get_dataset_info(LABOR).domain == "labor"


@pytest.mark.parametrize(
    ("tool", "arguments", "config", "scope"),
    [
        ("fetch_dataset", {}, {"max_records": 100_000}, {}),
        ("fetch_dataset_auto", {}, {}, {}),
        ("fetch_dataset_filtered", {"filters": {"cat02": ["08", 9]}}, {}, None),
        ("fetch_dataset_filtered", {"filters": '{"cat02": ["08", "09"]}'}, {}, {"cat02": "08,09"}),
        (
            "fetch_large_dataset_complete",
            {"chunk_size": 5, "max_records": 15},
            {"chunk_size": 5, "max_records": 15, "max_concurrent": 1},
            {},
        ),
        (
            "fetch_large_dataset_parallel",
            {"chunk_size": 5, "max_concurrent": 3},
            {"chunk_size": 5, "max_records": 10_000_000, "max_concurrent": 3},
            {},
        ),
    ],
)
async def test_a_fetch_launches_the_raw_layer_alone_with_its_numbers(
    bench: Bench, tool: str, arguments: dict[str, Any], config: dict[str, Any], scope: dict[str, str] | None
) -> None:
    if scope is None:
        assert (await bench.refused(tool, dataset_id=LABOR, **arguments))["error"] == "VALIDATION_ERROR"
        return
    await bench.call(tool, dataset_id=LABOR, wait_seconds=0, **arguments)
    assert bench.launch["selector"]["assetSelection"] == [{"path": ["labor", "raw_json"]}]
    assert bench.launch["runConfigData"] == {"ops": {"labor__raw_json": {"config": {"force": False, **config}}}}
    FetchConfig(**config)
    assert bench.bridge.bench.lake.registry.get_dataset_info(LABOR).scope == scope


async def test_a_fetch_of_the_whole_table_ends_a_filter_and_another_keeps_it(bench: Bench) -> None:
    registry = bench.bridge.bench.lake.registry
    await bench.call("fetch_dataset_filtered", dataset_id=LABOR, filters={"cat02": "08"}, wait_seconds=45)
    await bench.call("fetch_dataset_auto", dataset_id=LABOR, wait_seconds=45)
    assert registry.get_dataset_info(LABOR).scope == {"cat02": "08"}
    await bench.call("fetch_large_dataset_complete", dataset_id=LABOR, wait_seconds=45)
    assert registry.get_dataset_info(LABOR).scope == {}


@pytest.mark.parametrize(
    ("tool", "arguments", "kind"),
    [
        ("ingest_dataset_complete", {"dataset_id": "123"}, "VALIDATION_ERROR"),
        ("ingest_dataset_complete", {"dataset_id": "0009999999"}, "API_ERROR"),
        ("ingest_dataset_complete", {"dataset_id": LABOR, "domain": "weather"}, "VALIDATION_ERROR"),
        ("ingest_dataset_complete", {"dataset_id": LABOR, "max_records": 14}, "VALIDATION_ERROR"),
        ("ingest_dataset_complete", {"dataset_id": LABOR, "filters": {"area": "月"}}, "VALIDATION_ERROR"),
        ("ingest_dataset_complete", {"dataset_id": LABOR, "filters": {"moon": "1"}}, "VALIDATION_ERROR"),
        ("ingest_dataset_complete", {"dataset_id": LABOR, "wait_seconds": 46}, "VALIDATION_ERROR"),
        ("ingest_dataset_complete", {"dataset_id": LABOR, "uri": "/etc/passwd"}, "VALIDATION_ERROR"),
        ("fetch_large_dataset_parallel", {"dataset_id": LABOR, "chunk_size": 100_001}, "VALIDATION_ERROR"),
        ("fetch_large_dataset_parallel", {"dataset_id": LABOR, "max_concurrent": 0}, "VALIDATION_ERROR"),
        ("fetch_large_dataset_complete", {"dataset_id": LABOR, "max_records": 3}, "VALIDATION_ERROR"),
        ("transform_data", {"dataset_id": LABOR}, "DATA_ERROR"),
        ("load_to_iceberg", {"dataset_id": LABOR}, "DATA_ERROR"),
        ("create_iceberg_table", {"domain": "weather"}, "VALIDATION_ERROR"),
        ("get_run", {"run_id": "../../etc"}, "VALIDATION_ERROR"),
        ("get_run", {"run_id": "00000000-0000-0000-0000-000000000000"}, "VALIDATION_ERROR"),
        ("cancel_run", {"run_id": "00000000-0000-0000-0000-000000000000"}, "VALIDATION_ERROR"),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_was_changed(
    bench: Bench, tool: str, arguments: dict[str, Any], kind: str
) -> None:
    error = await bench.refused(tool, **arguments)
    assert error["error"] == kind
    assert error["message"]
    assert list(bench.bridge.bench.lake.registry) == []


@pytest.mark.parametrize(
    ("tool", "before"),
    [
        ("transform_data", "fetch_dataset"),
        ("validate_data_quality", "transform_data"),
        ("save_to_parquet", "validate_data_quality"),
        ("load_to_iceberg", "save_to_parquet"),
    ],
)
async def test_a_layer_without_the_one_before_names_the_tool_that_makes_it(
    bench: Bench, tool: str, before: str
) -> None:
    from estat_dagster.assets.registering import register_dataset

    register_dataset(bench.bridge.bench, LABOR)
    error = await bench.refused(tool, dataset_id=LABOR)
    assert error["error"] == "DATA_ERROR"
    assert before in error["context"]["hint"]


async def test_a_table_that_is_too_large_names_what_can_fetch_it(bench: Bench) -> None:
    error = await bench.refused("fetch_dataset", dataset_id="9900000014")
    assert (error["error"], error["context"]["next_tool"]) == ("VALIDATION_ERROR", "fetch_dataset_auto")
    assert "fetch_dataset_filtered" in error["context"]["hint"]
    assert "fetch_dataset_auto" in error["message"]


async def test_a_filter_that_stays_is_named_before_a_load(bench: Bench) -> None:
    await bench.call("fetch_dataset_filtered", dataset_id=LABOR, filters={"cat02": "08"}, wait_seconds=0)
    result = await bench.client.call_tool("describe_dataset", {"dataset_id": LABOR})
    assert (result.structured_content or {})["kept_filters"] == {"cat02": "08"}
    text = "".join(getattr(block, "text", "") for block in result.content)
    assert (
        text.index("保存済みの絞り込み")
        < text.index("| cat02=08")
        < text.index("ingest_dataset_complete で取り込みます")
    )


async def test_a_load_that_changed_nothing_says_so(bench: Bench) -> None:
    facts = [
        {"label": "dagster/partition_row_count", "intValue": 15},
        {"label": "unchanged", "boolValue": True},
    ]
    made = {"assetKey": {"path": ["labor", "iceberg_table"]}, "metadataEntries": facts}
    bench.dagster.every_event = [{"__typename": "MaterializationEvent", "stepKey": None, "message": "", **made}]
    for tool, more in (("ingest_dataset_complete", {"dataset_id": LABOR}), ("get_run", {})):
        run = bench.dagster.newest if tool == "get_run" else None
        answer = await bench.call(tool, wait_seconds=45, **more, **({"run_id": run} if run else {}))
        assert answer["unchanged"] is True
        assert "変更がなかった" in answer["message"]


async def test_what_may_be_left_out_may_be_null(bench: Bench) -> None:
    nothing = {"domain": None, "filters": None, "force": None, "wait_seconds": None, "max_records": None}
    assert (await bench.call("ingest_dataset_complete", dataset_id=LABOR, **nothing))["status"] == "SUCCESS"
    error = await bench.refused_now("ingest_dataset_complete", dataset_id=None)
    assert error["error"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("arguments", "english", "japanese"),
    [
        ({"maxresults": 3}, "there is no maxresults, is max_results meant?", "max_results のことですか"),
        ({"max_results": 1000}, "max_results: ", "引数 max_results の値が正しくありません"),
        ({"xyzzy": None}, "there is no xyzzy, only query,", "引数 xyzzy はありません"),
    ],
)
async def test_arguments_that_are_wrong_are_named(
    bench: Bench, arguments: dict[str, Any], english: str, japanese: str
) -> None:
    error = await bench.refused("search_estat_data", **arguments)
    assert english in error["error_message"]
    assert japanese in error["message"]
    missing = await bench.refused("describe_dataset")
    assert "dataset_id is missing" in missing["error_message"]
    assert "引数 dataset_id が必要です" in missing["message"]


async def test_a_live_run_of_the_dataset_is_followed_instead_of_starting_a_second(bench: Bench) -> None:
    bench.dagster.stages = ("QUEUED", "STARTED")
    first = await bench.call("fetch_dataset", dataset_id=LABOR, wait_seconds=0)
    second = await bench.call("ingest_dataset_complete", dataset_id=LABOR, filters={"cat02": "08"}, wait_seconds=0)
    assert (second["run_id"], second["already_running"]) == (first["run_id"], True)
    assert len(bench.dagster.launched) == 1
    assert bench.bridge.bench.lake.registry.get_dataset_info(LABOR).scope == {}
    other = await bench.call("fetch_dataset", dataset_id=POPULATION, wait_seconds=0)
    assert other["run_id"] != first["run_id"]
    canceled = await bench.call("cancel_run", run_id=first["run_id"])
    assert canceled["status"] == "CANCELED"
    third = await bench.call("fetch_dataset", dataset_id=LABOR, wait_seconds=0)
    assert third["run_id"] != first["run_id"]


async def test_canceling_can_be_asked_for_twice_and_says_how_to_insist(bench: Bench) -> None:
    bench.dagster.stages = ("QUEUED", "STARTED", "CANCELING")
    run = (await bench.call("fetch_dataset", dataset_id=LABOR, wait_seconds=0))["run_id"]

    def ask(given: dict[str, Any]) -> dict[str, Any]:
        safe = given["policy"] == "SAFE_TERMINATE"
        if safe and bench.dagster.runs[run]["status"] == "CANCELING":
            return {"__typename": "TerminateRunFailure", "message": "it is being canceled"}
        bench.dagster.runs[run]["status"] = "CANCELING" if safe else "CANCELED"
        return {"__typename": "TerminateRunSuccess"}

    bench.dagster.answers["Cancel"] = ask
    bench.monkeypatch.setattr(runs, "CANCEL_SECONDS", 0)
    for _ in range(2):
        state = await bench.call("cancel_run", run_id=run)
        assert (state["status"], state["finished"]) == ("CANCELING", False)
        assert "中止を依頼しました" in state["message"]
        assert "force=true" in state["message"]
    assert bench.dagster.asked.count("Cancel") == 1
    for _ in range(2):
        assert (await bench.call("cancel_run", run_id=run, force=True))["status"] == "CANCELED"
    assert bench.dagster.asked.count("Cancel") == 2


async def test_a_run_that_ended_otherwise_cannot_be_canceled(bench: Bench) -> None:
    run = (await bench.call("fetch_dataset", dataset_id=LABOR, wait_seconds=5))["run_id"]
    result = await bench.client.call_tool("cancel_run", {"run_id": run})
    assert (result.structured_content or {})["error"] == "VALIDATION_ERROR"
    assert (result.structured_content or {})["context"]["next_tool"] == "get_run"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("search_estat_data", {"query": "人口"}),
        ("describe_dataset", {"dataset_id": LABOR}),
        ("ingest_dataset_complete", {"dataset_id": LABOR, "wait_seconds": 0}),
    ],
)
async def test_a_call_ends_in_time_though_e_stat_is_silent_and_says_that_it_is_alive(
    bench: Bench, bridge_sandbox: Sandbox, tool: str, arguments: dict[str, Any]
) -> None:
    bench.monkeypatch.setattr(toolbox, "CALL_SECONDS", 0.5)
    bench.monkeypatch.setattr(starting, "READY_SECONDS", 0.3)
    bench.monkeypatch.setattr(following, "BEAT_SECONDS", 0.05)
    told: list[float] = []

    async def on_progress(done: float, total: float | None, words: str | None) -> None:
        told.append(done)

    bridge_sandbox.fail("silent", seconds=10)
    try:
        result = await bench.client.call_tool(tool, arguments, progress_callback=on_progress)
    finally:
        bridge_sandbox.heal()
    error = dict(result.structured_content or {})
    assert (error["error"], error["context"]["retryable"]) == ("TIMEOUT_ERROR", True)
    assert "もう一度" in error["message"]
    assert len(told) > 1
    assert told == sorted({round(done, 2) for done in told})
    assert bench.dagster.launched == []


async def test_the_bridge_does_not_try_e_stat_for_as_long_as_a_load_does(bench: Bench, bridge_sandbox: Sandbox) -> None:
    bridge_sandbox.requests.clear()
    bridge_sandbox.fail("503")
    try:
        error = await bench.refused("describe_dataset", dataset_id=LABOR)
    finally:
        bridge_sandbox.heal()
    assert (error["error"], error["context"]["retryable"]) == ("API_ERROR", True)
    assert len(bridge_sandbox.requests) == 2


@pytest.mark.parametrize("operation", ["Workspace", "Runs", "Launch"])
async def test_a_dagster_that_does_not_answer_ends_the_call_and_the_next_one_goes_on(
    bench: Bench, operation: str
) -> None:
    with bench.monkeypatch.context() as short:
        short.setattr(starting, "READY_SECONDS", 0.5)
        short.setattr(starting, "LAUNCH_SECONDS", 0.3)
        bench.dagster.held.add(operation)
        result = await bench.client.call_tool("fetch_dataset", {"dataset_id": LABOR, "wait_seconds": 0})
    assert (result.structured_content or {})["error"] == "TIMEOUT_ERROR"
    assert "もう一度" in (result.structured_content or {})["message"]
    bench.dagster.held.clear()
    answer = await bench.call("fetch_dataset", dataset_id=LABOR, wait_seconds=0)
    assert answer["web"] == f"http://127.0.0.1:3000/runs/{answer['run_id']}"


async def test_a_run_whose_dagster_goes_away_keeps_its_id(bench: Bench) -> None:
    bench.dagster.answers["Events"] = lambda _: {"__typename": "PythonError", "message": "gone\nTraceback"}
    answer = await bench.call("fetch_dataset", dataset_id=LABOR, wait_seconds=0)
    assert answer["run_id"] in bench.dagster.runs
    assert "gone" in answer["problems"][0]
    assert "Traceback" not in str(answer)


@pytest.mark.parametrize(
    ("operation", "answer", "kind"),
    [
        ("Launch", {"__typename": "UnauthorizedError"}, "VALIDATION_ERROR"),
        ("Launch", {"__typename": "RunConfigValidationInvalid", "errors": [{"message": "no"}]}, "UNKNOWN_ERROR"),
        ("Launch", {"__typename": "InvalidSubsetError", "message": "no such asset"}, "UNKNOWN_ERROR"),
        ("AddPartition", {"__typename": "PythonError", "message": "broken"}, "UNKNOWN_ERROR"),
        ("Runs", {"__typename": "PythonError", "message": "broken"}, "UNKNOWN_ERROR"),
    ],
)
async def test_what_dagster_refuses_is_said(bench: Bench, operation: str, answer: dict[str, Any], kind: str) -> None:
    bench.dagster.answers[operation] = lambda _: answer
    result = await bench.client.call_tool("fetch_dataset", {"dataset_id": LABOR})
    assert result.is_error
    assert (result.structured_content or {})["error"] == kind


async def test_a_read_only_bridge_has_no_tool_that_writes_and_starts_nothing(shelf: Settings) -> None:
    async with Client(build_server(Bridge(replace(shelf, dagster_url="http://127.0.0.1:1"), read_only=True))) as client:
        tools = (await client.list_tools()).tools
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
        assert {"get_run", "list_tables"} <= {tool.name for tool in tools} - {"cancel_run"}
        result = await client.call_tool("get_run", {"run_id": "00000000-0000-0000-0000-000000000000"})
        assert (result.structured_content or {})["error"] == "NETWORK_ERROR"
        assert "しばらく待って" not in (result.structured_content or {})["message"]
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        given = {"dataset_id": LABOR, "theme": "家計", "question": "人口は?"}
        for prompt in prompts.values():
            names = [each.name for each in prompt.arguments or [] if each.name in given]
            told = await client.get_prompt(prompt.name, {name: given[name] for name in names})
            assert "ingest_dataset_complete" not in str(told.messages)
        assert set(prompts) == {"find_statistics", "analyze_held", "explain_missing"}
        assert "ingest" not in (client.instructions or "")


async def test_a_read_only_bridge_names_no_tool_that_it_does_not_have(
    shelf: Settings, shelf_sandbox: Sandbox, tmp_path: Path
) -> None:
    full = await _names(Bridge(shelf))
    for lake in (shelf, replace(shelf, lake_home=tmp_path)):
        bridge = Bridge(lake, read_only=True)
        async with Client(build_server(bridge)) as client:
            missing = full - {tool.name for tool in (await client.list_tools()).tools}
            told = [str((await client.list_tools()).tools)]
            for tool, given in (
                ("search_estat_data", {"query": "労働力"}),
                ("describe_dataset", {"dataset_id": UNLOADED}),
                ("list_datasets", {"query": "nothing"}),
                ("list_tables", {}),
                ("analyze_with_athena", {"dataset_id": "1111111111"}),
                ("load_data_from_s3", {"dataset_id": "1111111111"}),
                ("compare_snapshots", {"dataset_id": "1111111111"}),
            ):
                told.append(str(await client.call_tool(tool, given)))
            with pytest.raises(MCPError) as absent:
                await client.read_resource("lake://datasets/1111111111")
        assert not [name for words in [*told, str(absent.value)] for name in missing if name in words]
        assert "読み取り専用" in told[-2]


async def _names(bridge: Bridge) -> set[str]:
    async with Client(build_server(bridge)) as client:
        return {tool.name for tool in (await client.list_tools()).tools}


async def test_a_tool_that_is_not_there_is_refused_like_any_wrong_argument(bench: Bench) -> None:
    near = await bench.client.call_tool("fetch_datasets", {})
    assert near.is_error
    assert "fetch_dataset のことですか" in (near.structured_content or {})["message"]
    far = (await bench.client.call_tool("\u202ezz", {})).structured_content or {}
    assert (far["error"], far["error_message"]) == ("VALIDATION_ERROR", "There is no tool 'zz'.")
    assert "get_run" in far["context"]["hint"]


@pytest.mark.parametrize("inside", [False, True])
async def test_no_dagster_is_looked_for_where_another_user_could_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    theirs = tmp_path / f"estat-datalake-{os.getuid()}"
    theirs = theirs / "bridge" if inside else theirs
    theirs.mkdir(parents=True)
    lstat = Path.lstat

    def of_another(path: Path) -> os.stat_result:
        found = lstat(path)
        owner = found.st_uid + (path == theirs)
        return os.stat_result((*found[:4], owner, *found[5:]))

    monkeypatch.setattr(Path, "lstat", of_another)
    with pytest.raises(StorageError, match="belongs to another user"):
        await Lease(Settings(lake_home=tmp_path)).hold()


async def test_the_table_of_a_domain_is_made_once(bench: Bench) -> None:
    first = await bench.call("create_iceberg_table", domain="health")
    again = await bench.call("create_iceberg_table", domain="health")
    assert (first["created"], again["created"]) == (True, False)
    assert first["columns"] == again["columns"]
    assert "disease_code" in first["columns"]
