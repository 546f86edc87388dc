"""Every file of deploy/ can be loaded, and says the same as the one-machine settings where it must."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import process_config
from dagster._core.instance.ref import InstanceRef

from estat_dagster.commands.service import PROGRAMS

ROOT = Path(__file__).resolve().parents[2]
HOMES = sorted(path.parent for path in ROOT.glob("deploy/*/dagster.yaml"))
VARIABLES = {
    "DAGSTER_PG_USER": "u", "DAGSTER_PG_PASSWORD": "p", "DAGSTER_PG_HOST": "h", "DAGSTER_PG_DB": "d",
    "CELERY_BROKER": "redis://127.0.0.1:1/0", "CELERY_BACKEND": "redis://127.0.0.1:1/1", "DATALAKE_S3_BUCKET": "lake",
}  # fmt: skip


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
    assert ("CeleryRunLauncher" in classes) == (home.name == "compose")
    assert ("EcsRunLauncher" in classes) == (home.name == "ecs")
    assert "PostgresEventLogStorage" in classes or "DagsterPostgresStorage" in str(reference.storage_data)


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
    services = {name: each.get("command", "") for name, each in compose["services"].items()}
    assert services["web"].startswith("estat --log-json serve")
    started = {each.removeprefix("estat service ").split()[0] for each in services.values() if each}
    assert started == {"estat", *PROGRAMS} - {"dagster-webserver"}
    given = set(compose["services"]["web"]["environment"])
    assert set(VARIABLES) <= given
    assert compose["services"]["web"]["ports"] == ["127.0.0.1:3000:3000"]


def test_the_guard_stands_before_every_web_server() -> None:
    for path in ROOT.glob("deploy/**/*"):
        if path.is_file():
            assert "dagster-webserver" not in path.read_text("utf-8"), path
