"""A Trino of one process whose catalog `lake` is the Iceberg tables of an AWS lake, found through Glue."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import trino

from tests.cloud import CREDENTIALS, REGION

HERE = Path(__file__).resolve().parent
POM = HERE / "pom.xml"
VERSION = re.findall(r"<trino>(\d+)</trino>", POM.read_text("utf-8"))[0]
PROGRAM = HERE.parents[1] / "data" / "trino" / VERSION
START_SECONDS = 240


def why_not() -> str | None:
    """Return why Trino cannot run here, or None where it can."""
    if not shutil.which("java"):
        return "there is no Java on this machine"
    if not (PROGRAM / "plugin").exists():
        return "`make test-trino` has not fetched it"
    return None


@dataclass(frozen=True)
class Trino:
    """A running server."""

    port: int
    database: str

    def __call__(self, sql: str, parameters: Sequence[Any] | None = None) -> list[list[Any]]:
        """Return the rows of a query, as Python's values. Tables are named as in Athena: `population_data`."""
        return self.run(sql, parameters)[1]

    def run(self, sql: str, parameters: Sequence[Any] | None = None) -> tuple[list[tuple[str, str]], list[list[Any]]]:
        """Return (name, type) of each column, and the rows.

        Raises:
            trino.exceptions.TrinoUserError: Trino refuses the query.
        """
        with contextlib.closing(self._connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(sql, parameters)
            rows = cursor.fetchall()
            return [(column.name, column.type_code) for column in cursor.description or []], rows

    def _connect(self) -> Any:
        return trino.dbapi.connect(
            host="127.0.0.1", port=self.port, user="test", catalog="lake", schema=self.database, timezone="UTC"
        )


@contextlib.contextmanager
def running_trino(home: Path, endpoint: str, database: str) -> Iterator[Trino]:
    """Start Trino with its files in `home`, on a free port, over the lake whose tables stand in a Glue database.

    Raises:
        AssertionError: it did not start; with the end of its log.
    """
    port = _free_port()
    _configure(home, port, endpoint)
    log = home / "server.log"
    with log.open("wb") as output, _process(home, output) as process:
        ask = Trino(port, database)
        _wait(ask, process, log)
        yield ask


@contextlib.contextmanager
def _process(home: Path, output: Any) -> Iterator[subprocess.Popen[bytes]]:
    classes = f"{PROGRAM / 'lib'}/*"
    options = ["-Xmx1G", "-XX:+ExitOnOutOfMemoryError", "-Djdk.attach.allowAttachSelf=true", "-Dfile.encoding=UTF-8"]
    process = subprocess.Popen(
        ["nice", "-n", "10", "java", *options, f"-Dconfig={home / 'config.properties'}",
         f"-Dlog.levels-file={home / 'log.properties'}", "-cp", classes, str(HERE / "Main.java"), VERSION],
        cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _configure(home: Path, port: int, endpoint: str) -> None:
    catalogs = home / "catalog"
    catalogs.mkdir(parents=True)
    _write(home / "config.properties", {
        "node.environment": "test",
        "node.internal-address": "127.0.0.1",
        "node.bind-ip": "127.0.0.1",
        "plugin.dir": PROGRAM / "plugin",
        "catalog.config-dir": catalogs,
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "failure-detector.enabled": "false",
        "http-server.http.port": port,
        "discovery.uri": f"http://127.0.0.1:{port}",
        "query.max-memory-per-node": "400MB",
        "memory.heap-headroom-per-node": "200MB",
    })  # fmt: skip
    _write(home / "log.properties", {"io.trino": "WARN", "io.airlift": "WARN", "": "WARN"})
    _write(catalogs / "lake.properties", {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "glue",
        "hive.metastore.glue.region": REGION,
        "hive.metastore.glue.endpoint-url": endpoint,
        "hive.metastore.glue.aws-access-key": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "hive.metastore.glue.aws-secret-key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        "hive.s3.endpoint": endpoint,
        "hive.s3.path-style-access": "true",
        "hive.s3.ssl.enabled": "false",
        "hive.s3.aws-access-key": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "hive.s3.aws-secret-key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    })  # fmt: skip


def _write(path: Path, properties: dict[str, Any]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()), "utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(ask: Trino, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when a table of the lake is read: Trino answers of its schemas before it knows that its own node reads."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(requests.RequestException, trino.exceptions.Error):
            if requests.get(f"http://127.0.0.1:{ask.port}/v1/info", timeout=5).json()["starting"] is False:
                ask("SELECT count(dataset_id) FROM dataset_inventory")
                return
        time.sleep(0.5)
    raise AssertionError(f"Trino did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")
