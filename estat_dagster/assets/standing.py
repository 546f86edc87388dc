"""Checks of all datasets together: none is left failed. They read the registry alone."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from estat_dagster.assets.advice import ADVICE
from estat_dagster.assets.inventories import dataset_inventory
from estat_dagster.lake.registry import FAILED, DatasetEntry
from estat_dagster.records.report import table
from estat_dagster.workbench import Workbench

SHOWN = 20


@dg.asset_check(asset=dataset_inventory, description="No dataset's last load failed.")
def no_dataset_left_failed(bench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
    """Say which datasets were not loaded the last time, and why; their rows of before are still in the tables."""
    entries = list(bench.lake.registry)
    failed = [entry for entry in entries if entry.status == FAILED]
    words = f"{len(failed):,} of {len(entries):,} datasets are left failed"
    if failed:
        words += f": {', '.join(entry.dataset_id for entry in failed[:SHOWN])}{', ...' if len(failed) > SHOWN else ''}"
    facts: dict[str, Any] = {"failed": len(failed), "datasets": len(entries)}
    if failed:
        facts |= {"which": _which(failed), "hint": ADVICE["no_dataset_left_failed"]}
    return dg.AssetCheckResult(
        passed=not failed, severity=dg.AssetCheckSeverity.ERROR, description=words, metadata=facts
    )


def _which(failed: Sequence[DatasetEntry]) -> Any:
    lines = [(e.dataset_id, e.domain, e.title, e.error or "") for e in failed[:SHOWN]]
    return dg.MetadataValue.md(table(("dataset", "domain", "title", "why"), lines))
