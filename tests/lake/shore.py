"""Small frames and a lake for the tests of the lake; also run as a process of its own that loads datasets."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from estat_dagster.columns import Column, arrow_schema
from estat_dagster.domains import DOMAINS
from estat_dagster.lake import rowgroups, schemas
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.settings import Settings

POPULATION = DOMAINS["population"]
STAGED = tuple(column for column in POPULATION.columns if column.name != "updated_at")
SHARED_ID = "9999999999"


def lake_in(home: Path) -> Lake:
    return open_lake(Settings(lake_home=home))


def frame(dataset_id: str, values: list[float | None], years: list[int | None] | None = None) -> pa.Table:
    """Return staged rows: a value each, in the years given, one region each."""
    years = years or [2000 + n % 3 for n in range(len(values))]
    rows = [
        {"dataset_id": dataset_id, "year": year, "value": value, "region_code": f"{n % 47 + 1:02d}000"}
        for n, (value, year) in enumerate(zip(values, years, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(STAGED))


def load(lake: Lake, rows: pa.Table, extra: tuple[Column, ...] = ()) -> int:
    """Put rows into the population table in place of their dataset's, and return the snapshot."""
    table = lake.tables.prepare(POPULATION, (*POPULATION.columns, *extra))
    schema = schemas.file_schema(table.schema())
    dataset_id = rows.column("dataset_id")[0].as_py()
    groups = [group(rows, schema)]
    return lake.tables.replace_rows(POPULATION.table_name, dataset_id, groups, {"estat.dataset-id": dataset_id})


def group(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows as a row group of the table, in its order."""
    moment = pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC"))
    ordered = rows.sort_by([(name, "ascending") for name in POPULATION.order])
    return rowgroups.under(ordered, schema, updated_at=pa.repeat(moment, len(rows)))


def main() -> None:
    """Load some datasets of this process's own into the lake of the environment, and one that every process loads."""
    process, count = int(sys.argv[1]), int(sys.argv[2])
    lake = open_lake()
    for number in range(count):
        load(lake, frame(f"{process * 100 + number:010d}", [1.0] * 20))
    load(lake, frame(SHARED_ID, [2.0] * 33))


if __name__ == "__main__":
    main()
