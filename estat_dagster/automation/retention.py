"""How long Dagster's own record of runs is kept: its event logs grow without bound otherwise.

What the web UI shows of a dataset comes from its newest runs, so those stay whatever their age: the newest of each job,
dataset, selection of assets and outcome.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from estat_dagster.automation.runs import BATCH, ENDED, PARTITION


def find_old_runs(instance: dg.DagsterInstance, *, days: int, now: datetime | None = None) -> list[str]:
    """Return the ids of ended runs that are older than so many days and not the newest of their kind."""
    before = (now or datetime.now(UTC)) - timedelta(days=days)
    seen: set[tuple[object, ...]] = set()
    old, cursor = [], None
    while True:
        records = instance.get_run_records(dg.RunsFilter(statuses=ENDED), limit=BATCH, cursor=cursor)
        for record in records:
            kind = _kind(record.dagster_run)
            if kind in seen and record.create_timestamp.astimezone(UTC) < before:
                old.append(record.dagster_run.run_id)
            seen.add(kind)
        if len(records) < BATCH:
            return old
        cursor = records[-1].dagster_run.run_id


def _kind(run: dg.DagsterRun) -> tuple[object, ...]:
    return run.job_name, run.tags.get(PARTITION), run.asset_selection, run.asset_check_selection, run.status
