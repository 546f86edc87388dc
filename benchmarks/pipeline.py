"""`python -m benchmarks.pipeline --records N [--json]`: each step of a load, beside `orjson.loads` of the same JSON.

A generated table is fetched over loopback in pages as the API sends them; then every step runs in this process, one
after another. The yardstick reads the same pages, gunzipped, in the same run.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from estat_dagster.assets.registering import register_dataset
from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.assets.steps.publish import load_table, write_file
from estat_dagster.assets.steps.raw import fetch_raw
from estat_dagster.assets.steps.rows import transform, validate
from estat_dagster.estat.fetch import FetchPlan
from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.sandbox.tables.large import TABLE_ID, tables
from estat_dagster.settings import Settings
from estat_dagster.workbench import Workbench

YARDSTICK_RUNS = 3


def stretched(records: int) -> Table:
    """Return the large table of the sandbox with more years, so that it has this many records."""
    [table] = tables()
    years = max(1, -(-records * 25 // len(table.cells)))
    items = tuple(Item(f"{1900 + n}000000", f"{1900 + n}年") for n in range(years))
    axes = tuple(Axis("time", axis.name, items) if axis.id == "time" else axis for axis in table.axes)
    place = next(n for n, axis in enumerate(axes) if axis.id == "time")
    one_year = [cell for cell in table.cells if cell.codes[place] == table.axes[place].items[0].code]

    def produce() -> list[Cell]:
        cells = [
            cell._replace(codes=(*cell.codes[:place], item.code, *cell.codes[place + 1 :]))
            for item in items
            for cell in one_year
        ]
        return cells[:records]

    return Table(table.facts | {"OVERALL_TOTAL_NUMBER": None}, axes, produce, table.notes, table.annotations)


def measure(records: int) -> dict[str, Any]:
    """Return seconds of each step, of the yardstick, and peak memory."""
    with tempfile.TemporaryDirectory() as folder, Sandbox([stretched(records)]) as sandbox:
        bench = Workbench(Settings(app_id="benchmark", base_url=sandbox.base_url, lake_home=Path(folder) / "lake"))
        register_dataset(bench, TABLE_ID)
        job = DatasetJob.of(bench, TABLE_ID)
        seconds = {"fetch over loopback": timed(lambda: fetch_raw(job, FetchPlan()))}
        for name, step in (
            ("gunzip, decode, map", transform),
            ("validate", validate),
            ("Parquet", write_file),
            ("Iceberg commit", load_table),
        ):
            seconds[name] = timed(lambda step=step: step(job))
        bodies = [gzip.decompress(path.read_bytes()) for path in sorted(Path(folder).rglob("raw/*/*.json.gz"))]
        yardstick = statistics.median(timed(lambda: [orjson.loads(b) for b in bodies]) for _ in range(YARDSTICK_RUNS))
    rows = sum(value for name, value in seconds.items() if not name.startswith("fetch"))
    return {
        "records": records,
        "seconds": seconds,
        "after_fetch": rows,
        "orjson_loads": yardstick,
        "ratio": rows / yardstick,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "versions": {name: version(name) for name in ("pyarrow", "duckdb", "pyiceberg", "msgspec", "orjson")},
        "python": platform.python_version(),
    }


def timed(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.records)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['records']:,} records, Python {found['python']}, {found['versions']}")
    for name, seconds in found["seconds"].items():
        print(f"  {name:24} {seconds:7.2f} s")
    print(f"  {'all but the fetch':24} {found['after_fetch']:7.2f} s")
    print(f"  {'orjson.loads':24} {found['orjson_loads']:7.2f} s   ratio {found['ratio']:.2f}")
    print(f"  peak memory, with the sandbox in the same process: {found['peak_memory_mb']:,.0f} MB")


if __name__ == "__main__":
    main()
