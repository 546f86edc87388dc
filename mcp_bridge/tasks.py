"""The tasks extension (SEP-2663): clients that declare it get a task for a run, and poll that instead of `get_run`.

A task is a Dagster run and bears its id, so Dagster keeps it: a bridge that was started anew still knows it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.server.mcpserver import Extension, MethodBinding, require_client_extension
from mcp.types import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    RequestParams,
)
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from estat_dagster.errors import DataLakeError, ValidationError
from mcp_bridge.answers import to_result, with_texts
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.runs import RunView
from mcp_bridge.following import AS_TASK
from mcp_bridge.toolbox import ToolSpec
from mcp_bridge.tools.runs import RUN_ID, describe

EXTENSION = "io.modelcontextprotocol/tasks"
REVISIONS = frozenset({"2026-07-28"})
TTL_MS = 90 * 24 * 3_600_000
POLL_MS = 2_000

Facts = dict[str, Any]
Proceed = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Task:
    """A task: `status` is working, completed, failed or cancelled; a tool that reports an error has completed."""

    id: str
    status: str
    created: datetime
    updated: datetime
    words: str = ""
    result: CallToolResult | None = None
    error: Facts | None = None

    def facts(self, *, whole: bool) -> Facts:
        """Return it as the protocol says it; `whole` with its outcome."""
        facts: Facts = {
            "taskId": self.id,
            "status": self.status,
            "statusMessage": self.words,
            "createdAt": _iso(self.created),
            "lastUpdatedAt": _iso(self.updated),
            "ttlMs": TTL_MS,
            "pollIntervalMs": POLL_MS,
        }
        if whole and self.result:
            facts["result"] = self.result.model_dump(by_alias=True, mode="json", exclude_none=True)
        if whole and self.error:
            facts["error"] = self.error
        return facts


class TaskStore(Protocol):
    """Where tasks are kept."""

    async def create(self, proceed: Proceed) -> Task | CallToolResult:
        """Start the tool and return its task, or its result where there is nothing to wait for."""
        ...

    async def find(self, task_id: str) -> Task | None:
        """Return a task, None where there is none."""
        ...

    async def cancel(self, task_id: str) -> None:
        """Stop a task; one that has ended stays as it is."""
        ...


class RunTasks:
    """Tasks that are Dagster runs."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def create(self, proceed: Proceed) -> Task | CallToolResult:
        """Start the run and return it as a task; an error before it is a plain result."""
        token = AS_TASK.set(True)
        try:
            result: CallToolResult = await proceed()
        finally:
            AS_TASK.reset(token)
        if result.is_error or not result.structured_content:
            return result
        task = await self.find(result.structured_content["run_id"])
        return task or result

    async def find(self, task_id: str) -> Task | None:
        """Return the run of this id as a task."""
        if not RUN_ID.fullmatch(task_id):
            return None
        try:
            view = await self._bridge.dagster.run(task_id)
        except ValidationError:
            return None
        return await self._of(view)

    async def cancel(self, task_id: str) -> None:
        """Cancel the run."""
        view = await self._bridge.dagster.run(task_id)
        if not view.finished:
            await self._bridge.dagster.cancel(task_id)

    async def _of(self, view: RunView) -> Task:
        created = _moment(view.created_at)
        updated = _moment(view.ended_at) if view.finished else datetime.now(UTC)
        if not view.finished:
            return Task(view.run_id, "working", created, updated, view.stage)
        result = with_texts(to_result(await describe(self._bridge, view)), self._bridge.hide)
        result.is_error = view.status == "FAILURE"
        status = "cancelled" if view.status == "CANCELED" else "completed"
        return Task(view.run_id, status, created, updated, view.stage, None if status == "cancelled" else result)


class TaskParams(RequestParams):
    """What the extension's methods take."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    task_id: str


class UpdateParams(TaskParams):
    """What `tasks/update` takes; no task of the bridge asks for input."""

    input_responses: dict[str, Any] = Field(default_factory=dict)


class Tasks(Extension):
    """Gives tasks for some tools to the clients that declare the extension; others get the plain result.

    Args:
        tools: the names of the tools.
        store: where their tasks are kept.
        required: tools that clients without the extension cannot call.
        hide: takes secrets and local paths out of what is said of a failure.
    """

    identifier = EXTENSION

    def __init__(
        self, tools: Sequence[str], store: TaskStore, *, required: Sequence[str] = (), hide: Callable[[str], str] = str
    ) -> None:
        self._tools, self._store, self._required = frozenset(tools), store, frozenset(required)
        self._hide = hide

    def methods(self) -> Sequence[MethodBinding]:
        """Return the methods of the extension."""
        return [
            MethodBinding("tasks/get", TaskParams, self._get, REVISIONS),
            MethodBinding("tasks/cancel", TaskParams, self._cancel, REVISIONS),
            MethodBinding("tasks/update", UpdateParams, self._update, REVISIONS),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: Callable[..., Any]
    ) -> Any:
        """Answer a call with a task where the client can have one."""
        capabilities = ctx.session.client_capabilities
        declared = bool(capabilities and capabilities.extensions and EXTENSION in capabilities.extensions)
        if params.name in self._required and not declared:
            require_client_extension(ctx, EXTENSION)
        if params.name not in self._tools or not declared or ctx.protocol_version not in REVISIONS:
            return await call_next(ctx)
        task = await self._store.create(lambda: call_next(ctx))
        return {"resultType": "task", **task.facts(whole=False)} if isinstance(task, Task) else task

    async def _get(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> Facts:
        return {"resultType": "complete", **(await self._find(ctx, params)).facts(whole=True)}

    async def _cancel(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> Facts:
        await self._find(ctx, params)
        with self._told_to_the_client():
            await self._store.cancel(params.task_id)
        return {"resultType": "complete"}

    async def _update(self, ctx: ServerRequestContext[Any, Any], params: UpdateParams) -> Facts:
        await self._find(ctx, params)
        return {"resultType": "complete"}

    async def _find(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> Task:
        require_client_extension(ctx, EXTENSION)
        headers = getattr(ctx.request, "headers", None)  # over HTTP only
        if headers is not None and headers.get("mcp-name") not in (None, params.task_id):
            raise MCPError(HEADER_MISMATCH, "Mcp-Name header does not match params.taskId")
        with self._told_to_the_client():
            task = await self._store.find(params.task_id)
        if task is None:
            raise MCPError(INVALID_PARAMS, "Failed to retrieve task: Task not found")
        return task

    @contextmanager
    def _told_to_the_client(self) -> Iterator[None]:
        """Make an expected failure an error of the protocol."""
        try:
            yield
        except DataLakeError as error:
            raise MCPError(INTERNAL_ERROR, self._hide(f"{error.kind}: {error}")) from error


def tasks_of(specs: Sequence[ToolSpec], bridge: Bridge) -> Tasks:
    """Return the extension for the tools that start runs."""
    return Tasks([spec.function.__name__ for spec in specs if spec.starts_runs], RunTasks(bridge), hide=bridge.hide)


def _moment(seconds: float | None) -> datetime:
    return datetime.fromtimestamp(seconds, UTC) if seconds else datetime.now(UTC)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
