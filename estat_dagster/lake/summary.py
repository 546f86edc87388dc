"""What a snapshot of a table says of itself: the names of the properties that our commits carry."""

from __future__ import annotations

DATASET = "estat.dataset-id"
ACTION = "estat.action"
RUN = "dagster-run-id"
CONTENT = "estat.content-hash"
VERSION = "estat.version"
SCHEMA_VERSION = "estat.schema-version"
ROWS = "estat.rows"
CARRIED = "estat.rows-carried"
"""Rows of other datasets that stood in the same file and were written again unchanged."""
LOAD = "estat.load"
"""What the registry knew of the load, as JSON, so that a rollback can say it again."""
FROM = "estat.rolled-back-to"

LOADED, ROLLED_BACK, DELETED, COMPACTED = "load", "rollback", "delete", "compact"
