"""`python -m benchmarks.fetch [--json]`: a fetch of ten pages beside a fetch of one, from a sandbox with latency.

The sandbox runs in a process of its own and waits before every answer, as the real API does. Each run has a new client,
which knows nothing of the sandbox's pace, and an empty lake. Pages are written to disk; nothing after the raw layer is
measured. Counted are the requests that the sandbox saw, against the least that can be made.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from estat_dagster.assets.registering import register_dataset
from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.assets.steps.raw import fetch_raw
from estat_dagster.estat.fetch import FetchPlan
from estat_dagster.sandbox.faults import FaultPlan
from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.sandbox.tables.large import TABLE_ID, tables
from estat_dagster.settings import Settings
from estat_dagster.workbench import Workbench

PAGES, LATENCY, RUNS, GOAL = 10, 1.0, 3, 1.5
LIBRARIES = ("requests", "urllib3", "msgspec", "tenacity")


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


@contextmanager
def serving(records: int, latency: float) -> Iterator[Connection]:
    """Run a sandbox with one table in a process of its own; the connection sends its address first."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, records, latency), daemon=True)
    process.start()
    there.close()  # so that a sandbox that died is an end of the pipe, and not a wait for ever
    try:
        yield here
    finally:
        if process.is_alive():
            here.send("stop")
        process.join()


def _serve(pipe: Connection, records: int, latency: float) -> None:
    table = stretched(records)
    with Sandbox([table], faults=FaultPlan(latency=latency)) as sandbox:
        pipe.send((sandbox.base_url, len(table.cells)))
        while pipe.recv() != "stop":
            pipe.send([request.path.rsplit("/", 1)[-1] for request in sandbox.requests])
            sandbox.requests.clear()


def fetched(pipe: Connection, base_url: str, chunk_size: int, *, foreseen: bool = True) -> dict[str, Any]:
    """Register and fetch the table into an empty lake, and return seconds and requests of both.

    Args:
        foreseen: whether the metadata tell the number of records, as OVERALL_TOTAL_NUMBER does but for some tables.
    """
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(Settings(app_id="benchmark", base_url=base_url, lake_home=Path(folder) / "lake"))
        start = time.perf_counter()
        register_dataset(bench, TABLE_ID)
        job = DatasetJob.of(bench, TABLE_ID)
        if not foreseen:
            job = replace(job, entry=msgspec.structs.replace(job.entry, overall_number=0))
        registered = time.perf_counter()
        result = fetch_raw(job, FetchPlan(chunk_size=chunk_size))
        end = time.perf_counter()
    pipe.send("requests")
    asked = pipe.recv()
    return {
        "register": registered - start,
        "fetch": end - registered,
        "requests": asked.count("getStatsData"),
        "other_requests": len(asked) - asked.count("getStatsData"),
        "content_hash": result.content_hash,
    }


def measure(records: int, latency: float, runs: int) -> dict[str, Any]:
    """Return the medians of both fetches, and what they compare to."""
    with serving(records, latency) as pipe:
        base_url, total = pipe.recv()
        fetched(pipe, base_url, total)  # the sandbox makes its cells at the first request
        alone = [fetched(pipe, base_url, total) for _ in range(runs)]
        chunk_size = -(-total // PAGES)
        many = [fetched(pipe, base_url, chunk_size) for _ in range(runs)]
        unforeseen = [fetched(pipe, base_url, chunk_size, foreseen=False) for _ in range(runs)]
    if len({run["content_hash"] for run in (*alone, *many, *unforeseen)}) != 1:
        raise SystemExit("The fetches did not give the same content.")
    named = {"1 page": (alone, 1), f"{PAGES} pages": (many, PAGES), f"{PAGES} pages, unforeseen": (unforeseen, PAGES)}
    seconds = {name: statistics.median(run["fetch"] for run in each) for name, (each, _) in named.items()}
    return {
        "records": total,
        "latency": latency,
        "runs": runs,
        "seconds": seconds,
        "ratio": seconds[f"{PAGES} pages"] / seconds["1 page"],
        "ratio_unforeseen": seconds[f"{PAGES} pages, unforeseen"] / seconds["1 page"],
        "goal": GOAL,
        "requests": {name: max(run["requests"] for run in each) for name, (each, _) in named.items()},
        "least_requests": {name: least for name, (_, least) in named.items()},
        "registering": statistics.median(run["register"] for run in many),
        "registering_requests": max(run["other_requests"] for run in many),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--latency", type=float, default=LATENCY, help="seconds before every answer")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.records, arguments.latency, arguments.runs)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['records']:,} records, {found['latency']} s latency, the median of {found['runs']} runs")
    print(f"{found['machine']}, Python {found['python']}, {found['versions']}")
    for name, seconds in found["seconds"].items():
        asked, least = found["requests"][name], found["least_requests"][name]
        print(f"  {name:22} {seconds:6.2f} s   {asked} requests, {least} at least")
    print(f"  {'registering before':22} {found['registering']:6.2f} s   {found['registering_requests']} requests")
    print(f"  {'ratio':22} {found['ratio']:6.2f}     goal: at most {found['goal']}")
    print(f"  {'ratio, unforeseen':22} {found['ratio_unforeseen']:6.2f}     the number of records not known before")


if __name__ == "__main__":
    main()
