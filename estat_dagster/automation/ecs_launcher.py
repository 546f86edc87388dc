"""The launcher of runs as tasks of ECS whose log lines are the project's JSON, as those of the services are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dagster_aws.ecs import EcsRunLauncher


class LoggedEcsRunLauncher(EcsRunLauncher):
    """Launches as Dagster's does; each task runs Dagster's program by `estat service`."""

    def _get_command_args(self, *given: Any, **named: Any) -> Sequence[str]:
        return ["estat", "service", *super()._get_command_args(*given, **named)]
