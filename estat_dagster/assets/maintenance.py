"""Maintenance of the tables as assets: one a kind, each over all tables."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from estat_dagster.assets.advice import ADVICE
from estat_dagster.assets.describing import preview_table
from estat_dagster.assets.failures import as_failure
from estat_dagster.assets.layers import OWNERS
from estat_dagster.errors import DataLakeError
from estat_dagster.lake.maintenance import COMPACT, EXPIRE, OLDER_THAN, ORPHANS, Report, maintain
from estat_dagster.lake.sweeping import KEEP, age
from estat_dagster.workbench import Workbench

GROUP = "maintenance"
EVERY_TABLE = "every_table_kept"


class MaintenanceConfig(dg.Config):
    """How to keep the tables in order."""

    tables: list[str] = Field(default=[], description="Only these tables; none is all of them.")
    older_than_days: float = Field(
        default=OLDER_THAN / timedelta(days=1), description="Age of snapshots that expire and of orphans, in days."
    )
    keep: int = Field(default=KEEP, description="How many of the newest snapshots of a table stay, however old.")
    dry_run: bool = Field(default=False, description="Only tell what would be done.")


def _asset(name: str, kind: str, description: str, after: str | None = None) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        group_name=GROUP,
        description=description,
        deps=[after] if after else [],
        owners=OWNERS,
        kinds={"iceberg"},
        tags={"layer": GROUP},
        code_version="1",
        check_specs=[dg.AssetCheckSpec(EVERY_TABLE, asset=name, description="It was done on every table.")],
    )
    def keep_in_order(
        config: MaintenanceConfig, bench: dg.ResourceParam[Workbench]
    ) -> Iterator[dg.MaterializeResult[Any]]:
        try:
            done = list(
                maintain(
                    bench.lake,
                    [kind],
                    config.tables,
                    older_than=age(config.older_than_days),
                    keep=config.keep,
                    dry_run=config.dry_run,
                )
            )
        except DataLakeError as error:
            raise as_failure(error) from error
        kept = [each for each in done if not each.error]
        rows = [{"table": each.table, "count": each.count, "bytes": each.bytes, **each.details} for each in kept]
        metadata: dict[str, Any] = {
            "count": sum(each.count for each in done),
            "bytes": sum(each.bytes for each in done),
            "tables": len({each.table for each in kept if each.table}),
            "dry_run": config.dry_run,
            **({"report": dg.MetadataValue.md(preview_table(rows))} if rows else {}),
        }
        yield dg.MaterializeResult(metadata=metadata, check_results=[_every_table(done)])

    return keep_in_order


def _every_table(done: Sequence[Report]) -> dg.AssetCheckResult:
    """Return whether it was done on every table; one that could not be read or written does not stop the others."""
    errors = {each.table: each.error for each in done if each.error}
    words = f"{len(errors):,} of {len({each.table for each in done if each.table}):,} tables could not be kept in order"
    facts: dict[str, Any] = {"hint": ADVICE[EVERY_TABLE]} if errors else {}
    return dg.AssetCheckResult(
        passed=not errors,
        check_name=EVERY_TABLE,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join([words, *(f"{table}: {error}" for table, error in errors.items())]),
        metadata=facts,
    )


compacted_files = _asset(
    "compacted_files", COMPACT, "Small data files of each partition put together, and the manifests that list them."
)
expired_snapshots = _asset(
    "expired_snapshots", EXPIRE, "Old snapshots let go of, but for the newest and the named ones.", "compacted_files"
)
removed_orphans = _asset(
    "removed_orphans", ORPHANS, "Files that no snapshot names any more, removed.", "expired_snapshots"
)
MAINTENANCE = [compacted_files, expired_snapshots, removed_orphans]
