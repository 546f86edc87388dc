"""The web UI's door: `estat dev` in a real process, a load through the form of `register_and_ingest`, and an end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from estat_dagster.services import free_port

ROOT = Path(__file__).resolve().parents[2]
ESTAT = Path(sys.executable).with_name("estat")
SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": "estat"}
LAUNCH = """
mutation Launch($p: ExecutionParams!) { launchRun(executionParams: $p) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on RunConfigValidationInvalid { errors { message } } } }
"""
ADD = """
mutation Add($r: RepositorySelector!, $d: String!, $k: String!) {
  addDynamicPartition(repositorySelector: $r, partitionsDefName: $d, partitionKey: $k) { __typename } }
"""
LOCATION = "query Location($r: RepositorySelector!) { repositoryOrError(repositorySelector: $r) { __typename } }"
RUN = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
FAILURE = """
query Failure($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { ... on ExecutionStepFailureEvent {
  failureMetadata { description } } } } } }
"""
RUNS = """
query Runs($f: RunsFilter) { runsOrError(filter: $f) { ... on Runs {
  results { runId status tags { key value } stepStats { status } } } } }
"""
CHECKS = """
query Checks($key: AssetKeyInput!, $name: String!, $partition: String) {
  assetCheckExecutions(assetKey: $key, checkName: $name, limit: 1, partition: $partition) {
    status evaluation { success description } } }
"""
MATERIALIZATION = """
query M($key: AssetKeyInput!, $p: [String!]) { assetOrError(assetKey: $key) { ... on Asset {
  assetMaterializations(partitions: $p, limit: 1) {
    metadataEntries { label ... on IntMetadataEntry { intValue } } } } } }
"""


class Web:
    """The GraphQL API of a running web UI, with a token where it is guarded."""

    def __init__(self, url: str, home: Path, token: str = "") -> None:
        self.url, self.home = url, home
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        answer = requests.post(f"{self.url}/graphql", json=body, headers=self._headers, timeout=60).json()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def launch(self, job: str, config: dict[str, Any], tags: dict[str, str] | None = None, **selection: Any) -> str:
        pairs = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        parameters = {
            "selector": {**SELECTOR, "pipelineName": job, **selection},
            "mode": "default",
            "runConfigData": config,
            "executionMetadata": {"tags": pairs},
        }
        launched = self.ask(LAUNCH, p=parameters)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def runs_of(self, dataset_id: str) -> list[dict[str, Any]]:
        tag = {"tags": [{"key": "dagster/partition", "value": dataset_id}]}
        found: list[dict[str, Any]] = self.ask(RUNS, f=tag)["runsOrError"]["results"]
        return found

    def wait_for_load(self, dataset_id: str, seconds: float = 150) -> dict[str, Any]:
        """Wait until the one run of a dataset that was requested of the daemon has ended, and return it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if runs := self.runs_of(dataset_id):
                [run] = runs
                assert self.wait(run["runId"], end - time.monotonic()) in ("SUCCESS", "FAILURE")
                return self.runs_of(dataset_id)[0]
            time.sleep(0.5)
        raise AssertionError(f"{dataset_id} was not loaded in {seconds} s")

    def wait(self, run_id: str, seconds: float = 150) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = str(self.ask(RUN, id=run_id)["runOrError"]["status"])
            if status in ("SUCCESS", "FAILURE", "CANCELED"):
                return status
            time.sleep(0.5)
        raise AssertionError(f"{run_id} did not end in {seconds} s")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web UI whose Dagster home, lake and sandbox are its own; it must end within 40 s of SIGTERM."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    for name in ("dagster.yaml", "workspace.yaml"):
        (home / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ESTAT_", "DATALAKE_"))}
    with (home / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            [ESTAT, "dev", "--port", str(port)],
            env=environment | {"DAGSTER_HOME": str(home)},
            stdout=log,
            stderr=log,
        )
        try:
            yield ready(Web(f"http://127.0.0.1:{port}", home), process)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def ready(web: Web, process: subprocess.Popen[bytes]) -> Web:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, "estat dev ended"
        try:
            found = web.ask(LOCATION, r=SELECTOR)["repositoryOrError"]["__typename"]
        except requests.RequestException:
            found = "no answer"
        if found == "Repository":
            return web
        time.sleep(0.5)
    raise AssertionError(f"the web UI had no code location in 120 s: {found}")


def test_a_form_of_one_field_registers_and_loads_what_can_be_and_names_what_cannot(web: Web) -> None:
    form = {"dataset_ids": "0003005798 0009999999", "chunk_size": 10}
    run = web.launch("register_and_ingest", {"ops": {"register_and_load": {"config": form}}})
    assert web.wait(run) == "FAILURE"
    [failure] = [event for event in web.ask(FAILURE, id=run)["logsForRun"]["events"] if event]
    assert "0009999999" in failure["failureMetadata"]["description"]
    assert "0003005798" not in failure["failureMetadata"]["description"]
    load = web.wait_for_load("0003005798")
    tags = {tag["key"]: tag["value"] for tag in load["tags"]}
    assert (load["status"], tags["estat/requested_in"]) == ("SUCCESS", run)
    assert [step["status"] for step in load["stepStats"]] == ["SUCCESS"] * 10, "five layers and their checks, one run"
    assert web.runs_of("0009999999") == []
    key = {"path": ["labor", "iceberg_table"]}
    [check] = web.ask(CHECKS, key=key, name="table_matches", partition="0003005798")["assetCheckExecutions"]
    assert check["status"] == "SUCCEEDED"
    assert check["evaluation"]["description"].startswith("15 rows in the table")
    [found] = web.ask(MATERIALIZATION, key=key, p=["0003005798"])["assetOrError"]["assetMaterializations"]
    labels = {entry["label"]: entry.get("intValue") for entry in found["metadataEntries"]}
    assert labels["dagster/partition_row_count"] == 15
    assert {"dagster/column_schema", "dagster/table_name", "dagster/uri", "preview"} <= set(labels)


@pytest.mark.soak
def test_a_partition_that_is_added_by_hand_can_be_materialized(web: Web) -> None:
    web.ask(ADD, r=SELECTOR, d="general_datasets", k="9900000013")
    run = web.launch("ingest_general", {}, {"dagster/partition": "9900000013"})
    assert web.wait(run) == "SUCCESS"


@pytest.mark.soak
def test_what_is_no_id_ends_the_run(web: Web) -> None:
    run = web.launch("register_and_ingest", {"ops": {"register_and_load": {"config": {"dataset_ids": "12345"}}}})
    assert web.wait(run) == "FAILURE"


@pytest.mark.soak
def test_every_job_about_all_datasets_can_be_launched_as_its_form_stands(web: Web) -> None:
    jobs = ("maintenance", "look_over_datasets", "clean_up", "forget_old_runs", "rebuild_from_raw", "refresh_updated")
    runs = {job: web.launch(job, {}) for job in jobs}
    assert {job: web.wait(run) for job, run in runs.items()} == dict.fromkeys(jobs, "SUCCESS")
