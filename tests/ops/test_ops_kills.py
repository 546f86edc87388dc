"""Daemon, code server and web server are killed during a backfill and started again: every dataset ends loaded once.

Nobody launches anything again here: what was lost is found by run monitoring, and started again by Dagster's retries.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
import requests
from dagster._core.events import EngineEventData
from dagster._core.launcher import RunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from benchmarks.operations import DOMAIN, finished, start_backfill
from benchmarks.stack import Stack, small_tables
from estat_dagster.automation import launcher
from estat_dagster.automation.celery_launcher import WatchedCeleryRunLauncher
from estat_dagster.automation.ecs_launcher import LoggedEcsRunLauncher
from estat_dagster.automation.launcher import WatchedRunLauncher, is_alive
from estat_dagster.lake.lake import open_lake
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.services import free_port, start_service, stop_services
from estat_dagster.settings import Settings
from tests.doors.lakeside import Lakeside

DATASETS, SECONDS = 8, 900


@pytest.mark.soak
def test_every_dataset_ends_loaded_once_whatever_is_killed(tmp_path: Path) -> None:
    tables = small_tables(DATASETS)
    ids = {table.id for table in tables}
    settings = Settings(lake_home=tmp_path / "data" / "lake")
    with Sandbox(tables=tables) as sandbox, Stack(tmp_path, sandbox.base_url) as stack:
        backfill = start_backfill(stack, sorted(ids))
        for number, service in enumerate(("daemon", "code", "web"), start=1):
            wait_for(lambda number=number: len(loaded(settings)) >= number)
            stack.kill(service)
            stack.start(service)
        wait_for(lambda: finished(stack, backfill))
        wait_for(lambda: loaded(settings) == ids)
    table = open_lake(settings).tables.load(f"{DOMAIN}_data")
    rows = Counter(table.scan(selected_fields=("dataset_id",)).to_arrow().column("dataset_id").to_pylist())
    assert rows == {each.id: len(each.cells) for each in tables}


def loaded(settings: Settings) -> set[str]:
    return {entry.dataset_id for entry in open_lake(settings).registry if entry.status == "loaded"}


def wait_for(done: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            if done():
                return
        except requests.RequestException:
            pass
        time.sleep(1)
    raise AssertionError(f"it did not happen in {SECONDS} s")


def health(pid: int, server: str, **tags: str) -> WorkerStatus:
    """Return what the launcher finds of a run whose worker has that id, started by a server at that place."""
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(dg.GraphDefinition("any", node_defs=[]).to_job())
        instance.add_run_tags(run.run_id, {GRPC_INFO_TAG: server, **tags})
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        data = EngineEventData.in_process(pid)
        instance.report_engine_event(f"Started process for run (pid: {pid}).", found, data)
        watched = WatchedRunLauncher()
        watched.register_instance(instance)
        return watched.check_run_worker_health(found).status


@pytest.mark.parametrize("server", ['{"host": "localhost", "port": 1}', '{"socket": "/tmp/any"}'])
def test_a_run_whose_process_was_killed_is_told_from_one_at_work(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "MOST_SECONDS", 0)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert health(process.pid, server) == WorkerStatus.RUNNING
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(process.pid), "it is dead, although nobody has reaped it yet"
    process.wait()
    assert health(process.pid, server) == WorkerStatus.NOT_FOUND


def test_a_run_is_not_given_up_before_its_code_server_has_answered_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    port = free_port()
    server = json.dumps({"host": "127.0.0.1", "port": port})
    monkeypatch.setattr(launcher, "SETTLED_SECONDS", 0)
    assert health(process.pid, server) == WorkerStatus.RUNNING
    (tmp_path / "empty.py").write_text("import dagster as dg\n\ndefs = dg.Definitions()\n", "utf-8")
    command = ["dagster", "code-server", "start", "-h", "127.0.0.1", "-p", str(port), "-f", "empty.py"]
    with (tmp_path / "code.log").open("wb") as log:
        service = start_service(command, tmp_path, os.environ | {"DAGSTER_HOME": str(tmp_path)}, log)
    try:
        wait_for(lambda: launcher.answers("127.0.0.1", port))
        assert health(process.pid, server) == WorkerStatus.NOT_FOUND
        monkeypatch.setattr(launcher, "SETTLED_SECONDS", 60)
        assert health(process.pid, server) == WorkerStatus.RUNNING
    finally:
        stop_services([service], 20)


@pytest.mark.parametrize(("host", "status"), [(socket.gethostname(), "NOT_FOUND"), ("elsewhere", "RUNNING")])
def test_a_load_of_the_command_line_that_was_killed_is_told_too(host: str, status: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        tags = {launcher.HOST: host, launcher.PID: str(process.pid)}
        assert health(process.pid, "{}", **tags) == WorkerStatus.RUNNING
        process.kill()
    assert health(process.pid, "{}", **tags) == WorkerStatus[status]


@pytest.mark.parametrize("launcher_class", [WatchedCeleryRunLauncher, LoggedEcsRunLauncher])
def test_a_load_of_the_command_line_is_not_looked_for_among_workers_and_tasks(
    launcher_class: type[RunLauncher],
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.GraphDefinition("any", node_defs=[]).to_job()
        run = instance.create_run_for_job(job, tags=launcher.own_process())
        unconfigured = launcher_class.__new__(launcher_class)  # ECS's asks AWS for its own task when it is made
        assert unconfigured.check_run_worker_health(run).status == WorkerStatus.RUNNING


def test_a_process_that_got_the_number_of_one_that_ended_is_another() -> None:
    assert is_alive(os.getpid(), time.time())
    assert not is_alive(os.getpid(), time.time() - 100_000)


def test_a_load_of_the_command_line_carries_its_process_and_is_not_started_again(lakeside: Lakeside) -> None:
    run = lakeside.instance.get_run_by_id(lakeside.load("0003005798").run_id)
    assert run is not None
    assert run.tags[launcher.PID] == str(os.getpid())
    assert (run.tags["dagster/max_retries"], run.tags["dagster/max_runtime"]) == ("0", "0")


def test_a_run_on_another_machine_is_believed_to_be_at_work() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert health(process.pid, '{"host": "10.1.2.3", "port": 1}') == WorkerStatus.RUNNING
    assert health(process.pid, "{}") == WorkerStatus.RUNNING
