"""What we write is read with equal rows and sums by PyIceberg, DuckDB, Polars and pandas: the file and the table."""

from __future__ import annotations

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
from tests.lake.shore import POPULATION, frame, group, lake_in, load

A = "0000000001"
TABLE = POPULATION.table_name
COLUMNS = ["dataset_id", "year", "region_code", "region_name", "value"]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with a dataset as a table and as a file, of which every seventh value is missing."""
    lake = lake_in(Path(tmp_path_factory.mktemp("lake")))
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
    return held.store.full(paths.parquet(POPULATION, A))


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


def test_duckdb_reads_the_file_and_the_files_of_the_table(held: Lake, file: str, expected: list[Any]) -> None:
    names = ", ".join(COLUMNS)
    assert in_order(duckdb.sql(f"SELECT {names} FROM read_parquet('{file}')").fetchall()) == expected
    tasks = held.tables.load(TABLE).scan().plan_files()
    files = [task.file.file_path.removeprefix("file://") for task in tasks]
    found = duckdb.sql(f"SELECT {names} FROM read_parquet({files}) WHERE dataset_id = '{A}'")
    assert in_order(found.fetchall()) == expected


def test_polars_reads_the_file_and_the_table(held: Lake, file: str, expected: list[Any]) -> None:
    assert in_order(pl.read_parquet(file, columns=COLUMNS).select(COLUMNS).rows()) == expected
    table = pl.scan_iceberg(held.tables.load(TABLE)).filter(pl.col("dataset_id") == A).select(COLUMNS)
    assert in_order(table.collect().rows()) == expected


def test_pandas_reads_the_file_and_the_table(held: Lake, file: str, expected: list[Any]) -> None:
    total = sum(row[-1] for row in expected if row[-1] is not None)
    for rows in (
        pd.read_parquet(file, columns=COLUMNS),
        LakeReader(held).to_pandas(TABLE, columns=COLUMNS, where=f"dataset_id = '{A}'"),
    ):
        assert len(rows) == 5_000
        assert rows["value"].isna().sum() == 715
        assert rows["value"].sum() == total
        years = rows.groupby("year", dropna=False)["value"].sum()
        assert sum(years) == total


def test_the_file_has_the_tables_columns_and_types(held: Lake, file: str) -> None:
    table = LakeReader(held).stream(TABLE).schema
    found = pq.read_schema(file)
    assert found.names == table.names
    assert found.types == table.types
