"""`python -m benchmarks.peers [--records N] [--runs N] [--only NAME ...] [--json | --markdown]`.

Each reader reads the same table over loopback, in a fresh process for each run; what it hands over is compared with the
truth cell by cell. The other readers are installed under data/peers first, which needs the package registry.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.peers import report
from benchmarks.peers.readers import READERS
from benchmarks.peers.runs import Result, run_all, served
from benchmarks.peers.table import facts

TITLES = {
    "Speed": "From the call to a table in memory or a Parquet file, with the download over loopback, without imports.",
    "What is kept": "Each cell against the truth. A value left as text is not wrong: the work is left to the caller.",
    "Cells wrong, by kind": "Only readers that get a cell wrong have a column.",
    "What ran": "",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5, help="of which the best counts")
    parser.add_argument("--only", nargs="+", choices=[reader.name for reader in READERS], metavar="NAME")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true", help="as in docs/benchmarks.md")
    arguments = parser.parse_args()
    results = measure(arguments.records, arguments.runs, arguments.only)
    if arguments.json:
        found = [report.as_json(result, arguments.records) for result in results]
        print(json.dumps(conditions(arguments.records, arguments.runs) | {"readers": found}, indent=2))
        return
    tables = {
        "Speed": report.speed(results, arguments.records),
        "What is kept": report.losses(results),
        "Cells wrong, by kind": report.wrong_by_kind(results),
        "What ran": report.environment(results),
    }
    show = print_markdown if arguments.markdown else print_tables
    show(" · ".join(f"{value}" for value in conditions(arguments.records, arguments.runs).values()), tables)


def measure(records: int, runs: int, only: Sequence[str] | None) -> list[Result]:
    """Return what every reader did, or those named."""
    truth = list(facts(records))
    with served(records) as address:
        return run_all([reader for reader in READERS if only is None or reader.name in only], address, truth, runs)


def conditions(records: int, runs: int) -> dict[str, str]:
    """Return under what conditions it was measured."""
    info = Path("/proc/cpuinfo").read_text("utf-8")
    cpu = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "records": f"{records:,} records",
        "runs": f"best of {runs}",
        "machine": f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "date": f"{date.today():%Y-%m-%d}",
    }


def print_markdown(line: str, tables: dict[str, report.Rows]) -> None:
    print(f"{line}\n")
    for title, rows in tables.items():
        print(f"### {title}\n")
        print(f"{TITLES[title]}\n\n{report.markdown(rows)}\n" if TITLES[title] else f"{report.markdown(rows)}\n")


def print_tables(line: str, tables: dict[str, report.Rows]) -> None:
    console = Console()
    console.print(line)
    for title, rows in tables.items():
        table = Table(*rows[0], title=title, caption=TITLES[title] or None)
        for row in rows[1:]:
            table.add_row(*map(escape, row))
        console.print(table)


if __name__ == "__main__":
    main()
