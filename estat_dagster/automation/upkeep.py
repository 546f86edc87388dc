"""The jobs that keep the house in order: tables, old files, Dagster's own event logs, and what was left failed."""

from typing import Any

import dagster as dg
from pydantic import Field

from estat_dagster.assets.failures import as_failure, as_failure_of_each
from estat_dagster.assets.inventories import dataset_inventory
from estat_dagster.assets.maintenance import GROUP, MaintenanceConfig
from estat_dagster.assets.maintenance import MAINTENANCE as ASSETS
from estat_dagster.automation.requests import ONE_AT_A_TIME
from estat_dagster.automation.retention import find_old_runs, forget_run
from estat_dagster.errors import DataLakeError
from estat_dagster.lake.cleaning import find_superfluous, remove_superfluous
from estat_dagster.records.report import table
from estat_dagster.workbench import Workbench

MAINTENANCE, CLEAN_UP, FORGET_RUNS, LOOK_OVER = "maintenance", "clean_up", "forget_old_runs", "look_over_datasets"
SHOWN = 20


class CleanUpRequest(dg.Config):
    """What stays."""

    keep_fetches: int = Field(default=3, description="How many fetches of a dataset stay, the newest ones; at least 1.")
    only_look: bool = Field(default=False, description="Say what would be removed, and remove nothing.")


class ForgetRequest(dg.Config):
    """How long runs are kept."""

    keep_days: int = Field(
        default=90, description="Runs younger than this stay, and the newest of each job and dataset."
    )
    most: int = Field(default=5_000, description="The most runs to forget in one go.")
    only_look: bool = Field(default=False, description="Say how many would be forgotten, and forget none.")


@dg.op(tags={"kind": "python"})
def remove_old_files(
    context: dg.OpExecutionContext, config: CleanUpRequest, bench: dg.ResourceParam[Workbench]
) -> None:
    """Remove fetches before the newest ones, and quarantine that belongs to no dataset.

    Datasets of which a file cannot be read are left alone, and the run fails after the others are cleaned.
    """
    try:
        found, left_out = find_superfluous(bench.lake.store, bench.lake.registry, keep=config.keep_fetches)
        if not config.only_look:
            remove_superfluous(bench.lake.store, found)
    except DataLakeError as error:
        raise as_failure(error) from error
    if left_out:
        raise as_failure_of_each("Not judged, the others are cleaned", left_out, files=len(found))
    lines = [(file.path, f"{file.bytes:,}", file.reason) for file in found[:SHOWN]]
    context.add_output_metadata(
        {
            "outcome": "looked only" if config.only_look else "removed",
            "files": len(found),
            "bytes": sum(file.bytes for file in found),
            "some_of_them": dg.MetadataValue.md(
                table(("file", "bytes", "why"), lines) if lines else "Nothing to remove."
            ),
        }
    )


@dg.op(tags={"kind": "python"})
def forget_runs(context: dg.OpExecutionContext, config: ForgetRequest) -> None:
    """Delete old runs with their events and console logs; the newest of each job, dataset and outcome stay."""
    old = find_old_runs(context.instance, days=config.keep_days)
    chosen = old[-config.most :] if config.most else []
    if not config.only_look:
        for run_id in chosen:
            forget_run(context.instance, run_id)
    context.add_output_metadata({"old_runs": len(old), "forgotten": 0 if config.only_look else len(chosen)})


@dg.job(
    name=CLEAN_UP,
    tags={ONE_AT_A_TIME: CLEAN_UP},
    description="Remove raw pages of old fetches and quarantine that belongs to no dataset. What rows stand on stays.",
)
def clean_up_job() -> None:
    """Remove what nothing needs."""
    remove_old_files()


@dg.job(
    name=FORGET_RUNS,
    tags={ONE_AT_A_TIME: FORGET_RUNS},
    description="Delete old runs from Dagster's event log, which grows without bound otherwise.",
)
def forget_runs_job() -> None:
    """Forget old runs."""
    forget_runs()


@dg.config_mapping
def to_each(config: MaintenanceConfig) -> dict[str, Any]:
    """Give one form to all kinds of maintenance."""
    return {"ops": {asset.op.name: {"config": config.model_dump()} for asset in ASSETS}}


maintenance_job = dg.define_asset_job(
    MAINTENANCE,
    config=to_each,
    selection=dg.AssetSelection.groups(GROUP),
    tags={ONE_AT_A_TIME: MAINTENANCE},
    description="Keep the Iceberg tables small and fast: compact files, expire old snapshots, remove orphans.",
)

look_over_job = dg.define_asset_job(
    LOOK_OVER,
    selection=dg.AssetSelection.checks_for_assets(dataset_inventory),
    tags={ONE_AT_A_TIME: LOOK_OVER},
    description="The standing checks of all datasets together: none is left failed.",
)
