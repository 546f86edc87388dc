"""The services of `deploy/ecs/task.json`, with moto for AWS: this machine runs the tasks that ECS is asked for."""

from __future__ import annotations

import json
import shutil
import string
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from benchmarks.stack import small_tables
from estat_dagster.lake.lake import open_lake
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.services import free_port, program
from estat_dagster.settings import Settings
from tests.cloud import REGION, Cloud, running_cloud
from tests.deploy.deployment import READY_SECONDS, ROOT, Deployment, changed, home_of
from tests.deploy.stores import HOST, PASSWORD, postgres, wait_for
from tests.ops.serving import OPERATOR

pytestmark = pytest.mark.deploy
SECONDS = 300
MOST_OVERRIDES = 8192  # characters; ECS takes no more
TABLES = small_tables(3)
IDS = [table.id for table in TABLES]
SECRETS = {"DAGSTER_PG_PASSWORD": PASSWORD, "ESTAT_APP_ID": "an-app-id", "ESTAT_WEB_TOKEN": OPERATOR}


class Fargate:
    """Runs the tasks that are asked of ECS as processes here, with the environment of their definition.

    Args:
        home: the folder that an image would hold.
        environment: what differs from AWS: where things are on this machine.
    """

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self._ecs = boto3.client("ecs", REGION)
        self._home, self._environment = home, environment
        self._seen: set[str] = set()
        self.overrides: list[dict[str, Any]] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._serve)]

    def __enter__(self) -> Fargate:
        self._threads[0].start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while not self._ended.wait(0.5):
            for arn in set(self._ecs.list_tasks(cluster="estat")["taskArns"]) - self._seen:
                self._seen.add(arn)
                [task] = self._ecs.describe_tasks(cluster="estat", tasks=[arn])["tasks"]
                if task["overrides"].get("containerOverrides"):
                    self._threads.append(threading.Thread(target=self._run, args=(arn, task)))
                    self._threads[-1].start()

    def _run(self, arn: str, task: dict[str, Any]) -> None:
        self.overrides.append(task["overrides"])
        [override] = task["overrides"]["containerOverrides"]
        found = self._ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
        [container] = [each for each in found["containerDefinitions"] if each["name"] == override["name"]]
        words = override["command"]
        environment = environment_of(container) | {e["name"]: e["value"] for e in override.get("environment", [])}
        with (self._home / "runs.log").open("ab") as log:
            subprocess.run(
                [program(words[0]), *words[1:]], cwd=self._home, stdout=log, stderr=log, check=False,
                env=environment | self._environment,
            )  # fmt: skip
        self._ecs.stop_task(cluster="estat", task=arn)


