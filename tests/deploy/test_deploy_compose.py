"""The services of compose.yaml on loopback, the lake on S3 and Glue: loads, while one after another is killed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import boto3
import pytest

from benchmarks.stack import small_tables
from estat_dagster.lake.lake import open_lake
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.services import free_port
from estat_dagster.settings import Settings
from tests.cloud import REGION, running_cloud
from tests.deploy.deployment import READY_SECONDS, ROOT, Deployment, changed, home_of, written_for_compose
from tests.deploy.stores import HOST, PASSWORD, Store, postgres, redis, wait_for
from tests.ops.serving import OPERATOR

pytestmark = pytest.mark.deploy
SECONDS = 600
CANCEL = "mutation C($id: String!) { terminateRun(runId: $id) { __typename } }"
APP_ID = "an-app-id-of-the-test"
TABLES = small_tables(12)
IDS = [table.id for table in TABLES]


@dataclass(frozen=True)
class Compose:
    """The services, and what they keep their things in."""

    deployed: Deployment
    settings: Settings
    database: Store
    broker: Store
    sandbox: Sandbox

    def statuses(self, ids: list[str]) -> list[str]:
        return [self.deployed.runs(each)[0][1] for each in ids]

    def has_started(self, ids: list[str]) -> bool:
        return any(status == "STARTED" for each in ids for _, status in self.deployed.runs(each))

    def all_succeeded(self, ids: list[str]) -> bool:
        return all(status == "SUCCESS" for status in self.statuses(ids))


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """All services of compose.yaml, and a second worker."""
    folder, port, code = tmp_path_factory.mktemp("compose"), free_port(), free_port()
    with ExitStack() as stack:
        cloud = stack.enter_context(running_cloud())
        sandbox = stack.enter_context(Sandbox(tables=TABLES))
        database, database_port = stack.enter_context(postgres())
        settings = cloud.settings()
        given = cloud.environment | {
            "POSTGRES_PASSWORD": PASSWORD, "ESTAT_APP_ID": APP_ID, "ESTAT_WEB_TOKEN": OPERATOR,
            "DATALAKE_S3_BUCKET": settings.s3_bucket, "DATALAKE_GLUE_DATABASE": settings.glue_database,
        }  # fmt: skip
        commands, environment = written_for_compose(given)
        broker, broker_port = stack.enter_context(redis(folder / "redis", commands["redis"]))
        changes = {
            "5432": str(database_port), "redis:6379": f"{HOST}:{broker_port}", "host: code": f"host: {HOST}",
            "4000": str(code), "0.0.0.0": HOST, "localhost:3000": f"{HOST}:{port}",
            "--concurrency 4": "--concurrency 2",
        }  # fmt: skip
        commands = {name: changed(command, changes) for name, command in commands.items()}
        commands |= {"web": f"{commands['web']} --port {port}", "worker": f"{commands['worker']} -n one@%h"}
        commands["other"] = f"{commands['worker']} -n two@%h"
        environment = {name: changed(value, changes) for name, value in environment.items()}
        environment |= {"DAGSTER_PG_HOST": HOST, "ESTAT_BASE_URL": sandbox.base_url, "AWS_ENDPOINT_URL": cloud.endpoint}
        home_of("compose", folder / "estat", changes)
        shutil.copytree(ROOT / "deploy", folder / "estat" / "deploy")
        deployed = stack.enter_context(Deployment(folder / "estat", port, environment, commands))
        deployed.run("tables")
        deployed.start("code", "web", "daemon", "worker", "other")
        wait_for(deployed.is_ready, READY_SECONDS)
        yield Compose(deployed, settings, database, broker, sandbox)


def test_a_cancelled_run_ends_as_cancelled_and_is_not_started_again(compose: Compose) -> None:
    deployed, slow = compose.deployed, IDS[:1]
    compose.sandbox.faults.latency = 20
    deployed.register_and_ingest(slow)
    wait_for(lambda: compose.has_started(slow), SECONDS)
    compose.sandbox.faults.latency = 0
    [(run_id, _)] = deployed.runs(slow[0])
    assert deployed.ask(CANCEL, id=run_id)["terminateRun"]["__typename"] == "TerminateRunSuccess"
    wait_for(lambda: deployed.runs(slow[0]) == [(run_id, "CANCELED")], SECONDS)
    deployed.register_and_ingest(slow)
    wait_for(lambda: compose.all_succeeded(slow), SECONDS)
    assert [status for _, status in deployed.runs(slow[0])] == ["SUCCESS", "CANCELED"]


@pytest.mark.soak
def test_loads_end_well_although_workers_broker_and_database_are_killed_among_them(compose: Compose) -> None:
    deployed = compose.deployed
    deployed.register_and_ingest(IDS, force=True)
    wait_for(lambda: compose.has_started(IDS), SECONDS)
    deployed.kill("worker")
    deployed.start("worker")
    wait_for(lambda: compose.statuses(IDS).count("SUCCESS") > 2, SECONDS)
    compose.broker.kill()
    time.sleep(5)
    compose.broker.start()
    wait_for(lambda: compose.statuses(IDS).count("SUCCESS") > 5, SECONDS)
    compose.database.kill()
    time.sleep(5)
    compose.database.start()
    deployed.kill("other")  # as with its machine: nobody starts it again
    wait_for(lambda: compose.all_succeeded(IDS), SECONDS)
    lake = open_lake(compose.settings)
    assert {entry.dataset_id for entry in lake.registry if entry.status == "loaded"} == set(IDS)
    held = lake.tables.load("general_data").scan(selected_fields=("dataset_id",)).to_arrow()
    assert sorted(held.column("dataset_id").to_pylist()) == sorted(each.id for each in TABLES for _ in each.cells)


def test_what_the_services_say_is_our_json_each_once_and_without_a_secret(compose: Compose) -> None:
    both = compose.deployed.lines("worker") + compose.deployed.lines("other")
    runs = [line for line in both if "run_id" in line["details"]]
    assert runs
    told = [(line["dataset_id"], line["message"], *sorted(line["details"].items())) for line in runs]
    assert len(told) == len(set(map(str, told)))
    for name in ("code", "daemon", "worker", "other"):
        compose.deployed.lines(name)
        assert not [secret for secret in (APP_ID, PASSWORD, OPERATOR) if secret in compose.deployed.log(name)]


def test_the_consoles_of_runs_are_on_s3(compose: Compose) -> None:
    bucket = boto3.resource("s3", REGION).Bucket(compose.settings.s3_bucket)
    held = [item.get()["Body"].read().decode() for item in bucket.objects.filter(Prefix="dagster-logs/")]
    assert any("iceberg_table" in text for text in held)
