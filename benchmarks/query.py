"""What the embedded engine takes against DuckDB reading the same Parquet files straight: time, and bytes read.

`python -m benchmarks.query [--records 10000000] [--runs 7] [--lake FOLDER]`. The bar: at most 1.5 times DuckDB's time.

A table of ten years, 1,900 regions and as many categories as the records need is written as loads write it. Each
question is asked of both in turn, warm; the medians are compared. Bytes read are what the process asked of the system,
the least are those of the columns that the question names in the row groups whose statistics match it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from estat_dagster.columns import arrow_schema
from estat_dagster.domains import DOMAINS
from estat_dagster.lake import rowgroups, schemas
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.query.embedded import EmbeddedEngine
from estat_dagster.settings import Settings

DOMAIN = DOMAINS["population"]
YEARS = range(2015, 2025)
REGIONS = 1_900
GROUP_ROWS = 100_000
THREADS = 2
BAR = 1.5
REGION = "01950"


@dataclass(frozen=True)
class Question:
    """A question: the SQL, the columns it needs, and what it filters by."""

    sql: str
    columns: tuple[str, ...]
    where: dict[str, Any]


QUESTIONS = {
    "filter on year and region": Question(
        f"SELECT category_code, value FROM population_data WHERE year = 2020 AND region_code = '{REGION}'",
        ("category_code", "value", "year", "region_code"),
        {"year": 2020, "region_code": REGION},
    ),
    "group by": Question(
        "SELECT year, region_code, count(*), sum(value) FROM population_data GROUP BY year, region_code",
        ("year", "region_code", "value"),
        {},
    ),
    "top ten": Question(
        "SELECT year, region_code, category_code, value FROM population_data ORDER BY value DESC LIMIT 10",
        ("year", "region_code", "category_code", "value"),
        {},
    ),
}


def write(lake: Lake, records: int) -> None:
    """Load a generated dataset of about so many records."""
    table = lake.tables.prepare(DOMAIN, DOMAIN.columns)
    schema = schemas.file_schema(table.schema())
    lake.tables.replace_rows(DOMAIN.table_name, "0000000001", _groups(schema, records), {})


def _groups(schema: pa.Schema, records: int) -> Iterator[pa.Table]:
    categories = max(records // (len(YEARS) * REGIONS), 1)
    staged = arrow_schema(tuple(column for column in DOMAIN.columns if column.name != "updated_at"))
    moment = pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC"))
    for year in YEARS:
        rows = REGIONS * categories
        for start in range(0, rows, GROUP_ROWS):
            numbers = range(start, min(start + GROUP_ROWS, rows))
            found = {
                "dataset_id": ["0000000001"] * len(numbers),
                "year": [year] * len(numbers),
                "region_code": [f"{1_000 + n // categories:05}" for n in numbers],
                "category_code": [f"A{n % categories:04}" for n in numbers],
                "value": [float((n * 7_919 + year) % 1_000_003) for n in numbers],
                "unit": ["人"] * len(numbers),
            }
            arrays = [
                pa.array(found.get(field.name, [None] * len(numbers)), _value_type(field)).cast(field.type)
                for field in staged
            ]
            group = pa.Table.from_arrays(arrays, schema=staged)
            yield rowgroups.under(group, schema, updated_at=pa.repeat(moment, len(numbers)))


def _value_type(field: pa.Field) -> pa.DataType:
    return field.type.value_type if pa.types.is_dictionary(field.type) else field.type


def measure(lake: Lake, runs: int) -> dict[str, Any]:
    """Return seconds and bytes of each question, of the engine and of DuckDB straight."""
    table = lake.tables.load(DOMAIN.table_name)
    files = [task.file.file_path.removeprefix("file://") for task in table.scan().plan_files()]
    engine = EmbeddedEngine(lake.tables.catalog, Settings.glue_database, threads=THREADS)
    found = {name: _compare(question, engine, files, runs) for name, question in QUESTIONS.items()}
    rows = sum(pq.read_metadata(file).num_rows for file in files)
    return {"records": rows, "files": len(files), "duckdb": duckdb.__version__, "questions": found}


@contextmanager
def _lake(home: Path | None, records: int) -> Iterator[Lake]:
    """Give a lake that holds the records: the one in `home`, made there if it is not, or one for this time only."""
    with tempfile.TemporaryDirectory() as folder:
        lake = open_lake(Settings(lake_home=home or Path(folder)))
        if home is None or not home.exists():
            write(lake, records)
        yield lake


def _compare(question: Question, engine: EmbeddedEngine, files: list[str], runs: int) -> dict[str, float]:
    def ask() -> pa.Table:
        return engine.run(question.sql).read_all()

    def straight() -> pa.Table:
        listed = ", ".join(f"'{file}'" for file in files)
        with duckdb.connect(config={"threads": str(THREADS)}) as connection:
            sql = question.sql.replace("population_data", f"read_parquet([{listed}])")
            return connection.sql(sql).to_arrow_table()

    if sorted(map(str, ask().to_pylist())) != sorted(map(str, straight().rename_columns(_names(ask())).to_pylist())):
        raise AssertionError(f"The engines disagree: {question.sql}")
    pairs = [(_timed(ask), _timed(straight)) for _ in range(runs)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    return {
        "seconds": ours,
        "straight": theirs,
        "ratio": ours / theirs,
        "bytes_read": _bytes_read(ask),
        "straight_bytes_read": _bytes_read(straight),
        "least_bytes": sum(_least(file, question) for file in files),
    }


def _names(table: pa.Table) -> list[str]:
    return list(table.column_names)


def _timed(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _bytes_read(action: Callable[[], Any]) -> int:
    """Return how many bytes the process and those it started asked of the system; Linux tells it."""
    before = _asked()
    action()
    after = _asked()
    return sum(read - before.get(pid, 0) for pid, read in after.items())


def _asked() -> dict[str, int]:
    children = Path("/proc/self/task").glob("*/children")
    return {pid: _read(pid) for pid in ("self", *(pid for listed in children for pid in listed.read_text().split()))}


def _read(pid: str) -> int:
    lines = Path(f"/proc/{pid}/io").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


def _least(file: str, question: Question) -> int:
    """Return the bytes of the needed columns in the row groups that can hold a wanted row."""
    metadata = pq.read_metadata(file)
    names = {metadata.schema.column(n).path: n for n in range(metadata.num_columns)}
    least = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        statistics_of = {name: group.column(names[name]).statistics for name in question.where}
        if all(found.min <= question.where[name] <= found.max for name, found in statistics_of.items()):
            least += sum(group.column(names[name]).total_compressed_size for name in question.columns)
    return least


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--lake", type=Path, help="the folder of a lake that is written once and measured again")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with _lake(arguments.lake, arguments.records) as lake:
        found = measure(lake, arguments.runs)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['records']:,} records in {found['files']} files, DuckDB {found['duckdb']}, {THREADS} threads")
    for name, one in found["questions"].items():
        print(
            f"  {name:26} {one['seconds']:7.3f} s, DuckDB straight {one['straight']:7.3f} s,"
            f" ratio {one['ratio']:5.2f} (bar {BAR});"
            f" read {one['bytes_read']:,} bytes, straight {one['straight_bytes_read']:,}, least {one['least_bytes']:,}"
        )


if __name__ == "__main__":
    main()
