"""A guarded web server in a process of its own, whose workspace has one asset and one job: the guard is the same."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from estat_dagster.services import free_port

ROOT = Path(__file__).resolve().parents[2]
ESTAT = Path(sys.executable).with_name("estat")
OPERATOR, VIEWER = "operator-token-0123456789", "viewer-token-0123456789"
WORKSPACE = "load_from:\n  - python_file: {relative_path: tiny.py, location_name: estat}\n"
TINY = """
import dagster as dg

@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="tiny"))
def thing() -> None: ...

@dg.op
def say() -> None: ...

@dg.job
def greet() -> None:
    say()

defs = dg.Definitions([thing], jobs=[greet])
"""


class Server:
    """A running server and how to ask it."""

    def __init__(self, port: int) -> None:
        self.host, self.url = f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"

    def post(self, body: Any, token: str = OPERATOR, **headers: str) -> requests.Response:
        given = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.post(f"{self.url}/graphql", json=body, headers=given | headers, timeout=60)

    def get(self, path: str, token: str = "", **headers: str) -> requests.Response:
        given = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{self.url}{path}", headers=given | headers, timeout=60, allow_redirects=False)


@contextlib.contextmanager
def guarded(home: Path, *options: str, tokens: bool = True) -> Iterator[Server]:
    """Start `estat serve` and give it when it answers."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text("utf-8"), "utf-8")
    (home / "workspace.yaml").write_text(WORKSPACE, "utf-8")
    (home / "tiny.py").write_text(TINY, "utf-8")
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ESTAT_", "DATALAKE_"))}
    environment |= {"DAGSTER_HOME": str(home)}
    if tokens:
        environment |= {"ESTAT_WEB_TOKEN": OPERATOR, "ESTAT_WEB_VIEWER_TOKEN": VIEWER}
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [ESTAT, "serve", "--port", str(port), *options], env=environment, stdout=log, stderr=log
        )
        try:
            server = Server(port)
            end = time.monotonic() + 90
            while not _answers(server):
                assert process.poll() is None, (home / "serve.log").read_text()
                assert time.monotonic() < end, "it did not answer in 90 s"
                time.sleep(0.2)
            yield server
        finally:
            process.terminate()
            process.wait(30)


def _answers(server: Server) -> bool:
    try:
        return server.get("/healthz").status_code == 200
    except requests.RequestException:
        return False
