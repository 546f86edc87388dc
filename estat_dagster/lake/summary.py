"""What a snapshot of a table says of itself: the names of the properties that our commits carry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

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

UNKNOWN_RELEASE = {"survey_date": "", "open_date": "", "updated_date": ""}
"""What is known of the release of a load that did not say it."""

OF_A_LOAD = (RUN, CONTENT, VERSION, SCHEMA_VERSION, LOAD)
LOADED, ROLLED_BACK, DELETED, COMPACTED, REPAIRED = "load", "rollback", "delete", "compact", "repair"


def load_properties(dataset_id: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the properties of a load's snapshot.

    Args:
        dataset_id: the dataset.
        facts: fields of the registry's entry that describe the load, among them `content_hash`, `loaded_version`
            and `run_id`.
    """
    version = facts["loaded_version"] or ""
    return {
        DATASET: dataset_id,
        ACTION: LOADED,
        RUN: facts["run_id"] or "",
        CONTENT: facts["content_hash"] or "",
        VERSION: version,
        SCHEMA_VERSION: version.partition(":")[0],
        LOAD: json.dumps(facts, ensure_ascii=False, sort_keys=True),
    }


def read_load(properties: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of the registry's entry that a snapshot tells of its load; of an old one those it names."""
    if LOAD in properties:
        return {"loaded_release": UNKNOWN_RELEASE, **json.loads(properties[LOAD])}
    return {
        "loaded_release": UNKNOWN_RELEASE,
        "content_hash": properties.get(CONTENT),
        "loaded_version": properties.get(VERSION),
        "run_id": properties.get(RUN) or None,
    }
