"""Following a run for a bounded time, with progress for the client; the run does not depend on who watches it."""

from __future__ import annotations

import time
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
MOST_SECONDS = 45

WaitSeconds = Annotated[int, Field(ge=0, le=MOST_SECONDS)]
Call = Context[Any, Any]


class Progress:
    """Tells the client how far a run is: never less than before, as the protocol wants."""

    def __init__(self, call: Call) -> None:
        self._call, self._last = call, -1.0

    async def report(self, fraction: float, stage: str) -> None:
        """Send a notification, if the client asked for them."""
        self._last = max(self._last + 0.01, round(100 * fraction, 2))
        await self._call.report_progress(self._last, 100, stage)


async def follow(
    dagster: Dagster, run_id: str, deadline: float, progress: Progress, known: RunView | None = None
) -> RunView:
    """Return what is known of a run when it has ended or the time is up; `deadline` is of `time.monotonic()`.

    Raises:
        DataLakeError: Dagster does not tell.
    """
    while True:
        known = await dagster.run(run_id, known)
        await progress.report(known.fraction, known.stage)
        left = deadline - time.monotonic()
        if known.finished or left <= 0:
            return known
        await anyio.sleep(min(POLL_SECONDS, left))
