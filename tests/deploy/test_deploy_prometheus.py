"""A real Prometheus asks the guarded web server as `deploy/prometheus.yaml` says, and the dashboard asks Prometheus."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from estat_dagster.sandbox.server import Sandbox
from estat_dagster.services import free_port, program
from tests.deploy.deployment import READY_SECONDS, ROOT, Deployment, changed
from tests.deploy.stores import HOST, Store, find, running, wait_for
from tests.ops.serving import VIEWER

pytestmark = pytest.mark.deploy
SECONDS = 300
HELD, UNKNOWN = "0003005798", "0000000001"
NOTHING_TO_SHOW = {"Checks that did not pass, per day"}


class Lake:
    """A lake in which something was loaded, something failed, and something was asked; and its Prometheus."""

    def __init__(self, deployed: Deployment, url: str) -> None:
        self.deployed, self.url = deployed, url

    def find(self, expression: str) -> list[dict[str, Any]]:
        """Return what Prometheus finds."""
        answer = requests.get(f"{self.url}/api/v1/query", {"query": expression}, timeout=30).json()
        assert answer["status"] == "success", (expression, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def number(self, expression: str) -> float:
        """Return the one number that Prometheus finds, 0 where it finds none."""
        found = self.find(expression)
        return float(found[0]["value"][1]) if found else 0.0


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    folder, port, own = tmp_path_factory.mktemp("prometheus"), free_port(), free_port()
    for name in ("dagster.yaml", "workspace.yaml"):
        (folder / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    (folder / "token").write_text(VIEWER, "utf-8")
    changes = {"scrape_interval: 60s": "scrape_interval: 2s", "web:3000": f"{HOST}:{port}"}
    changes["/etc/prometheus/estat-viewer-token"] = str(folder / "token")
    (folder / "prometheus.yaml").write_text(
        changed((ROOT / "deploy/prometheus.yaml").read_text("utf-8"), changes), "utf-8"
    )
    commands = {"web": f"estat serve --port {port}", "daemon": "estat service dagster-daemon run -w workspace.yaml"}
    serving = [find("prometheus", "prometheus"), "--config.file=prometheus.yaml", f"--web.listen-address={HOST}:{own}"]
    serving.append("--storage.tsdb.path=metrics")
    url = f"http://{HOST}:{own}"
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        environment = {
            "ESTAT_BASE_URL": sandbox.base_url, "DATALAKE_HOME": str(folder / "lake"), "ESTAT_WEB_VIEWER_TOKEN": VIEWER,
        }  # fmt: skip
        deployed = stack.enter_context(Deployment(folder, port, environment, commands))
        deployed.start("web")
        wait_for(deployed.is_ready, READY_SECONDS)
        deployed.start("daemon")
        stack.enter_context(running(Store(serving, folder, lambda: requests.get(f"{url}/-/ready", timeout=3).ok)))
        sandbox.fail("503", times=1, function="getStatsData")
        deployed.register_and_ingest([HELD, UNKNOWN])
        wait_for(lambda: deployed.runs(HELD)[0][1] == "SUCCESS", SECONDS)
        words = [program("estat"), "query", "SELECT count(*) FROM labor_data"]
        subprocess.run(words, cwd=folder, env=deployed.environment, check=True, capture_output=True)
        yield Lake(deployed, url)


def test_prometheus_takes_the_file(lake: Lake) -> None:
    command = [find("promtool", "prometheus"), "check", "config", "prometheus.yaml"]
    done = subprocess.run(command, cwd=lake.deployed.home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_first_of_its_kind_is_an_increase_and_every_panel_shows_something(lake: Lake) -> None:
    failures = 'sum(increase(estat_runs_total{dagster_job="register_and_ingest",status="FAILURE"}[1h]))'
    wait_for(lambda: lake.number(failures) > 0, SECONDS)
    wait_for(lambda: lake.number("sum(increase(estat_queries_total[1h]))") > 0, SECONDS)
    assert lake.number('up{job="estat"}') == 1
    assert lake.number("min(estat_daemon_healthy)") == 1
    assert lake.number('sum(increase(estat_problems_total{kind="API_ERROR"}[1h]))') > 0
    assert lake.number("sum(increase(estat_fetch_retries_total[1h]))") > 0
    dashboard = json.loads((ROOT / "deploy/grafana/estat.json").read_text("utf-8"))
    empty = {
        panel["title"] for panel in dashboard["panels"] for each in panel["targets"] if not lake.find(each["expr"])
    }
    assert empty <= NOTHING_TO_SHOW
