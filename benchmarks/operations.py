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
STATUS = "query S($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": "estat"}
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
    tables = small_tables(datasets)
    ids = [table.id for table in tables]
    with Sandbox(tables=tables) as sandbox, Stack(home, sandbox.base_url) as stack:
        began, memory, next_look = time.monotonic(), [], 0.0
        backfill = start_backfill(stack, ids)
        while not finished(stack, backfill):
            seconds = time.monotonic() - began
            assert seconds < most_seconds, f"the backfill did not end in {most_seconds} s"
            if seconds >= next_look:
                memory.append({"seconds": round(seconds), **stack.memory()})
                next_look = seconds + 10
            time.sleep(1)
        seconds = time.monotonic() - began
        memory.append({"seconds": round(seconds), **stack.memory()})
    lake = open_lake(Settings(lake_home=home / "data" / "lake"))
    loaded = [entry.dataset_id for entry in lake.registry if entry.status == "loaded"]
    held = lake.tables.load(f"{DOMAIN}_data").scan(selected_fields=("dataset_id",)).to_arrow()
    return {
        "datasets": datasets,
        "loaded": len(loaded),
        "in_the_table": len(set(held.column("dataset_id").to_pylist())),
        "rows": len(held),
        "rows_expected": sum(len(table.cells) for table in tables),
        "seconds": round(seconds, 1),
        "datasets_a_minute": round(60 * datasets / seconds, 1),
        "event_log_bytes": sum(p.stat().st_size for p in (home / "data" / "dagster").rglob("*") if p.is_file()),
        "memory_mb": memory,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--datasets", type=int, default=20)
    parser.add_argument("--most-seconds", type=float, default=3_600)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the services are stopped too
    with tempfile.TemporaryDirectory() as home:
        print(json.dumps(measure(Path(home), given.datasets, given.most_seconds), indent=2))


if __name__ == "__main__":
    main()
