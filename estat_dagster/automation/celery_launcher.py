"""The launcher of runs on Celery workers, which can tell whether a run's worker still has it, and cancels for good.

Dagster's own believes what the worker wrote when it began: a run whose worker was killed would count as at work until
`max_runtime_seconds`, and its dataset would wait as long. A run that is cancelled would be failed, and so be started
again. Needs the extra `celery`.
"""

from __future__ import annotations

import time
from typing import Any

import dagster as dg
from celery.result import AsyncResult
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from estat_dagster.automation.launcher import is_of_command_line

ANSWER_SECONDS = 5.0
"""How long a worker is waited for."""
SILENT_SECONDS = 120.0
"""How long a worker may be silent: after the broker was away it may take a while until it is connected again."""


class WatchedCeleryRunLauncher(CeleryRunLauncher):
    """Launches as Dagster's does, and asks the workers which runs they have."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._silent: dict[str, float] = {}

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return NOT_FOUND where the worker that began a run does not have it, or has been silent for long."""
        if is_of_command_line(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        found = super().check_run_worker_health(run)
        if found.status != WorkerStatus.RUNNING:
            return found
        task = self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG])
        worker = (task.info or {}).get("hostname")
        if worker is None or self._has(worker, task) or super().check_run_worker_health(run).status != found.status:
            return found
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"The worker {worker} does not have the run any more.")

    def terminate(self, run_id: str) -> bool:
        """Cancel a run: Dagster is told before the worker, which says itself when the run is over."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        return super().terminate(run_id)

    def _has(self, worker: str, task: AsyncResult) -> bool:
        """Whether a worker has a task; one that is silent has it for a while."""
        answers = self.celery.control.inspect([worker], timeout=ANSWER_SECONDS).query_task(task.id) or {}
        if worker in answers:
            self._silent.pop(worker, None)
            return task.id in answers[worker]
        now = time.monotonic()
        return now - self._silent.setdefault(worker, now) < SILENT_SECONDS
