"""Many small datasets registered and loaded by one backfill: datasets a minute, memory of each process, the event log.

nice -n 10 .venv/bin/python -m benchmarks.operations --datasets 20

Each look is a line of the results when it is made, so what breaks off is known up to there; the figures are the last.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import requests

from benchmarks.stack import Stack, small_tables
from estat_dagster.lake.lake import open_lake
from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings

DOMAIN = "general"
BACKFILL = """
mutation B($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
ADD = "mutation A($r: RepositorySelector!, $d: String!) { %s }"
ADD_ONE = 'p%s: addDynamicPartition(repositorySelector: $r, partitionsDefName: $d, partitionKey: "%s") { __typename }'
COUNT = "query C($f: RunsFilter) { runsOrError(filter: $f) { ... on Runs { count } } }"
STATUS = "query S($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": "estat"}
LOOK_SECONDS, SMALL, AT_ONCE = 15, 20, 50
BEFORE_SECONDS, SECONDS_A_DATASET = 600, 30
RESULTS = Path("data/operations.jsonl")
LAYERS = ("raw_json", "transformed_frame", "validated_records", "parquet_file", "iceberg_table")


def start_backfill(stack: Stack, ids: Sequence[str]) -> str:
    """Add the partitions and launch one backfill of all layers."""
    for start in range(0, len(ids), AT_ONCE):
        fields = "\n".join(ADD_ONE % (key, key) for key in ids[start : start + AT_ONCE])
        stack.ask(ADD % fields, r=SELECTOR, d=f"{DOMAIN}_datasets")
    parameters = {"assetSelection": [{"path": [DOMAIN, layer]} for layer in LAYERS], "partitionNames": ids}
    launched = stack.ask(BACKFILL, p=parameters)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    return str(launched["backfillId"])


def finished(stack: Stack, backfill: str) -> bool:
    """Whether a backfill ended.

    Raises:
        requests.RequestException: the web server did not answer.
    """
    found = stack.ask(STATUS, id=backfill)["partitionBackfillOrError"]
    return str(found.get("status")).startswith(("COMPLETED", "FAILED", "CANCELED"))


def measure(home: Path, datasets: int, most_seconds: float) -> Iterator[dict[str, Any]]:
    """Return a look at one backfill after another, and the figures last; what takes too long is measured until then."""
    tables = small_tables(datasets)
    settings = Settings(lake_home=home / "data" / "lake")
    with Sandbox(tables=tables) as sandbox, Stack(home, sandbox.base_url) as stack:
        began = time.monotonic()
        backfill, ended = start_backfill(stack, [table.id for table in tables]), False
        runs: dict[str, int] = {}
        while not ended and time.monotonic() - began < most_seconds:
            time.sleep(2 if datasets <= SMALL else LOOK_SECONDS)
            look = {"seconds": round(time.monotonic() - began), "loaded": len(loaded(settings))}
            try:
                done, runs = finished(stack, backfill), count_runs(stack)
                ended = done
            except requests.RequestException as error:
                look["unanswered"] = type(error).__name__
            yield {**look, "runs": runs, "memory_mb": stack.memory(), "event_log_mb": bytes_of(home) >> 20}
        seconds = time.monotonic() - began
    figures = {"datasets": datasets, "the_backfill_ended": ended, "runs": runs, "seconds": round(seconds, 1)}
    yield figures | figures_of(home, tables)


def figures_of(home: Path, tables: Sequence[Table]) -> dict[str, Any]:
    """Return what came of it all: what the lake holds, and how large the record of it is."""
    settings = Settings(lake_home=home / "data" / "lake")
    held = len(loaded(settings))
    rows = count_rows(settings) if held else Counter()
    return {
        "loaded": held,
        "not_whole_in_the_table": sum(rows[table.id] != len(table.cells) for table in tables),
        "rows_of_others": sum(rows.values()) - sum(rows[table.id] for table in tables),
        "event_log_bytes": bytes_of(home),
    }


def loaded(settings: Settings) -> set[str]:
    """Return the datasets that the registry calls loaded."""
    return {entry.dataset_id for entry in open_lake(settings).registry if entry.status == "loaded"}


def bytes_of(home: Path) -> int:
    """Return how large Dagster's record is; files that come and go meanwhile count or do not."""
    total = 0
    for path in (home / "data" / "dagster").rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def count_rows(settings: Settings) -> Counter[str]:
    """Return how many rows of each dataset are in the table."""
    held = open_lake(settings).tables.load(f"{DOMAIN}_data").scan(selected_fields=("dataset_id",)).to_arrow()
    return Counter(held.column("dataset_id").to_pylist())


def count_runs(stack: Stack) -> dict[str, int]:
    """Return how many runs ended how."""
    return {
        status: stack.ask(COUNT, f={"statuses": [status]})["runsOrError"]["count"]
        for status in ("SUCCESS", "FAILURE", "CANCELED", "STARTED", "STARTING", "QUEUED")
    }


def keep(looks: Iterator[dict[str, Any]], results: IO[str]) -> dict[str, Any]:
    """Write each look down at once, tell it, and return the last one, which is the figures."""
    look: dict[str, Any] = {}
    for look in looks:
        print(json.dumps(look), file=results, flush=True)
        print(json.dumps(look), file=sys.stderr, flush=True)
    return look


def main() -> None:
    """Measure, and exit with 0 only if every dataset was loaded whole and nothing else was."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--datasets", type=int, default=20)
    parser.add_argument("--most-seconds", type=float, help="by default so long that 2 datasets a minute are enough")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    most = given.most_seconds or BEFORE_SECONDS + SECONDS_A_DATASET * given.datasets
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the services are stopped too
    given.results.parent.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="operations-"))
    print(f"The lake and the services' logs are in {home}; the looks go to {given.results}.", file=sys.stderr)
    with given.results.open("w", encoding="utf-8") as results:
        figures = keep(measure(home, given.datasets, most), results)
    figures["datasets_a_minute"] = round(60 * figures["loaded"] / figures["seconds"], 1)
    print(json.dumps(figures, indent=2))
    lost = figures["not_whole_in_the_table"] + figures["rows_of_others"] + given.datasets - figures["loaded"]
    if lost or not figures["the_backfill_ended"]:
        sys.exit(1)
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
