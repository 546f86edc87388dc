"""Waiting with progress for the client: for any tool, and for a bounded time for a run, which needs no watcher."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any

import anyio
from mcp.server.mcpserver import Context
from pydantic import Field

if TYPE_CHECKING:
    from mcp_bridge.dagster.door import Dagster
    from mcp_bridge.dagster.runs import RunView

AS_TASK = ContextVar("AS_TASK", default=False)
"""Whether the client polls the run as a task: then no call waits for it."""
POLL_SECONDS = 0.5
BEAT_SECONDS = 3.0
MOST_SECONDS = 45
"""The most that a caller may ask to wait for a run."""
STEP = 0.01

WaitSeconds = Annotated[int, Field(ge=0, le=MOST_SECONDS, description="to wait for the run's end")]
Call = Context[Any, Any]


class Progress:
    """Tells the client of one call how far it is: always a little more than before, as the protocol wants."""

    def __init__(self, call: Call) -> None:
        self._call, self._hundredths, self._stage = call, -1, ""

    async def report(self, fraction: float, stage: str) -> None:
        """Send a notification, if the client asked for them."""
        self._hundredths, self._stage = max(self._hundredths + 1, int(10_000 * fraction)), stage
        await self._call.report_progress(self._hundredths / 100, 100, stage)

    async def beat(self, stage: str) -> None:
        """Say every few seconds that the call is alive, for clients that give up a silent one."""
        while True:
            await anyio.sleep(BEAT_SECONDS)
            await self.report(0, self._stage or stage)


PROGRESS: ContextVar[Progress] = ContextVar("PROGRESS")
"""The progress of the call that is being answered."""


@asynccontextmanager
async def telling(call: Call, stage: str) -> AsyncIterator[None]:
    """Let a call say that it is alive; what is raised inside must not leave it."""
    token = PROGRESS.set(progress := Progress(call))
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(progress.beat, stage)
            yield
            group.cancel_scope.cancel()
    finally:
        PROGRESS.reset(token)


async def follow(dagster: Dagster, run_id: str, deadline: float, known: RunView | None = None) -> RunView:
    """Return what is known of a run when it has ended or the time is up; `deadline` is of `time.monotonic()`.

    Raises:
        DataLakeError: Dagster does not tell.
    """
    while True:
        known = await dagster.run(run_id, known)
        await PROGRESS.get().report(known.fraction, known.stage)
        left = deadline - time.monotonic()
        if known.finished or left <= 0:
            return known
        await anyio.sleep(min(POLL_SECONDS, left))
