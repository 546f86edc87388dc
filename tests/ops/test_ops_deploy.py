"""Every file of deploy/ can be loaded, and says the same as the one-machine settings where it must."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import sqlalchemy
import yaml
from dagster._config import process_config
from dagster._core.instance.ref import InstanceRef
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster_aws.ecs import tasks
from dagster_postgres.utils import pg_url_from_config
from moto import mock_aws

from estat_dagster.commands.serve import command as serve
from estat_dagster.commands.serve import known_hosts
from estat_dagster.commands.service import PROGRAMS
from estat_dagster.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
HOMES = sorted(path.parent for path in ROOT.glob("deploy/*/dagster.yaml"))
VARIABLES = {
    "DAGSTER_PG_USER": "u", "DAGSTER_PG_PASSWORD": "p", "DAGSTER_PG_HOST": "h", "DAGSTER_PG_DB": "d",
    "CELERY_BROKER": "redis://127.0.0.1:1/0", "CELERY_BACKEND": "redis://127.0.0.1:1/1", "DATALAKE_S3_BUCKET": "lake",
}  # fmt: skip

README_VARIABLES = re.findall(r"^\| `([A-Z0-9_]+)`", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
ONE_MACHINE = {"ESTAT_BASE_URL", "DATALAKE_HOME", "DAGSTER_HOME", "DAGSTER_TOKEN", "MCP_BRIDGE_TOKEN"}
SECRETS = {"DAGSTER_PG_PASSWORD", "ESTAT_APP_ID", "ESTAT_ALERT_URLS", "ESTAT_WEB_TOKEN", "ESTAT_WEB_VIEWER_TOKEN"}


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def test_the_variants_are_there() -> None:
    assert [home.name for home in HOMES] == ["compose", "ecs", "postgres"]


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.name)
def test_dagster_takes_the_settings_of_each_variant(home: Path) -> None:
    reference = InstanceRef.from_dir(str(home))
    assert reference.settings["telemetry"] == {"enabled": False}
    data = [reference.run_launcher_data, reference.compute_logs_data, reference.event_storage_data]
    for each in filter(None, data):
        made = getattr(importlib.import_module(each.module_name), each.class_name)
        given: Any = yaml.safe_load(each.config_yaml)
        result = process_config(made.config_type(), given)
        assert result.success, result.errors
    classes = {each.class_name for each in filter(None, data)}
    assert ("WatchedCeleryRunLauncher" in classes) == (home.name == "compose")
    assert ("LoggedEcsRunLauncher" in classes) == (home.name == "ecs")
    assert "PostgresEventLogStorage" in classes or "DagsterPostgresStorage" in str(reference.storage_data)


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.name)
def test_sqlalchemy_takes_the_driver_that_dagsters_storage_brings(home: Path) -> None:
    storage = yaml.safe_load((home / "dagster.yaml").read_text("utf-8"))["storage"]["postgres"]["postgres_db"]
    given = {name: VARIABLES[each["env"]] if isinstance(each, dict) else each for name, each in storage.items()}
    engine = sqlalchemy.create_engine(pg_url_from_config({"postgres_db": given}))
    assert engine.driver == "psycopg2"


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.name)
def test_the_folder_of_a_variant_is_a_home_that_says_where_the_code_is(home: Path) -> None:
    [origin] = location_origins_from_yaml_paths([str(home / "workspace.yaml")])
    assert origin.location_name == "estat"
    servers = {"compose": ("code", 4000), "ecs": ("127.0.0.1", 4000)}
    assert (getattr(origin, "host", None), getattr(origin, "port", None)) == servers.get(home.name, (None, None))
    if home.name == "postgres":
        same = [(place / "workspace.yaml").read_text("utf-8") for place in (home, ROOT)]
        assert same[0] == same[1]


def test_what_operations_says_to_start_with_postgres_finds_its_files() -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    [block] = re.findall(r"```sh\n(cp -r deploy/postgres .*?)```", text, re.DOTALL)
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    copied, exported = lines[0], dict(word.partition("=")[::2] for word in lines[1][1:])
    assert copied[:3] == ["cp", "-r", "deploy/postgres"]
    assert exported.pop("DAGSTER_HOME") == copied[3]
    assert set(exported) == {name for name in VARIABLES if name.startswith("DAGSTER_PG_")}
    for words in lines[2:]:
        if "-w" in words:
            assert (ROOT / "deploy/postgres" / words[words.index("-w") + 1]).is_file(), words
    assert [words[:2] for words in lines[2:]] == [["dagster", "instance"], ["estat", "serve"], ["estat", "service"]]


def test_what_operations_says_to_do_after_an_upgrade_finds_dagsters_tables(tmp_path: Path) -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    [line] = re.findall(r"^DAGSTER_HOME=.*instance migrate$", text, re.MULTILINE)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text("utf-8"), "utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    subprocess.run(["bash", "-c", line], cwd=tmp_path, env=environment, check=True, timeout=120, capture_output=True)
    assert list((tmp_path / "data/dagster/storage").rglob("runs.db"))


def test_the_image_holds_what_the_services_read() -> None:
    text = (ROOT / "deploy/Dockerfile").read_text("utf-8")
    let_in = (ROOT / "deploy/Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for line in re.findall(r"^COPY (.+)", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in let_in
    assert "cp deploy/${VARIANT}/dagster.yaml deploy/${VARIANT}/workspace.yaml ." in text
    [folder] = re.findall(r"^WORKDIR (.+)", text, re.MULTILINE)
    assert f"DAGSTER_HOME={folder}" in text
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text("utf-8"))
    build = compose["x-estat"]["build"]
    assert (ROOT / "deploy/compose" / build["context"]).resolve() == ROOT
    assert (build["dockerfile"], build["args"]) == ("deploy/Dockerfile", {"VARIANT": "compose"})


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.name)
def test_what_keeps_loads_apart_is_the_same_everywhere(home: Path) -> None:
    alone, other = (yaml.safe_load((place / "dagster.yaml").read_text("utf-8")) for place in (ROOT, home))
    for name in ("run_retries", "retention", "python_logs", "run_queue"):
        assert other[name] == alone[name]
    assert other["concurrency"]["pools"] == alone["concurrency"]["pools"]
    limits = "tag_concurrency_limits"
    assert other["concurrency"]["runs"][limits] == alone["concurrency"]["runs"][limits]


def test_the_workers_application_knows_the_task_that_the_launcher_sends() -> None:
    app = importlib.import_module("deploy.celery_app")
    assert "execute_job" in {name.rpartition(".")[2] for name in app.app.tasks} or app.execute_job is not None


def test_every_service_starts_a_command_that_is_there_with_the_settings_it_reads() -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text("utf-8"))
    services = {name: each["command"] for name, each in compose["services"].items() if each.get("image") == "estat"}
    assert services["web"].startswith("estat --log-json serve")
    started = {each.removeprefix("estat service ").split()[0] for each in services.values()}
    assert started == {"estat", *PROGRAMS} - {"dagster-webserver"}
    given = set(compose["services"]["web"]["environment"])
    assert set(VARIABLES) <= given
    assert set(README_VARIABLES) - ONE_MACHINE <= given
    assert compose["services"]["web"]["ports"] == ["127.0.0.1:3000:3000"]
    left_empty = {name: "" for name, value in compose["x-estat"]["environment"].items() if ":-}" in str(value)}
    assert Settings.from_env(left_empty) == Settings.from_env({}), "what .env does not name stays as it is"


def test_a_service_waits_until_what_it_needs_is_well() -> None:
    services = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text("utf-8"))["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed == "tables" else "service_healthy"
            assert how == {"condition": wanted}, (name, needed)
            assert needed == "tables" or "test" in services[needed]["healthcheck"]
    assert services["tables"]["restart"] == "no"
    assert {name for name, each in services.items() if "tables" in each.get("depends_on", {})} == {
        "code", "web", "daemon", "worker",
    }  # fmt: skip


def test_prometheus_asks_a_name_that_the_web_server_is_reached_by() -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text("utf-8"))
    words = compose["services"]["web"]["command"].split()
    given = serve.make_context("serve", words[words.index("serve") + 1 :]).params
    hosts = known_hosts(given["host"], given["port"], given["allowed"])
    [job] = yaml.safe_load((ROOT / "deploy/prometheus.yaml").read_text("utf-8"))["scrape_configs"]
    for target in job["static_configs"][0]["targets"]:
        assert target in hosts


@pytest.fixture
def task() -> dict[str, Any]:
    text = string.Template((ROOT / "deploy/ecs/task.json").read_text("utf-8"))
    told: dict[str, Any] = json.loads(text.substitute({name: f"the-{name.lower()}" for name in text.get_identifiers()}))
    return told


def test_the_services_of_ecs_are_those_of_compose_with_what_they_read(task: dict[str, Any]) -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text("utf-8"))["services"]
    containers = {each["name"]: each for each in task["containerDefinitions"]}
    assert set(containers) == {"tables", "code", "web", "daemon"}
    for name, container in containers.items():
        words = [word for word in container["command"] if not word.startswith("the-")]
        assert words[:3] == compose[name]["command"].split()[:3]
        names = [each["name"] for each in (*container["environment"], *container["secrets"])]
        assert len(names) == len(set(names))
        assert {each for each in VARIABLES if not each.startswith("CELERY")} <= set(names)
        assert {each["name"] for each in container["environment"]}.isdisjoint(SECRETS)
        assert container["environment"] == containers["daemon"]["environment"]
        for needed in container.get("dependsOn", []):
            assert needed["condition"] == ("SUCCESS" if needed["containerName"] == "tables" else "HEALTHY")
            assert "healthCheck" in containers[needed["containerName"]] or needed["containerName"] == "tables"
    assert containers["web"]["portMappings"] == [{"containerPort": 3000}]
    names = re.findall(r"\$\{(\w+)\}", (ROOT / "deploy/ecs/task.json").read_text("utf-8"))
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    assert all(name in text for name in {*names, *SECRETS}), "operations.md says what each of them is"


@mock_aws
def test_aws_takes_the_task_and_a_run_gets_what_the_daemon_has(
    task: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "current_ecs_container_name", lambda: "daemon")
    ecs = boto3.client("ecs", "ap-northeast-1", aws_access_key_id="x", aws_secret_access_key="x")
    arn = ecs.register_task_definition(**task)["taskDefinition"]["taskDefinitionArn"]
    launcher = yaml.safe_load((ROOT / "deploy/ecs/dagster.yaml").read_text("utf-8"))["run_launcher"]["config"]
    assert launcher["secrets_tag"] is None, "secrets with a tag would take the place of the daemon's"
    run = tasks.get_task_definition_dict_from_current_task(
        ecs, "run", {"taskDefinitionArn": arn}, "image", launcher["container_name"], [{"name": "A", "value": "b"}]
    )
    [container] = run["containerDefinitions"]
    [daemon] = [each for each in task["containerDefinitions"] if each["name"] == "daemon"]
    assert container["secrets"] == daemon["secrets"]
    assert container["environment"][:-1] == daemon["environment"]
    assert not {"portMappings", "restartPolicy"} & set(daemon), "a run would inherit them, and begin again when it ends"
    ecs.register_task_definition(**{name: each for name, each in run.items() if each is not None})


def test_the_guard_stands_before_every_web_server() -> None:
    for path in ROOT.glob("deploy/**/*"):
        if path.is_file():
            assert "dagster-webserver" not in path.read_text("utf-8"), path
