"""The lake opened from Python: rows as Arrow, pandas and Polars; conditions; earlier snapshots; errors with a hint."""

from __future__ import annotations

import builtins
import re
import sys
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.expressions import EqualTo

import estat_dagster.lake
from estat_dagster.columns import arrow_schema
from estat_dagster.errors import ValidationError
from estat_dagster.lake.about import INVENTORY_COLUMNS
from estat_dagster.lake.inventory import put_inventory
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.lake.reading import LakeReader
from estat_dagster.lake.registry import DatasetEntry
from tests.cloud import REGION, Cloud
from tests.lake.shore import STAGED, frame, lake_in, load

A, B = "0000000001", "0000000002"
TABLE = "population_data"
COMPARED = ["year", "value", "region_code"]


@pytest.fixture
def held(lake: Lake) -> LakeReader:
    load(lake, frame(A, [1.0, None, 3.0, 4.0], [2000, None, 2001, 2001]))
    load(lake, frame(B, [5.0], [2001]))
    return LakeReader(lake)


def values(table: pa.Table) -> list[Any]:
    return sorted(table.column("value").to_pylist(), key=lambda value: (value is None, value))


def test_a_table_is_read_whole_by_column_and_by_condition(held: LakeReader) -> None:
    assert held.tables() == [TABLE]
    assert values(held.scan(TABLE)) == [1.0, 3.0, 4.0, 5.0, None]
    some = held.scan(TABLE, columns=["value", "dataset_id"], where=f"dataset_id = '{A}' and year = 2001")
    assert some.column_names == ["value", "dataset_id"]
    assert values(some) == [3.0, 4.0]
    assert values(held.scan(TABLE, where=EqualTo("year", 2000))) == [1.0]
    assert values(held.scan(TABLE, where="year is null")) == [None]
    assert len(held.scan(TABLE, where="year = 1900")) == 0
    assert held.scan(TABLE, columns="value", where=None).column_names == ["value"]


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> tuple[LakeReader, pa.Table]:
    """A lake in which every column of a condition is NULL somewhere, and the partition too; and its rows."""
    lake = lake_in(Path(tmp_path_factory.mktemp("sparse")))
    rows = [
        {"dataset_id": A, "year": year, "value": value, "region_code": region}
        for year in (2000, 2001, None)
        for value in (0.0, 1.5, None)
        for region in ("13000", "27000", None)
    ]
    load(lake, pa.Table.from_pylist(rows, schema=arrow_schema(STAGED)))
    return LakeReader(lake), LakeReader(lake).scan(TABLE, columns=COMPARED)


def comparisons(column: str, values: list[str]) -> st.SearchStrategy[str]:
    one, several = st.sampled_from(values), st.lists(st.sampled_from(values), min_size=1, max_size=3)
    return (
        st.builds("{} {} {}".format, st.just(column), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), one)
        | st.builds(
            lambda word, them: f"{column} {word} ({', '.join(them)})", st.sampled_from(["in", "not in"]), several
        )
        | st.sampled_from([f"{column} is null", f"{column} is not null"])
    )


CONDITIONS = st.recursive(
    comparisons("year", ["2000", "2001", "1999"])
    | comparisons("value", ["0.0", "1.5", "-1.0"])
    | comparisons("region_code", ["'13000'", "'27000'", "'x'"])
    | st.sampled_from(["region_code like '13%'", "region_code not like '13%'"]),
    lambda parts: (
        st.builds("({} {} {})".format, parts, st.sampled_from(["and", "or"]), parts)
        | st.builds("(not {})".format, parts)
    ),
    max_leaves=4,
)


@given(CONDITIONS)
def test_a_condition_finds_the_rows_that_duckdb_finds(sparse: tuple[LakeReader, pa.Table], condition: str) -> None:
    reader, rows = sparse
    expected = duckdb.sql(f"SELECT * FROM rows WHERE {condition}").fetchall()
    found = [tuple(row.values()) for row in reader.scan(TABLE, columns=COMPARED, where=condition).to_pylist()]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
    assert len(rows) == 27


def test_batches_are_what_a_scan_holds(held: LakeReader) -> None:
    reader = held.stream(TABLE, columns=["region_code", "value"])
    assert isinstance(reader, pa.RecordBatchReader)
    assert reader.schema.types == [pa.string(), pa.float64()]
    assert values(pa.Table.from_batches(list(reader), reader.schema)) == values(held.scan(TABLE))


def test_a_table_is_read_as_it_was(lake: Lake) -> None:
    first = load(lake, frame(A, [1.0]))
    load(lake, frame(A, [2.0]))
    reader = LakeReader(lake)
    assert values(reader.scan(TABLE)) == [2.0]
    assert values(reader.scan(TABLE, as_of=first)) == [1.0]
    assert values(reader.scan(TABLE, as_of=str(first), where="value < 2")) == [1.0]


