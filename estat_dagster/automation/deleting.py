"""Deleting a dataset with all that Dagster knows of it: its partition goes too, and one that is loading stays."""

from __future__ import annotations

import dagster as dg

from estat_dagster.automation.runs import PARTITION, UNFINISHED
from estat_dagster.domains import DOMAINS, check_dataset_id
from estat_dagster.errors import ValidationError
from estat_dagster.lake.deleting import Holdings, delete
from estat_dagster.workbench import Workbench


def delete_dataset(
    bench: Workbench,
    instance: dg.DagsterInstance,
    dataset_id: str,
    *,
    keep_raw: bool = False,
    even_if_running: bool = False,
) -> Holdings:
    """Take a dataset out of the lake and out of its partition set, and return what was taken out.

    Raises:
        ValidationError: a run of the dataset is not finished.
        DataError: the lake holds nothing of it.
    """
    live = [] if even_if_running else live_runs(instance, check_dataset_id(dataset_id))
    if live:
        raise ValidationError(
            f"{dataset_id} is being loaded: the run {live[0]} is not finished.",
            hint="Wait for it or cancel it in the web UI; --even-if-running where its process is known to be gone.",
        )
    try:
        return delete(bench.lake, dataset_id, bench.settings.locks_home, keep_raw=keep_raw)
    finally:
        if bench.lake.registry.find(dataset_id) is None:
            forget_partition(instance, dataset_id)


def live_runs(instance: dg.DagsterInstance, dataset_id: str) -> list[str]:
    """Return the ids of the runs of a dataset that are not finished."""
    runs = dg.RunsFilter(statuses=UNFINISHED, tags={PARTITION: dataset_id})
    return [record.dagster_run.run_id for record in instance.get_run_records(runs)]


def forget_partition(instance: dg.DagsterInstance, dataset_id: str) -> None:
    """Take a dataset out of the partition set that holds it."""
    for domain in DOMAINS.values():
        if instance.has_dynamic_partition(domain.partitions_name, dataset_id):
            instance.delete_dynamic_partition(domain.partitions_name, dataset_id)
