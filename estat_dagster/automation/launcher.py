"""The launcher of runs on one machine, which can tell whether a run's process still lives.

Dagster's own cannot: a run whose process was killed together with its code server would count as at work until
`max_runtime_seconds`, and its dataset would wait as long. With this one, run monitoring fails it and the retry daemon
starts it again. That daemon tries once, and never again where the code server is away: so a run counts as at work until
its code server has answered for a while.
"""

from __future__ import annotations

import json
import math
import os
import socket
import time
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG, MAX_RETRIES_TAG, MAX_RUNTIME_SECONDS_TAG
from dagster._grpc.client import DagsterGrpcClient

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SETTLED_SECONDS = 10.0
"""How long a code server answers before the daemon has surely loaded it again."""
MOST_SECONDS = 300.0
"""How long a run whose process is gone waits for its code server."""
SLACK_SECONDS = 2.0
"""By how much a process may seem to begin after a moment at which it was there: the kernel counts in whole seconds."""
HOST, PID = "estat/host", "estat/pid"


class Worker(NamedTuple):
    """The process of a run, and a moment at which it was there."""

    pid: int
    seen_at: float


def own_process() -> dict[str, str]:
    """Return the tags of a run in this process, which is watched by them; it is not started again, nor ended for time.

    Such a run was not launched by a code server, which could do it again.
    """
    return {HOST: socket.gethostname(), PID: str(os.getpid()), MAX_RETRIES_TAG: "0", MAX_RUNTIME_SECONDS_TAG: "0"}


def is_of_command_line(run: dg.DagsterRun) -> bool:
    """Whether a run is in the process of a command such as `estat load`, and not one that was launched."""
    return HOST in run.tags


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
        worker = self._worker(run)
        if worker is None or is_alive(worker.pid, worker.seen_at):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        words = f"The process {worker.pid} of the run is gone; it was killed."
        return CheckRunHealthResult(
            WorkerStatus.NOT_FOUND if self._can_start_again(run) else WorkerStatus.RUNNING, words
        )

    def _can_start_again(self, run: dg.DagsterRun) -> bool:
        """Whether the run's code server has answered for a while, or will not be waited for any longer."""
        server, now = _server(run), time.monotonic()
        if "port" not in server:
            return True
        self._gone = {run_id: since for run_id, since in self._gone.items() if now - since < 2 * MOST_SECONDS}
        if now - self._gone.setdefault(run.run_id, now) >= MOST_SECONDS:
            return True
        place = f"{server['host']}:{server['port']}"
        if not answers(server["host"], server["port"]):
            self._answering.pop(place, None)
            return False
        return now - self._answering.setdefault(place, now) >= SETTLED_SECONDS

    def _worker(self, run: dg.DagsterRun) -> Worker | None:
        """Return the process of a run of this machine, None where it is not known."""
        if run.tags.get(HOST) == socket.gethostname():
            record = self._instance.get_run_record_by_id(run.run_id)
            return Worker(int(run.tags[PID]), record.create_timestamp.timestamp()) if record else None
        return self._launched(run) if _is_here(run) else None

    def _launched(self, run: dg.DagsterRun) -> Worker | None:
        for record in self._instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            data: Any = record.get_dagster_event().event_specific_data
            if "pid" in data.metadata and record.message.startswith("Started process for run"):
                return Worker(int(data.metadata["pid"].value), record.timestamp)
        return None


def is_alive(pid: int, seen_at: float = math.inf) -> bool:
    """Whether the process of this machine that was there at a moment runs.

    One that ended and waits to be reaped does not, nor does one that began later and got the same number.
    """
    if Path("/proc/self").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return False
        began = _boot_time() + int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return fields[0] != "Z" and began <= seen_at + SLACK_SECONDS
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot_time() -> int:
    """Return when the machine started, in seconds since 1970."""
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.removeprefix("btime ")) for line in lines if line.startswith("btime "))


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
