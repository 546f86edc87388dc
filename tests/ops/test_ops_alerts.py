"""Alerts, sent to a real HTTP server: what is told, once, and what never is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import dagster as dg
import pytest

from estat_dagster.assets.advice import ADVICE
from estat_dagster.automation import alerts, runs
from estat_dagster.automation.alerts import send
from estat_dagster.automation.loading import load_registered
from estat_dagster.definitions import build_defs
from estat_dagster.errors import NetworkError
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.workbench import Workbench
from tests.doors.lakeside import Lakeside
from tests.doors.test_watching import revise
from tests.ops.test_ops_jobs import run

LABOR, POPULATION = "0003005798", "0000010101"
SECRET = "s3cret-app-id"


class Inbox:
    """A webhook that keeps what it gets, or refuses it."""

    def __init__(self) -> None:
        inbox = self
        self.messages: list[dict[str, Any]] = []
        self.status = 200

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if inbox.status == 200:
                    inbox.messages.append(json.loads(body))
                self.send_response(inbox.status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self.server.server_port}/hook-token"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


def opened() -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.server.shutdown()
    made.server.server_close()


inbox, other_inbox = pytest.fixture(opened, name="inbox"), pytest.fixture(opened, name="other_inbox")


class Watcher:
    """Evaluates the sensor as the daemon does, with a cursor from tick to tick."""

    def __init__(self, lakeside: Lakeside, *urls: str) -> None:
        settings = replace(lakeside.settings, alert_urls=urls, dagster_url="http://lake.example/")
        self.repository = build_defs(settings=settings).get_repository_def()
        self.resources = {"bench": Workbench(settings)}
        self.instance, self.cursor = lakeside.instance, None

    def tick(self) -> str:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=self.repository, resources=self.resources
        )
        data = self.repository.get_sensor_def("alerts").evaluate_tick(context)
        self.cursor = data.cursor
        return data.skip_message or ""


@pytest.fixture
def lakeside(tmp_path: Any, sandbox: Sandbox) -> Lakeside:
    return Lakeside(tmp_path / "lake", sandbox, app_id=SECRET)


def fail_a_load(lakeside: Lakeside, dataset_id: str) -> None:
    lakeside.sandbox.fail("xml-100")
    outcome = load_registered(lakeside.defs, lakeside.instance, lakeside.entry(dataset_id), asked_by="test")
    lakeside.sandbox.heal()
    assert not outcome.success


def test_a_failed_load_is_told_once_with_all_that_helps_and_no_secret(lakeside: Lakeside, inbox: Inbox) -> None:
    lakeside.load(LABOR)
    lakeside.load(POPULATION)
    watcher = Watcher(lakeside, inbox.url)
    assert "begin now" in watcher.tick()
    fail_a_load(lakeside, LABOR)
    assert "1 new" in watcher.tick()
    [message] = inbox.messages
    failed = lakeside.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))[0]
    assert message["title"] == "e-Stat data lake: 1 failed, 0 warnings"
    lines = message["message"].split("\n")
    assert lines[0] == f"FAILED {LABOR}: API_ERROR"
    assert "ESTAT_APP_ID" in message["message"]
    assert lines[-1] == f"http://lake.example/runs/{failed.run_id}"
    assert SECRET not in json.dumps(message)
    fail_a_load(lakeside, LABOR)
    assert "1 runs ended; 0 new" in watcher.tick()
    fail_a_load(lakeside, POPULATION)
    watcher.tick()
    assert [m["message"].split("\n")[0] for m in inbox.messages[1:]] == [f"FAILED {POPULATION}: API_ERROR"]
    assert "0 runs ended" in watcher.tick()


def test_the_same_problem_is_told_again_a_day_later(
    lakeside: Lakeside, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lakeside.load(LABOR)
    watcher = Watcher(lakeside, inbox.url)
    watcher.tick()
    fail_a_load(lakeside, LABOR)
    watcher.tick()
    moment = alerts.time.time()
    monkeypatch.setattr(alerts.time, "time", lambda: moment + 25 * 3_600)
    fail_a_load(lakeside, LABOR)
    watcher.tick()
    assert len(inbox.messages) == 2


def test_a_failing_check_is_told_as_the_check_and_a_warning_as_a_warning(lakeside: Lakeside, inbox: Inbox) -> None:
    watcher = Watcher(lakeside, inbox.url)
    watcher.tick()
    lakeside.load(LABOR)
    lakeside.bench.lake.registry.update_status(LABOR, "failed", error="broken off")
    run(lakeside, "look_over_datasets")
    watcher.tick()
    [message] = inbox.messages
    assert message["message"].startswith(
        "FAILED look_over_datasets: check dataset_inventory/no_dataset_left_failed\n"
        f"1 of 1 datasets are left failed: {LABOR}"
    )
    revise(lakeside, LABOR, "2024-10-01", value="†")
    lakeside.load(LABOR)
    watcher.tick()
    assert inbox.messages[1]["title"] == "e-Stat data lake: 0 failed, 1 warnings", inbox.messages[1]
    assert inbox.messages[1]["message"].startswith(f"warning {LABOR}: check labor/validated_records/")


def test_a_check_that_stops_a_run_is_one_problem_and_not_two(lakeside: Lakeside, inbox: Inbox) -> None:
    lakeside.load(LABOR)
    watcher = Watcher(lakeside, inbox.url)
    watcher.tick()
    table = lakeside.sandbox.tables[LABOR]
    lakeside.sandbox.replace(table.revised(updated="2024-10-01", cells=[*table.cells, *table.cells[:3]]))
    assert not lakeside.load(LABOR).success
    watcher.tick()
    [message] = inbox.messages
    assert message["title"] == "e-Stat data lake: 1 failed, 0 warnings"
    assert message["message"].startswith(f"FAILED {LABOR}: check labor/validated_records/quarantine_ratio\n3 of 18")
    assert ADVICE["quarantine_ratio"] in message["message"]


def test_what_could_not_be_delivered_is_told_at_the_next_tick(lakeside: Lakeside, inbox: Inbox) -> None:
    lakeside.load(LABOR)
    watcher = Watcher(lakeside, inbox.url)
    watcher.tick()
    fail_a_load(lakeside, LABOR)
    inbox.status = 500
    with pytest.raises(Exception, match="could not be sent to address 1") as caught:
        watcher.tick()
    assert "hook-token" not in str(caught.value)
    inbox.status = 200
    watcher.tick()
    assert len(inbox.messages) == 1


def test_an_address_that_takes_nothing_gets_it_later_and_the_others_get_nothing_twice(
    lakeside: Lakeside, inbox: Inbox, other_inbox: Inbox
) -> None:
    lakeside.load(LABOR)
    lakeside.load(POPULATION)
    watcher = Watcher(lakeside, inbox.url, other_inbox.url)
    watcher.tick()
    other_inbox.status = 500
    for dataset_id in (LABOR, POPULATION):
        fail_a_load(lakeside, dataset_id)
        words = watcher.tick()
        assert words.startswith("1 runs ended; 1 new" if dataset_id == LABOR else "2 runs ended; 1 new")
        assert "could not be sent to address 2" in words
        assert "hook-token" not in words + str(watcher.cursor)
    assert "could not be sent to address 2" in watcher.tick()
    other_inbox.status = 200
    watcher.tick()
    assert [message["title"][18:26] for message in inbox.messages] == ["1 failed"] * 2
    assert [message["title"][18:26] for message in other_inbox.messages] == ["2 failed"]
    assert "0 runs ended; 0 new" in watcher.tick()


def test_more_runs_than_one_tick_takes_are_told_by_the_next_ones(
    lakeside: Lakeside, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher(lakeside, inbox.url)
    watcher.tick()
    monkeypatch.setattr(runs, "BATCH", 3)
    fail_many(lakeside, 7)
    assert [watcher.tick()[:10] for _ in range(4)] == [f"{count} runs end" for count in (3, 3, 1, 0)]
    told = [line for message in inbox.messages for line in message["message"].split("\n") if "FAILED" in line]
    assert told == [f"FAILED {number}: RuntimeError" for number in range(7)]


def test_a_cursor_of_another_version_begins_anew(lakeside: Lakeside, inbox: Inbox) -> None:
    watcher = Watcher(lakeside, inbox.url)
    watcher.cursor = '{"looked": 1.0, "runs": {}, "told": {}}'
    assert "begin now" in watcher.tick()


def test_each_dataset_that_could_not_be_registered_is_a_problem_of_its_own(lakeside: Lakeside, inbox: Inbox) -> None:
    watcher = Watcher(lakeside, inbox.url)
    watcher.tick()
    run(lakeside, "register_and_ingest", dataset_ids="0009999999 0009999998")
    watcher.tick()
    [message] = inbox.messages
    assert message["title"] == "e-Stat data lake: 2 failed, 0 warnings"
    first, second = (text.split("\n") for text in message["message"].split("\n\n"))
    assert (first[0], second[0]) == ("FAILED 0009999998: API_ERROR", "FAILED 0009999999: API_ERROR")
    assert first[2], "the hint"


def test_without_an_address_nothing_is_looked_at(lakeside: Lakeside) -> None:
    assert "ESTAT_ALERT_URLS" in Watcher(lakeside).tick()


def test_what_is_no_address_is_told_by_its_number(inbox: Inbox) -> None:
    with pytest.raises(NetworkError, match="address 2"):
        send(2, "nonsense", "title", "text")


def test_an_unforeseen_error_is_told_without_its_words(lakeside: Lakeside, inbox: Inbox) -> None:
    watcher = Watcher(lakeside, inbox.url)
    watcher.tick()

    fail_many(lakeside, 1)
    watcher.tick()
    [message] = inbox.messages
    assert message["message"].startswith("FAILED 0: RuntimeError")
    assert "hunter2" not in message["message"]


@dg.op
def explode() -> None:
    raise RuntimeError("password=hunter2")


@dg.job
def broken() -> None:
    explode()


def fail_many(lakeside: Lakeside, count: int) -> None:
    """Let so many runs fail, of datasets that are named by their numbers."""
    for number in range(count):
        tags = {"dagster/partition": str(number)}
        assert not broken.execute_in_process(instance=lakeside.instance, tags=tags, raise_on_error=False).success
