"""The bridge's log: JSON lines on stderr, which no secret reaches."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from estat_dagster.telemetry import JsonFormatter


class HidingFormatter(JsonFormatter):
    """Formats records as JSON with their tracebacks, and hides what must not be read."""

    def __init__(self, hide: Callable[[str], str]) -> None:
        super().__init__()
        self._hide = hide

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        if record.exc_info and not hasattr(record, "estat"):
            details: dict[str, Any] = {"traceback": self.formatException(record.exc_info)}
            record.estat = {"operation": record.name, "message": record.getMessage(), "details": details}
        return self._hide(super().format(record))


def log_to_stderr(hide: Callable[[str], str]) -> None:
    """Write the log lines of this process to stderr: the project's from INFO on, of libraries from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(HidingFormatter(hide))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("mcp_bridge", "estat_dagster"):
        logging.getLogger(name).setLevel(logging.INFO)
