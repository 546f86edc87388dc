"""`python -m benchmarks.pipeline --records N [--json]`: each step of a load, beside `orjson.loads` of the same JSON.

The pages are written by a process of its own; then every step runs in this one, one after another, as a Dagster run
runs them. Imports and tables are warmed up by a small dataset before. The yardstick reads the same pages, gunzipped,
page by page, in the same run. A page is mapped as soon as it is decoded; how much of that step is gunzip and decode is
measured once more by itself.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from benchmarks.pages import TABLE_ID
from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.assets.steps.publish import load_table, write_file
from estat_dagster.assets.steps.rows import transform, validate
from estat_dagster.estat.manifest import PageEntry
from estat_dagster.lake import paths
from estat_dagster.lake.registry import DatasetEntry, now
from estat_dagster.parallel import side_by_side
from estat_dagster.records.decode import decode_values
from estat_dagster.settings import Settings, project_root
from estat_dagster.workbench import Workbench

RUNS = 3
WARM_UP = 2_000
STEPS = (
    ("gunzip, decode, map", transform),
    ("validate", validate),
    ("Parquet", write_file),
    ("Iceberg commit", load_table),
)


def measure(records: int, runs: int = RUNS) -> dict[str, Any]:
    """Return seconds of each step and of the yardstick in the run of the median ratio, all ratios, and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        load(Path(folder) / "warm-up", WARM_UP)
        tries = [_beside(Path(folder) / f"lake-{n}", records) for n in range(runs)]
    ratios = [run["ratio"] for run in tries]
    return {
        "records": records,
        **sorted(tries, key=lambda run: run["ratio"])[len(tries) // 2],
        "ratios": ratios,
        "peak_memory_mb": min(run["peak_memory_mb"] for run in tries),  # of the first: it never falls
        "versions": {name: version(name) for name in ("pyarrow", "numpy", "pyiceberg", "msgspec", "orjson")},
        "python": platform.python_version(),
    }


def _beside(home: Path, records: int) -> dict[str, Any]:
    """Load once, and read the same JSON by the yardstick right after."""
    seconds, bench = load(home, records)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before the yardstick, which takes gigabytes
    store, job = bench.lake.store, DatasetJob.of(bench, TABLE_ID)
    pages = job.manifest()[1].pages
    decode = timed(lambda: decode_pages(job))
    raw = [gzip.decompress(store.read(paths.raw(TABLE_ID, page.file))) for page in pages]
    yardstick = statistics.median(timed(lambda: [None for b in raw if not orjson.loads(b)]) for _ in range(RUNS))
    whole = sum(seconds.values())
    return {
        "seconds": seconds,
        "gunzip_and_decode": decode,
        "whole": whole,
        "orjson_loads": yardstick,
        "ratio": whole / yardstick,
        "peak_memory_mb": peak,
        "bytes": {
            "json": sum(map(len, raw)),
            "raw": sum(page.bytes for page in pages),
            "parquet": store.size(paths.parquet(job.domain, TABLE_ID)),
        },
    }


def load(home: Path, records: int) -> tuple[dict[str, float], Workbench]:
    """Load a table of so many records from its raw pages, and return the seconds of each step."""
    bench = Workbench(Settings(app_id="benchmark", lake_home=home))
    command = [sys.executable, "-m", "benchmarks.pages", str(home), "--records", str(records)]
    subprocess.run(command, check=True, cwd=project_root())
    bench.lake.registry.register_dataset(
        DatasetEntry(TABLE_ID, "population", "for the benchmark", "生成データ", "benchmark", now())
    )
    job = DatasetJob.of(bench, TABLE_ID)
    return {name: timed(lambda step=step: step(job)) for name, step in STEPS}, bench


def decode_pages(job: DatasetJob) -> None:
    """Gunzip and decode the pages side by side, and keep none."""
    axes = [axis.id for axis in job.metadata().axes]

    def decode(page: PageEntry) -> int:
        return len(decode_values(job.raw.read_checked(page).values, axes))

    manifest = job.manifest()[1]
    assert sum(side_by_side(decode, manifest.pages)) == manifest.total_number


def timed(action: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=RUNS, help="loads; the one of the median ratio is shown")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.records, arguments.runs)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['records']:,} records, Python {found['python']}, {found['versions']}")
    for name, seconds in found["seconds"].items():
        print(f"  {name:24} {seconds:7.2f} s")
        if name == STEPS[0][0]:
            print(f"    {'gunzip, decode alone':22} {found['gunzip_and_decode']:7.2f} s")
    print(f"  {'the whole':24} {found['whole']:7.2f} s")
    print(f"  {'orjson.loads':24} {found['orjson_loads']:7.2f} s   ratio {found['ratio']:.2f}")
    print(f"  ratios of all runs: {', '.join(f'{ratio:.2f}' for ratio in found['ratios'])}")
    print(f"  peak memory {found['peak_memory_mb']:,.0f} MB; bytes {found['bytes']}")


if __name__ == "__main__":
    main()
