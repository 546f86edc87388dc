"""What the project is made of, to be read as a table of contents."""

from __future__ import annotations

import dagster as dg

from estat_dagster.assets.checks import build_checks
from estat_dagster.assets.inventories import dataset_dimensions, dataset_inventory
from estat_dagster.assets.layers import build_layers
from estat_dagster.assets.maintenance import MAINTENANCE
from estat_dagster.assets.standing import no_dataset_left_failed
from estat_dagster.automation.alerts import build_alerts
from estat_dagster.automation.jobs import ingest_jobs, register_and_ingest_job
from estat_dagster.automation.refreshing import rebuild_job, refresh_job
from estat_dagster.automation.schedules import build_schedules
from estat_dagster.automation.upkeep import clean_up_job, forget_runs_job, look_over_job, maintenance_job
from estat_dagster.domains import DOMAINS
from estat_dagster.settings import Settings, automation_is_on
from estat_dagster.workbench import Workbench


def build_defs(*, settings: Settings | None = None, automation: bool = False) -> dg.Definitions:
    """Return fresh definitions.

    Args:
        settings: None reads the environment when a run first needs it.
        automation: whether schedules and sensors run without being switched on in the web UI.
    """
    layers = [asset for domain in DOMAINS.values() for asset in build_layers(domain)]
    checks = [check for domain in DOMAINS.values() for check in build_checks(domain)]

    def whole() -> dg.Definitions:
        return built

    built = dg.Definitions(
        assets=[*layers, dataset_inventory, dataset_dimensions, *MAINTENANCE],
        asset_checks=[*checks, no_dataset_left_failed],
        jobs=[
            *ingest_jobs(),
            register_and_ingest_job(whole),
            refresh_job(whole),
            rebuild_job(whole),
            maintenance_job,
            look_over_job,
            clean_up_job,
            forget_runs_job,
        ],
        schedules=build_schedules(running=automation),
        sensors=[build_alerts(running=automation)],
        resources={"bench": Workbench(settings)},
        # A step costs 0.05-0.25 s in this executor and 4.2 s in the default one; runs are what goes side by side.
        executor=dg.in_process_executor,
    )
    return built


defs = build_defs(automation=automation_is_on())
