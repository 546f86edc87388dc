"""How a table is best partitioned: rows of 1,880 municipalities in 9 years, loaded and asked under several specs.

    python -m benchmarks.partitioning [--rows 1000000] [--seconds 120] [--spec "year, truncate(2, region_code)"]

For each spec, in the notation of `domains.py`: seconds of the load (all files and their commit), files, bytes, and for
one year of one municipality the files that are opened and the seconds that it takes, the median of five. A load that
takes longer than its time is given up between two row groups.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from estat_dagster.domains import DOMAINS, Domain
from estat_dagster.lake import rowgroups, schemas
from estat_dagster.lake.lake import open_lake
from estat_dagster.lake.reading import LakeReader
from estat_dagster.settings import Settings

DATASET = "0000000001"
MUNICIPALITIES, FIRST_YEAR, YEARS = 1_880, 2015, 9
SPECS = ("", "year", "year, truncate(2, region_code)", "year, bucket(16, region_code)", "year, region_code")
ASKED = 5


class TooLongError(Exception):
    """A load took more than its time."""


def rows(count: int, schema: pa.Schema) -> pa.Table:
    """Return rows in the table's order: year, municipality, category."""
    each = max(1, count // (MUNICIPALITIES * YEARS))
    places = np.arange(MUNICIPALITIES * YEARS * each)
    years, regions, categories = np.unravel_index(places, (YEARS, MUNICIPALITIES, each))
    texts = pa.array(sorted(f"{n * 47 // MUNICIPALITIES + 1:02d}{n % 1000:03d}" for n in range(MUNICIPALITIES)))
    made = {
        "year": pa.array(years + FIRST_YEAR, pa.int32()),
        "region_code": texts.take(pa.array(regions)),
        "category_code": pa.array([f"{n:03d}" for n in range(each)]).take(pa.array(categories)),
        "value": pa.array(np.random.default_rng(0).random(len(places))),
        "updated_at": pa.repeat(pa.scalar(0, pa.timestamp("us", "UTC")), len(places)),
    }
    return rowgroups.under(pa.table({"dataset_id": pa.repeat(pa.scalar(DATASET), len(places))}), schema, **made)


def in_time(groups: list[pa.Table], seconds: float) -> Iterator[pa.Table]:
    """Return row groups until the time is over.

    Raises:
        TooLongError: it was.
    """
    until = time.monotonic() + seconds
    for number, group in enumerate(groups):
        if time.monotonic() > until:
            raise TooLongError(f"{number} of {len(groups)} row groups in {seconds:.0f} s, given up")
        yield group


def measure(domain: Domain, count: int, seconds: float, home: Path) -> str:
    """Load into a table of that spec, ask it, and return the line about it."""
    lake = open_lake(Settings(lake_home=home))
    made = lake.tables.ensure(domain.name, domain.table_name, domain.columns, domain.partition_by, domain.sort_by)
    table = rows(count, schemas.file_schema(made.schema()))
    groups = rowgroups.cut(table)
    started = time.monotonic()
    try:
        lake.tables.replace_rows(domain.table_name, DATASET, in_time(groups, seconds), {})
    except TooLongError as late:
        return str(late)
    took = time.monotonic() - started
    files = [task.file for task in lake.tables.load(domain.table_name).scan().plan_files()]
    tokyo = next(code for code in table.column("region_code").unique().to_pylist() if code.startswith("13"))
    where = f"year = 2020 and region_code = '{tokyo}'"
    opened = len(list(lake.tables.load(domain.table_name).scan(where).plan_files()))
    asked = []
    for _ in range(ASKED):
        started = time.monotonic()
        held = len(LakeReader(lake).scan(domain.table_name, columns=["value"], where=where))
        asked.append(time.monotonic() - started)
    size = sum(file.file_size_in_bytes for file in files) / 1e6
    median = statistics.median(asked)
    return f"{took:6.2f} s  {len(files):6,} files  {size:6.1f} MB   {opened} opened, {held} rows, {median:.3f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--spec", action="append", help="fields between commas; may be given several times")
    given = parser.parse_args()
    print(f"{'partitioned by':32} loaded                              one year of one municipality")
    for text in given.spec or SPECS:
        fields = tuple(field for field in re.split(r",\s*(?![^()]*\))", text) if field)
        with TemporaryDirectory() as home:
            domain = replace(DOMAINS["population"], partition_by=fields)
            print(f"{text or 'none':32} {measure(domain, given.rows, given.seconds, Path(home))}", flush=True)


if __name__ == "__main__":
    main()
