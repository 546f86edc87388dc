"""The services of a Dagster deployment as processes of their own, to be measured, killed and started again."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.tables.catalogue import catalogue
from estat_dagster.services import HOST, free_port, make_tables, start_service, stop_services

ROOT = Path(__file__).resolve().parents[1]
WORKSPACE = "load_from:\n  - grpc_server: {host: 127.0.0.1, port: %d, location_name: estat}\n"
MB = 1024 * 1024
STOP_SECONDS = 30.0
ANSWER_SECONDS = 180
WORKER = b"multiprocessing.spawn"


class RefusedError(requests.RequestException):
    """The web server answered with errors."""


def small_tables(count: int) -> list[Table]:
    """Return so many small tables of the field that has no domain of its own, each with its own id."""
    [pattern] = [table for table in catalogue() if table.id == "9900000013"]
    ids = [f"98{number:08d}" for number in range(1, count + 1)]
    return [dataclasses.replace(pattern, facts={**pattern.facts, "@id": dataset_id}) for dataset_id in ids]


class Stack:
    """Code server, web server and daemon over a home of their own; leaving stops them all."""

    def __init__(self, home: Path, estat_url: str) -> None:
        self.home = home
        self.ports = {name: free_port() for name in ("code", "web")}
        self.url = f"http://127.0.0.1:{self.ports['web']}"
        (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text("utf-8"), "utf-8")
        (home / "workspace.yaml").write_text(WORKSPACE % self.ports["code"], "utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ESTAT_", "DATALAKE_"))}
        self.environment = kept | {
            "DAGSTER_HOME": str(home), "ESTAT_BASE_URL": estat_url, "DATALAKE_HOME": str(home / "data" / "lake"),
        }  # fmt: skip
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start a service: code, web or daemon."""
        code = ["code-server", "start", "-h", HOST, "-p", str(self.ports["code"]), "-m", "estat_dagster.definitions"]
        command = {
            "code": ["dagster", *code],
            "web": ["dagster-webserver", "-h", "127.0.0.1", "-p", str(self.ports["web"]), "-w", "workspace.yaml"],
            "daemon": ["dagster-daemon", "run", "-w", "workspace.yaml"],
        }[name]
        with (self.home / f"{name}.log").open("ab") as log:
            self.running[name] = start_service(command, self.home, self.environment, log)

    def kill(self, name: str) -> None:
        """Kill a service with SIGKILL, and what it started."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def __enter__(self) -> Stack:
        try:
            make_tables(self.home, self.environment)
            for name in ("code", "web", "daemon"):
                self.start(name)
            self.wait_until_ready()
        except BaseException:
            stop_services(self.running.values(), STOP_SECONDS)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        stop_services(self.running.values(), STOP_SECONDS)

    def wait_until_ready(self, seconds: float = 180) -> None:
        """Wait until the web server answers and has the project loaded."""
        document = (
            "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"
        )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                entries = self.ask(document)["workspaceOrError"]["locationEntries"]
                if [entry["locationOrLoadError"]["__typename"] for entry in entries] == ["RepositoryLocation"]:
                    return
            except (requests.RequestException, TypeError, KeyError):
                pass
            time.sleep(0.5)
        raise AssertionError(f"the stack was not ready in {seconds} s; see {self.home}/*.log")

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """Ask GraphQL and return its data.

        Raises:
            requests.RequestException: there was no answer, or it is of errors.
        """
        body = {"query": document, "variables": variables}
        answer = requests.post(f"{self.url}/graphql", json=body, timeout=ANSWER_SECONDS).json()
        if "errors" in answer:
            raise RefusedError(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    def memory(self) -> dict[str, int]:
        """Return the resident megabytes of each service, and of the processes of its runs together."""
        found = {"runs": 0}
        for name, process in self.running.items():
            found[name] = 0
            for command, size in _processes(process.pid):
                found["runs" if WORKER in command else name] += size
        return {name: size // MB for name, size in found.items()}


def _processes(group: int) -> Iterator[tuple[bytes, int]]:
    """Return command line and resident bytes of each process of a group."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                yield (folder / "cmdline").read_bytes(), int(fields[21]) * os.sysconf("SC_PAGESIZE")
        except OSError:
            continue
