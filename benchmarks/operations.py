"""Many small datasets registered and loaded by one backfill: datasets a minute, memory of each process, the event log.

nice -n 10 .venv/bin/python -m benchmarks.operations --datasets 20
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.stack import Stack, small_tables
from estat_dagster.lake.lake import open_lake
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings

DOMAIN = "general"
BACKFILL = """
mutation B($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
ADD = """
mutation A($r: RepositorySelector!, $d: String!, $k: String!) {
  addDynamicPartition(repositorySelector: $r, partitionsDefName: $d, partitionKey: $k) { __typename } }
"""
COUNT = "query C($f: RunsFilter) { runsOrError(filter: $f) { ... on Runs { count } } }"
STATUS = "query S($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": "estat"}
LOOK_SECONDS, SMALL, SHOWN = 15, 20, 40
LAYERS = ("raw_json", "transformed_frame", "validated_records", "parquet_file", "iceberg_table")


def start_backfill(stack: Stack, ids: list[str]) -> str:
    """Add the partitions and launch one backfill of all layers."""
    for dataset_id in ids:
        stack.ask(ADD, r=SELECTOR, d=f"{DOMAIN}_datasets", k=dataset_id)
    parameters = {"assetSelection": [{"path": [DOMAIN, layer]} for layer in LAYERS], "partitionNames": ids}
    launched = stack.ask(BACKFILL, p=parameters)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    return str(launched["backfillId"])


def finished(stack: Stack, backfill: str) -> bool:
    status = stack.ask(STATUS, id=backfill)["partitionBackfillOrError"]["status"]
    return str(status).startswith(("COMPLETED", "FAILED", "CANCELED"))


def measure(home: Path, datasets: int, most_seconds: float) -> dict[str, Any]:
    """Return the figures of one backfill; one that takes too long is measured as far as it came."""
    tables = small_tables(datasets)
    settings = Settings(lake_home=home / "data" / "lake")
    with Sandbox(tables=tables) as sandbox, Stack(home, sandbox.base_url) as stack:
        began, memory = time.monotonic(), []
        backfill = start_backfill(stack, [table.id for table in tables])
        ended = False
        while not ended and time.monotonic() - began < most_seconds:
            time.sleep(min(LOOK_SECONDS, 2 if datasets <= SMALL else LOOK_SECONDS))
            ended = finished(stack, backfill)
            memory.append({"seconds": round(time.monotonic() - began), **stack.memory()})
            done = sum(entry.status == "loaded" for entry in open_lake(settings).registry)
            print(f"{memory[-1]} MB; {done:,} of {datasets:,} loaded", file=sys.stderr, flush=True)
        seconds = time.monotonic() - began
        runs = count_runs(stack)
    loaded = sum(entry.status == "loaded" for entry in open_lake(settings).registry)
    rows = count_rows(settings) if loaded else Counter()
    step = max(1, len(memory) // SHOWN)
    return {
        "datasets": datasets,
        "the_backfill_ended": ended,
        "loaded": loaded,
        "not_whole_in_the_table": sum(rows[table.id] != len(table.cells) for table in tables),
        "rows_of_others": sum(rows.values()) - sum(rows[table.id] for table in tables),
        "runs": runs,
        "seconds": round(seconds, 1),
        "datasets_a_minute": round(60 * datasets / seconds, 1),
        "event_log_bytes": sum(p.stat().st_size for p in (home / "data" / "dagster").rglob("*") if p.is_file()),
        "memory_mb": [*memory[::step], memory[-1]],
    }


def count_rows(settings: Settings) -> Counter[str]:
    """Return how many rows of each dataset are in the table."""
    held = open_lake(settings).tables.load(f"{DOMAIN}_data").scan(selected_fields=("dataset_id",)).to_arrow()
    return Counter(held.column("dataset_id").to_pylist())


def count_runs(stack: Stack) -> dict[str, int]:
    """Return how many runs ended how."""
    return {
        status: stack.ask(COUNT, f={"statuses": [status]})["runsOrError"]["count"]
        for status in ("SUCCESS", "FAILURE", "CANCELED", "STARTED", "QUEUED")
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--datasets", type=int, default=20)
    parser.add_argument("--most-seconds", type=float, default=3_600)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the services are stopped too
    with tempfile.TemporaryDirectory() as home:
        figures = measure(Path(home), given.datasets, given.most_seconds)
    memory = figures.pop("memory_mb")
    print(json.dumps(figures, indent=2), *(json.dumps(look) for look in memory), sep="\n")
    lost = figures["not_whole_in_the_table"] + figures["rows_of_others"] + figures["runs"]["FAILURE"]
    sys.exit(bool(lost) or not figures["the_backfill_ended"])


if __name__ == "__main__":
    main()
