"""Small frames and a lake for the tests of the lake; also run as a process of its own that loads datasets."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from estat_dagster.columns import Column, arrow_schema
from estat_dagster.domains import DOMAINS
from estat_dagster.lake import paths, rowgroups, schemas
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.lake.parquet import write_parquet
from estat_dagster.lake.registry import LOADED, DatasetEntry
from estat_dagster.lake.summary import load_properties
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


def publish(lake: Lake, dataset_id: str, values: list[float | None]) -> DatasetEntry:
    """Load a dataset as the steps do: its Parquet file, its rows of 2001 and 2000, its entry; and return this."""
    rows, version = frame(dataset_id, values, [2000 if n else 2001 for n in range(len(values))]), f"v:{values}"
    facts = {"loaded_version": version, "content_hash": version, "run_id": None, "valid_count": len(values)}
    schema = schemas.file_schema(lake.tables.prepare(POPULATION, POPULATION.columns).schema())
    groups = [group(rows, schema)]
    write_parquet(lake.store, paths.parquet(POPULATION, dataset_id), groups, schema, version)
    properties = load_properties(dataset_id, facts)
    snapshot = lake.tables.replace_rows(POPULATION.table_name, dataset_id, groups, properties)
    known = DatasetEntry(dataset_id, "population", "", "", "test", "2026-01-01T00:00:00+00:00", status=LOADED)
    held = {"table_name": POPULATION.table_name, "snapshot_id": snapshot}
    return lake.registry.save_metadata(msgspec.structs.replace(known, **facts, **held))


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
