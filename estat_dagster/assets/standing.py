"""Checks of all datasets together: none is left failed. They read the registry alone."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from estat_dagster.assets.advice import ADVICE
from estat_dagster.assets.inventories import dataset_inventory
from estat_dagster.lake.registry import FAILED
from estat_dagster.records.report import table
from estat_dagster.workbench import Workbench

SHOWN = 20


@dg.asset_check(asset=dataset_inventory, description="No dataset's last load failed.")
def no_dataset_left_failed(bench: dg.ResourceParam[Workbench]) -> dg.AssetCheckResult:
    """Say which datasets were not loaded the last time, and why; their rows of before are still in the tables.

    One whose entry in the registry cannot be read is among them.
    """
    entries, damaged = bench.lake.registry.look()
    failed = [(e.dataset_id, e.domain, e.title, e.error or "") for e in entries if e.status == FAILED]
    failed += [(dataset_id, "", "", str(error)) for dataset_id, error in damaged.items()]
    words = f"{len(failed):,} of {len(entries) + len(damaged):,} datasets are left failed"
    if failed:
        words += f": {', '.join(each[0] for each in failed[:SHOWN])}{', ...' if len(failed) > SHOWN else ''}"
    facts: dict[str, Any] = {"failed": len(failed), "datasets": len(entries) + len(damaged)}
    if failed:
        facts |= {"which": _which(failed), "hint": ADVICE["no_dataset_left_failed"]}
    return dg.AssetCheckResult(
        passed=not failed, severity=dg.AssetCheckSeverity.ERROR, description=words, metadata=facts
    )


def _which(failed: Sequence[tuple[str, ...]]) -> Any:
    return dg.MetadataValue.md(table(("dataset", "domain", "title", "why"), failed[:SHOWN]))
