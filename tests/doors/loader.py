"""Runs the five steps of a dataset, without Dagster; also as a process of its own, to be killed at any moment."""

from __future__ import annotations

import sys
from pathlib import Path

from estat_dagster.assets.registering import register_dataset
from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.assets.steps.publish import load_table, write_file
from estat_dagster.assets.steps.raw import fetch_raw
from estat_dagster.assets.steps.rows import transform, validate
from estat_dagster.estat.fetch import FetchPlan
from estat_dagster.estat.scope import Filters
from estat_dagster.settings import Settings
from estat_dagster.workbench import Workbench


def load(home: Path, base_url: str, dataset_id: str, *, scope: Filters | None = None) -> None:
    """Load a dataset, or a part of it, into a local lake."""
    load_into(Settings(app_id="test", base_url=base_url, lake_home=home), dataset_id, scope=scope)


def load_into(settings: Settings, dataset_id: str, chunk_size: int = 1_000, *, scope: Filters | None = None) -> None:
    """Register the dataset and run its steps."""
    bench = Workbench(settings)
    register_dataset(bench, dataset_id, scope=scope)
    fetch_raw(DatasetJob.of(bench, dataset_id), FetchPlan(chunk_size=chunk_size))
    for step in (transform, validate, write_file, load_table):
        step(DatasetJob.of(bench, dataset_id))


if __name__ == "__main__":
    print("ready", flush=True)
    load(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    print("done", flush=True)
