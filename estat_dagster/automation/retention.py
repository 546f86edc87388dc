"""How long Dagster's own record of runs is kept: its event logs grow without bound otherwise.

What the web UI shows of a dataset comes from its newest runs, so those stay whatever their age: the newest of each job,
dataset, selection of assets and outcome.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

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


def forget_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run, its events, and what its steps wrote on their console; of SQLite the run's own file too."""
    instance.delete_run(run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    if isinstance(storage := instance.event_log_storage, SqliteEventLogStorage):
        file = Path(storage.path_for_shard(run_id))
        for path in file.parent.glob(f"{file.name}*"):  # with the journal beside it
            path.unlink()


def _kind(run: dg.DagsterRun) -> tuple[object, ...]:
    return run.job_name, run.tags.get(PARTITION), run.asset_selection, run.asset_check_selection, run.status