def test_pandas_keeps_whole_numbers_whole_and_missing_ones_missing(held: LakeReader) -> None:
    rows = held.to_pandas(TABLE, where=f"dataset_id = '{A}'").sort_values("region_code")
    assert str(rows["year"].dtype) == "Int32"
    assert rows["year"].tolist() == [2000, pd.NA, 2001, 2001]
    assert rows["value"].isna().tolist() == [False, True, False, False]
    assert rows["value"].sum() == 8.0


def test_polars_reads_the_same(held: LakeReader) -> None:
    rows = held.to_polars(TABLE, columns=["region_code", "value"], where=f"dataset_id = '{A}'")
    assert rows.schema == {"region_code": pl.String, "value": pl.Float64}
    assert rows.sort("region_code")["value"].to_list() == [1.0, None, 3.0, 4.0]


def test_without_polars_the_hint_says_what_to_install(held: LakeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ValidationError, match="pip install polars"):
        held.to_polars(TABLE)


def test_datasets_are_those_of_the_inventory(lake: Lake) -> None:
    assert lake.tables.names() == []
    assert LakeReader(lake).datasets().column_names == [column.name for column in INVENTORY_COLUMNS]
    for dataset_id in (B, A):
        entry = DatasetEntry(dataset_id, "population", "", "人口", "sandbox", "2026-01-01T00:00:00+00:00")
        put_inventory(lake.tables, entry)
    found = LakeReader(lake).datasets()
    assert found.select(["dataset_id", "title"]).to_pylist() == [
        {"dataset_id": A, "title": "人口"}, {"dataset_id": B, "title": "人口"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"table": "popluation_data"}, r"no table 'popluation_data'\. Did you mean population_data\?"),
        ({"columns": ["valeu"]}, r"no column 'valeu'\. Did you mean value\?"),
        ({"columns": []}, "at least one"),
        ({"columns": ["value", "value"]}, "named once"),
        ({"where": "yaer = 2000"}, r"no column 'yaer'\. Did you mean year\?"),
        ({"where": "year = 2000 and (value > 1 or nothing is null)"}, "no column 'nothing'"),
        ({"where": "year ="}, "cannot be read from character 1 on.*single quotes"),
        ({"where": "region_name like '%県'"}, "cannot be read"),
        ({"where": "year = 'abc'"}, "year holds values of type int"),
        ({"where": "region_code = 13000"}, "region_code holds values of type string.*single quotes"),
        ({"where": "year > 1.5"}, "year holds whole numbers, 1.5 is none"),
        ({"where": "year in (2000, 2000.5)"}, "cannot be read|holds whole numbers"),
        ({"as_of": 123456789}, "no snapshot 123456789"),
        ({"as_of": "2001-01-01"}, "no snapshot as old as"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path, asked: dict[str, Any], said: str) -> None:
    lake = lake_in(tmp_path / "lake")
    load(lake, frame(A, [1.0]))
    with pytest.raises(ValidationError, match=said) as refused:
        LakeReader(lake).scan(**{"table": TABLE, **asked})
    assert refused.value.hint


def test_reading_makes_no_lake_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for needs in (lambda held: held.scan(TABLE), LakeReader.tables, LakeReader.datasets):
        with pytest.raises(ValidationError, match="There is no lake in"):
            needs(estat_dagster.lake.open(tmp_path / "lake"))
    monkeypatch.chdir(tmp_path)
    for place in ("s3://bucket/lake", "https://bucket", Path("s3://bucket")):
        with pytest.raises(ValidationError, match="no place of a lake"):
            estat_dagster.lake.open(place)
    monkeypatch.setenv("DATALAKE_HOME", "s3://bucket")
    with pytest.raises(ValidationError, match="DATALAKE_S3_BUCKET"):
        estat_dagster.lake.open()
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_is_opened_by_its_address_and_no_database_is_made(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = cloud.settings()
    monkeypatch.setenv("DATALAKE_GLUE_DATABASE", settings.glue_database)
    held = estat_dagster.lake.open(f"s3://{settings.s3_bucket}")
    assert held.tables() == []
    names = [database["Name"] for database in boto3.client("glue", REGION).get_databases()["DatabaseList"]]
    assert settings.glue_database not in names
    load(open_lake(settings), frame(A, [1.0]))
    assert held.tables() == [TABLE]


def test_the_example_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "lake"
    load(lake_in(home), frame("0000010101", [1.0, 2.0, None], [2020, 2020, 2020]))
    monkeypatch.setenv("DATALAKE_HOME", str(home))
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(from estat_dagster import lake.*?)```", readme, re.DOTALL)
    names: dict[str, Any] = {}
    builtins.exec(compile(example, "README.md", "exec"), names)
    assert names["frame"]["value"].sum() == 3.0
    assert len(names["table"]) == 3
