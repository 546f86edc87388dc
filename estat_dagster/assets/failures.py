"""What goes wrong in a run, in the form that ends it, and in the registry."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import dagster as dg

from estat_dagster.domains import DATASET_ID
from estat_dagster.errors import DataError, DataLakeError, StorageError
from estat_dagster.lake.inventory import put_inventory
from estat_dagster.lake.registry import FAILED
from estat_dagster.telemetry import log
from estat_dagster.workbench import Workbench

EACH_FAILED = "failed"
"""The fact of a run's failure that says what went wrong with each dataset: id -> error, message and hint."""


def as_failure(error: DataLakeError, **facts: int) -> dg.Failure:
    """Return the error in the form that ends a Dagster run, with its own words and hint, and facts of the try."""
    metadata: dict[str, str | int] = {"error": error.kind, "hint": error.hint, **facts}
    return dg.Failure(description=f"{error.kind}: {error}", metadata=metadata, allow_retries=False)


def as_failure_of_each(what: str, failures: Mapping[str, DataLakeError], **facts: Any) -> dg.Failure:
    """Return the errors of some datasets as the failure that ends a run about many, after the others were done.

    Args:
        what: what was not done, as in "Not requested".
        failures: the errors, by the datasets' ids.
        facts: shown besides.
    """
    told = {
        dataset_id: {"error": error.kind, "message": error.message, "hint": error.hint}
        for dataset_id, error in failures.items()
    }
    words = "; ".join(f"{dataset_id}: {error.kind}: {error}" for dataset_id, error in failures.items())
    metadata = {EACH_FAILED: dg.MetadataValue.json(told), **facts}
    return dg.Failure(f"{what}: {words}", metadata=metadata, allow_retries=False)


def record_failure(bench: Workbench, dataset_id: str, words: str) -> None:
    """Write the failure of a registered dataset's load into the registry and the inventory.

    What was loaded before stays described. Where the inventory cannot be written, or the entry cannot be read, that is
    logged: the failure of the load is the one to tell.
    """
    lake = bench.lake
    try:
        if DATASET_ID.fullmatch(dataset_id) and lake.registry.find(dataset_id):
            put_inventory(lake.tables, lake.registry.update_status(dataset_id, FAILED, error=words))
    except (StorageError, DataError) as error:
        words = f"Registry or dataset_inventory do not say yet that the load failed: {error}"
        log("registry", words, dataset_id=dataset_id, level=logging.WARNING)
