"""Log lines as JSON: timestamp, level, operation, dataset_id, message, details. Nothing else formats logs.

Domain code logs with `log(operation, message, dataset_id=…, **details)`; who listens decides where the lines go.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("estat_dagster")


def log(
    operation: str, message: str, *, dataset_id: str | None = None, level: int = logging.INFO, **details: Any
) -> None:
    """Write one log line of the project's logger; `details` are facts that JSON can hold, never secrets."""
    facts = {"operation": operation, "dataset_id": dataset_id, "details": details}
    LOGGER.log(level, "%s: %s", operation, message, extra={"estat": {**facts, "message": message}})


class JsonFormatter(logging.Formatter):
    """Format every record as one JSON object, records of other libraries too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts: dict[str, Any] = getattr(record, "estat", {})
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "operation": facts.get("operation", record.name),
            "dataset_id": facts.get("dataset_id"),
            "message": facts.get("message", record.getMessage()),
            "details": facts.get("details", {}),
        }
        return json.dumps(line, ensure_ascii=False, default=str)


def log_to_stderr() -> None:
    """Write the project's log lines to stderr from now on, one JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
