"""Serving on stdio, and ending cleanly: at the end of input, on SIGTERM and on SIGINT."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import anyio
from mcp.server import MCPServer

GRACE_SECONDS = 2.0


async def serve_stdio(server: MCPServer[Any]) -> None:
    """Serve until the client closes stdin or a signal comes."""
    async with anyio.create_task_group() as group:

        async def end_on_signal() -> None:
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    end_soon()
                    group.cancel_scope.cancel()
                    return

        group.start_soon(end_on_signal)
        await server.run_stdio_async()
        end_soon()
        group.cancel_scope.cancel()


def end_soon(seconds: float = GRACE_SECONDS) -> None:
    """End the process after a grace: a thread that reads stdin, e-Stat or the lake cannot be interrupted."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()
