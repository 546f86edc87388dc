"""Runs of the instance by their state and their dataset, and those that ended since somebody last looked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import msgspec

PARTITION = "dagster/partition"
"""The tag that names the dataset of a run."""
QUEUED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
UNFINISHED = [*QUEUED, *AT_WORK]
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
OVERLAP = timedelta(minutes=2)  # runs whose end is written a little later than its own time says
BATCH = 500
_INSTANT = timedelta(microseconds=1)


class Seen(msgspec.Struct, frozen=True):
    """Which ended runs were looked at. Moments are seconds since 1970.

    `looked` is up to which change of a run, `runs` are those of the last minutes with their change, and whatever ended
    before `known` was seen or is not wanted.
    """

    looked: float
    known: float
    runs: dict[str, float] = {}

    def new_runs(self, instance: dg.DagsterInstance) -> tuple[list[dg.DagsterRun], Seen]:
        """Return runs that ended and were not seen yet, the earliest first, and what is seen with them.

        At most `BATCH`: where there are as many, the next call returns more.
        """
        overlap, found = OVERLAP.total_seconds(), []
        looked, known, runs = self.looked, self.known, dict(self.runs)
        for record in _changed_after(instance, datetime.fromtimestamp(self.looked - overlap, UTC)):
            run, changed = record.dagster_run, record.update_timestamp.timestamp()
            # A run changes after its end too: Dagster tags one that it tries again.
            if (record.end_time or changed) >= known and run.run_id not in runs:
                found.append(run)
            runs[run.run_id] = changed
            looked = max(looked, changed)
            if len(found) == BATCH:
                break
        else:
            known = max(known, looked - overlap)
        kept = {run_id: changed for run_id, changed in runs.items() if changed >= looked - overlap}
        return found, Seen(looked, known, kept)


def _changed_after(instance: dg.DagsterInstance, moment: datetime) -> Iterator[dg.RunRecord]:
    """Return records of ended runs that were changed after a moment, the earliest first; some may come twice."""
    while True:
        chosen = dg.RunsFilter(statuses=ENDED, updated_after=moment)
        records = instance.get_run_records(chosen, limit=BATCH, order_by="update_timestamp", ascending=True)
        yield from records
        if len(records) < BATCH:
            return
        last = records[-1].update_timestamp.astimezone(UTC)
        moment = max(last - _INSTANT, moment + _INSTANT)  # others may have been changed in the same instant
