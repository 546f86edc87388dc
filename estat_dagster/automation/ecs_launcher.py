"""The launcher of runs as tasks of ECS whose log lines are the project's JSON, as those of the services are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_aws.ecs import EcsRunLauncher

from estat_dagster.automation.launcher import is_of_command_line


class LoggedEcsRunLauncher(EcsRunLauncher):
    """Launches as Dagster's does; each task runs Dagster's program by `estat service`."""

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return what ECS says of a run's task; a run that has none, for it is a command's, counts as at work."""
        if is_of_command_line(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        found: CheckRunHealthResult = super().check_run_worker_health(run)
        return found

    def _get_command_args(self, *given: Any, **named: Any) -> Sequence[str]:
        return ["estat", "service", *super()._get_command_args(*given, **named)]
