"""One machine with Postgres, as operations.md says: loads, and a database that is killed among them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.stack import small_tables
from estat_dagster.lake.lake import open_lake
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.services import free_port
from estat_dagster.settings import Settings
from tests.deploy.deployment import READY_SECONDS, Deployment, home_of, written_for_postgres
from tests.deploy.stores import HOST, PASSWORD, postgres, wait_for

pytestmark = pytest.mark.deploy
SECONDS = 600


@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_loads_end_well_also_where_the_database_is_killed_among_them(tmp_path: Path, *, killed: bool) -> None:
    tables, home, port = small_tables(6), tmp_path / "estat", free_port()
    ids = [table.id for table in tables]
    migrate, serve, daemon = written_for_postgres()
    commands = {"migrate": migrate, "web": f"{serve} --port {port}", "daemon": daemon}
    with postgres() as (store, store_port), Sandbox(tables=tables) as sandbox:
        home_of("postgres", home, {"5432": str(store_port)})
        environment = {
            "DAGSTER_PG_HOST": HOST, "DAGSTER_PG_DB": "dagster", "DAGSTER_PG_USER": "dagster",
            "DAGSTER_PG_PASSWORD": PASSWORD, "ESTAT_BASE_URL": sandbox.base_url, "ESTAT_AUTOMATION": "on",
        }  # fmt: skip
        with Deployment(home, port, environment, commands) as deployed:
            deployed.run("migrate")
            deployed.start("web", "daemon")
            wait_for(deployed.is_ready, READY_SECONDS)
            deployed.register_and_ingest(ids)
            if killed:
                wait_for(lambda: any(status == "STARTED" for each in ids for _, status in deployed.runs(each)), SECONDS)
                store.kill()
                time.sleep(5)
                store.start()
            wait_for(lambda: all(deployed.runs(each)[0][1] == "SUCCESS" for each in ids), SECONDS)
        lines = deployed.lines("daemon")
    lake = open_lake(Settings(lake_home=home / "data" / "lake"))
    assert {entry.dataset_id for entry in lake.registry if entry.status == "loaded"} == set(ids)
    held = lake.tables.load("general_data").scan(selected_fields=("dataset_id",)).to_arrow()
    assert sorted(held.column("dataset_id").to_pylist()) == sorted(each.id for each in tables for _ in each.cells)
    tried_again = [line for line in lines if line["level"] == "WARNING" and "Retrying" in line["message"]]
    assert bool(tried_again) == killed
    assert not [line for line in lines if line["message"].startswith("INFO:dagster")], "each line stands there once"
    assert PASSWORD not in deployed.log("daemon") + deployed.log("web")