def environment_of(container: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a container, its secrets filled in."""
    plain = {each["name"]: each["value"] for each in container["environment"]}
    return plain | {each["name"]: SECRETS.get(each["name"], "") for each in container["secrets"]}


def answering(cluster: str, task: str) -> ThreadingHTTPServer:
    """Return a server of what a container asks about itself (task metadata endpoint, version 4)."""
    answers = {"/": {"Name": "daemon"}, "/task": {"Cluster": cluster, "TaskARN": task}}

    class Metadata(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answers[self.path or "/"]).encode())

        def log_message(self, *words: Any) -> None: ...

    return ThreadingHTTPServer((HOST, 0), Metadata)


def start_task(task: dict[str, Any]) -> tuple[str, str]:
    """Register the task, start it in a cluster and network, and return the ids of the cluster and of the task."""
    ecs, ec2 = boto3.client("ecs", REGION), boto3.client("ec2", REGION)
    cluster = ecs.create_cluster(clusterName="estat")["cluster"]["clusterArn"]
    definition = ecs.register_task_definition(**task)["taskDefinition"]["taskDefinitionArn"]
    [subnet, *_] = ec2.describe_subnets()["Subnets"]
    [group, *_] = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])[
        "SecurityGroups"
    ]
    network = {"awsvpcConfiguration": {"subnets": [subnet["SubnetId"]], "securityGroups": [group["GroupId"]]}}
    [started] = ecs.run_task(
        cluster="estat", taskDefinition=definition, launchType="FARGATE", networkConfiguration=network
    )["tasks"]
    return cluster, started["taskArn"]


class Aws:
    """The services, and what AWS was asked for."""

    def __init__(self, deployed: Deployment, fargate: Fargate, settings: Settings) -> None:
        self.deployed, self.fargate, self.settings = deployed, fargate, settings


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """The containers of the task as processes, and a machine for the runs."""
    folder, port, code = tmp_path_factory.mktemp("ecs"), free_port(), free_port()
    home = folder / "estat"
    with ExitStack() as stack:
        cloud: Cloud = stack.enter_context(running_cloud())
        sandbox = stack.enter_context(Sandbox(tables=TABLES))
        _, database = stack.enter_context(postgres())
        settings = cloud.settings()
        text = string.Template((ROOT / "deploy/ecs/task.json").read_text("utf-8"))
        given = {name: f"the-{name.lower().replace('_', '-')}" for name in text.get_identifiers()}
        given |= {"PG_HOST": HOST, "DATALAKE_S3_BUCKET": str(settings.s3_bucket), "AWS_REGION": REGION}
        task = json.loads(text.substitute(given))
        for container in task["containerDefinitions"]:
            container["memory"] = 512  # moto asks for it; AWS has the task's
        server = answering(*start_task(task))
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        threading.Thread(target=server.serve_forever).start()
        changes = {"5432": str(database), "4000": str(code), "0.0.0.0": HOST, given["WEB_HOST"]: f"{HOST}:{port}"}
        containers = {each["name"]: each for each in task["containerDefinitions"]}
        commands = {name: changed(" ".join(each["command"]), changes) for name, each in containers.items()}
        commands["web"] += f" --port {port}"
        here = cloud.environment | {
            "ESTAT_BASE_URL": sandbox.base_url, "DAGSTER_HOME": str(home), "PATH": "/usr/bin:/bin",
            "DATALAKE_GLUE_DATABASE": str(settings.glue_database), "DATALAKE_HOME": str(folder / "locks"),
        }  # fmt: skip
        of_task = {"ECS_CONTAINER_METADATA_URI_V4": f"http://{HOST}:{server.server_port}"}
        home_of("ecs", home, changes)
        shutil.copytree(ROOT / "deploy", home / "deploy")
        deployed = stack.enter_context(
            Deployment(home, port, environment_of(containers["web"]) | here | of_task, commands)
        )
        deployed.run("tables")
        deployed.start("code", "web", "daemon")
        wait_for(deployed.is_ready, READY_SECONDS)
        yield Aws(deployed, stack.enter_context(Fargate(home, here)), settings)


def test_each_run_is_a_task_of_its_own_that_loads_its_dataset(aws: Aws) -> None:
    aws.deployed.register_and_ingest(IDS)
    wait_for(lambda: all(aws.deployed.runs(each)[0][1] == "SUCCESS" for each in IDS), SECONDS)
    assert {entry.dataset_id for entry in open_lake(aws.settings).registry if entry.status == "loaded"} == set(IDS)
    assert len(aws.fargate.overrides) == len(IDS) + 1, "one for each dataset, and the one that registered them"
    for override in aws.fargate.overrides:
        assert len(json.dumps(override)) < MOST_OVERRIDES
        assert override["containerOverrides"][0]["name"] == "dagster"
        assert not [secret for secret in SECRETS.values() if secret in json.dumps(override)]


def test_what_runs_say_is_our_json(aws: Aws) -> None:
    said = [json.loads(line) for line in (aws.deployed.home / "runs.log").read_text("utf-8").splitlines()]
    assert {line["dataset_id"] for line in said if line["operation"] == "iceberg_table"} == set(IDS)
