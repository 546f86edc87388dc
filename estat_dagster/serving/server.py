"""Dagster's own web server, made as its command makes it, behind the guard."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__
from starlette.types import ASGIApp

from estat_dagster.serving.doors import Doors, Role
from estat_dagster.serving.guard import Guard
from estat_dagster.serving.metrics import Metrics, with_metrics
from estat_dagster.workbench import Workbench


class _Workspace(WorkspaceProcessContext):
    """A workspace that Dagster itself shows as read-only to viewers: its buttons are grey, its mutations refused."""

    def create_request_context(self, source: Any = None) -> WorkspaceRequestContext:
        """Return the context of a request, by the role that the guard found."""
        return WorkspaceRequestContext(
            instance=self.instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=source is None or source.scope.get("estat.role") is not Role.OPERATOR,
        )


@contextlib.contextmanager
def guarded_app(workspace: Path, doors: Doors, hosts: Collection[str], *, read_only: bool) -> Iterator[ASGIApp]:
    """Open Dagster's instance and workspace, and give its web server behind the guard."""
    target = WorkspaceFileTarget(paths=[str(workspace)])
    with (
        dg.DagsterInstance.get() as instance,
        _Workspace(instance, workspace_load_target=target, version=__version__) as context,
    ):
        instance.optimize_for_webserver(15_000, -1, 20)
        app = create_app_from_workspace_process_context(context)
        yield Guard(with_metrics(app, Metrics(instance, Workbench())), doors, hosts, read_only=read_only)


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Answer until the process is told to end. Forwarded headers are the guard's business, and of no one else."""
    uvicorn.run(
        app, host=host, port=port, log_config=None, log_level="warning", proxy_headers=False, server_header=False
    )
