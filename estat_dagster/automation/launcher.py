"""The launcher of runs on one machine, which can tell whether a run's process still lives.

Dagster's own cannot: a run whose process was killed together with its code server would count as at work until
`max_runtime_seconds`, and its dataset would wait as long. With this one, run monitoring fails it and the retry daemon
starts it again. That daemon tries once, and never again where the code server is away: so a run counts as at work until
its code server has answered for a while.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SETTLED_SECONDS = 10.0
"""How long a code server answers before the daemon has surely loaded it again."""
MOST_SECONDS = 300.0
"""How long a run whose process is gone waits for its code server."""


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches as Dagster's default does, and watches the processes of runs on this machine."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._gone: dict[str, float] = {}
        self._answering: dict[str, float] = {}

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: that is what it adds."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return NOT_FOUND where the process is gone; RUNNING too where it is another machine's and cannot be seen."""
        pid = self._pid(run) if _is_here(run) else None
        if pid is None or is_alive(pid):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        words = f"The process {pid} of the run is gone; it was killed."
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND if self._can_start_again(run) else WorkerStatus.RUNNING, words
        )

    def _can_start_again(self, run: dg.DagsterRun) -> bool:
        """Whether the run's code server has answered for a while, or will not be waited for any longer."""
        server, now = _server(run), time.monotonic()
        if "port" not in server:
            return True
        if now - self._gone.setdefault(run.run_id, now) >= MOST_SECONDS:
            return True
        place = f"{server['host']}:{server['port']}"
        if not answers(server["host"], server["port"]):
            self._answering.pop(place, None)
            return False
        return now - self._answering.setdefault(place, now) >= SETTLED_SECONDS

    def _pid(self, run: dg.DagsterRun) -> int | None:
        for record in self._instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            data: Any = record.get_dagster_event().event_specific_data
            if "pid" in data.metadata and record.message.startswith("Started process for run"):
                return int(data.metadata["pid"].value)
        return None


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs; one that ended and waits to be reaped does not."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            return stat.read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def answers(host: str, port: int) -> bool:
    """Whether a code server answers there."""
    try:
        DagsterGrpcClient(host=host, port=port).ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True


def _server(run: dg.DagsterRun) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    return found


def _is_here(run: dg.DagsterRun) -> bool:
    server = _server(run)
    return "socket" in server or server.get("host") in LOOPBACK
