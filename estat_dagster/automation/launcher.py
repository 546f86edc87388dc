"""The launcher of runs on one machine, which can tell whether a run's process still lives.

Dagster's own cannot: a run whose process was killed together with its code server would count as at work until
`max_runtime_seconds`, and its dataset would wait as long. With this one, run monitoring fails it and the retry daemon
starts it again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class WatchedRunLauncher(DefaultRunLauncher):
    """Launches as Dagster's default does, and watches the processes of runs on this machine."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: that is what it adds."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return NOT_FOUND where the process is gone; RUNNING too where it is another machine's and cannot be seen."""
        pid = self._pid(run) if _is_here(run) else None
        if pid is None or is_alive(pid):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"The process {pid} of the run is gone; it was killed.")

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


def _is_here(run: dg.DagsterRun) -> bool:
    server = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    return "socket" in server or server.get("host") in LOOPBACK
