"""What we write is read with equal rows and sums by PyIceberg, DuckDB, Polars and pandas: the file and the table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from estat_dagster.lake import paths
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.parquet import write_parquet
from estat_dagster.lake.reading import LakeReader
from estat_dagster.lake.replacing import path_in
from tests.cloud import CREDENTIALS, REGION
from tests.lake.shore import POPULATION, frame, group, load

A = "0000000001"
TABLE = POPULATION.table_name
COLUMNS = ["dataset_id", "year", "region_code", "region_name", "value"]


@pytest.fixture(scope="module")
def held(shared_lake: Lake) -> Lake:
    """A lake with a dataset as a table and as a file, of which every seventh value is missing."""
    lake = shared_lake
    values = [None if n % 7 == 0 else n / 8 for n in range(5_000)]
    rows = frame(A, values, [None if n % 11 == 0 else 2000 + n % 3 for n in range(5_000)])
    load(lake, frame("0000000002", [1.0, None]))
    load(lake, rows)
    schema = lake.tables.load(TABLE).scan().to_arrow().schema
    plain = pa.schema([field.remove_metadata() for field in schema])
    write_parquet(lake.store, paths.parquet(POPULATION, A), [group(rows, plain)], plain, "v1")
    return lake


@pytest.fixture(scope="module")
def file(held: Lake) -> str:
    """The address of the dataset's file."""
    return held.store.uri(paths.parquet(POPULATION, A))


@pytest.fixture(scope="module")
def options(file: str) -> dict[str, str]:
    """How Polars reaches the store."""
    if file.startswith("file:"):
        return {}
    place = {"aws_endpoint_url": os.environ["AWS_ENDPOINT_URL"], "aws_allow_http": "true", "aws_region": REGION}
    return place | {name.lower(): text for name, text in CREDENTIALS.items()}


def copies(lake: Lake, uris: list[str], folder: Path) -> list[str]:
    """Return files of the lake as local ones: DuckDB reads S3 with an extension that it would have to fetch."""
    folder.mkdir()
    for number, uri in enumerate(uris):
        (folder / f"{number}.parquet").write_bytes(lake.store.read(path_in(lake.store, uri)))
    return sorted(map(str, folder.iterdir()))


def in_order(rows: list[Any]) -> list[Any]:
    return sorted((tuple(row) for row in rows), key=repr)


@pytest.fixture(scope="module")
def expected(held: Lake) -> list[Any]:
    """The dataset's rows as PyIceberg reads them."""
    table = held.tables.load(TABLE).scan(row_filter=f"dataset_id = '{A}'").to_arrow().select(COLUMNS)
    rows = in_order(list(zip(*(column.to_pylist() for column in table.columns), strict=True)))
    assert len(rows) == 5_000
    assert sum(row[-1] is None for row in rows) == 715
    return rows


def test_duckdb_reads_the_file_and_the_files_of_the_table(
    held: Lake, file: str, expected: list[Any], tmp_path: Path
) -> None:
    names, one = ", ".join(COLUMNS), copies(held, [file], tmp_path / "one")
    assert in_order(duckdb.sql(f"SELECT {names} FROM read_parquet({one})").fetchall()) == expected
    uris = [task.file.file_path for task in held.tables.load(TABLE).scan().plan_files()]
    files = copies(held, uris, tmp_path / "all")
    found = duckdb.sql(f"SELECT {names} FROM read_parquet({files}) WHERE dataset_id = '{A}'")
    assert in_order(found.fetchall()) == expected


def test_polars_reads_the_file_and_the_table(
    held: Lake, file: str, expected: list[Any], options: dict[str, str]
) -> None:
    rows = pl.read_parquet(file, columns=COLUMNS, storage_options=options)
    assert in_order(rows.select(COLUMNS).rows()) == expected
    table = pl.scan_iceberg(held.tables.load(TABLE)).filter(pl.col("dataset_id") == A).select(COLUMNS)
    assert in_order(table.collect().rows()) == expected


def test_pandas_reads_the_file_and_the_table(held: Lake, file: str, expected: list[Any]) -> None:
    total = sum(row[-1] for row in expected if row[-1] is not None)
    for rows in (
        pd.read_parquet(held.store.full(path_in(held.store, file)), columns=COLUMNS, filesystem=held.store.filesystem),
        LakeReader(held).to_pandas(TABLE, columns=COLUMNS, where=f"dataset_id = '{A}'"),
    ):
        assert len(rows) == 5_000
        assert rows["value"].isna().sum() == 715
        assert rows["value"].sum() == total
        years = rows.groupby("year", dropna=False)["value"].sum()
        assert sum(years) == total


def test_the_file_has_the_tables_columns_and_types(held: Lake, file: str) -> None:
    table = LakeReader(held).stream(TABLE).schema
    found = pq.read_schema(held.store.full(path_in(held.store, file)), filesystem=held.store.filesystem)
    assert found.names == table.names
    assert found.types == table.types
