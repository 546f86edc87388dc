"""The engine reads Iceberg tables as Iceberg means them, whatever has happened to their files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.manifest import DataFileContent
from pyiceberg.schema import Schema
from pyiceberg.types import IntegerType, LongType, NestedField
from query_lake import NAMESPACE, add_deletes, append, build_catalog, rows

from estat_dagster.errors import DataError, StorageError, ValidationError
from estat_dagster.query.embedded import EmbeddedEngine
from estat_dagster.query.engine import QueryEngine


def test_the_embedded_engine_is_a_query_engine(engine: EmbeddedEngine) -> None:
    as_declared: QueryEngine = engine
    assert as_declared.tables() == [
        "dataset_dimensions",
        "economy_data",
        "education_data",
        "general_data",
        "labor_data",
        "population_data",
    ]


def test_a_column_that_an_older_file_lacks_is_null_there(engine: EmbeddedEngine) -> None:
    answer = rows(engine, "SELECT year, gender, count(*) FROM population_data GROUP BY 1, 2 ORDER BY 1")
    assert answer == [(2018, None, 4), (2019, "総数", 4), (2020, "総数", 4)]


def test_a_renamed_column_still_shows_what_was_written_under_its_old_name(engine: EmbeddedEngine) -> None:
    assert rows(engine, "SELECT region_name FROM population_data WHERE year = 2018 AND region_code = '13000'") == [
        ("東京都",)
    ]


def test_rows_that_were_deleted_by_rewriting_a_file_are_gone(engine: EmbeddedEngine) -> None:
    assert rows(engine, "SELECT count(*), max(value) FROM population_data") == [(12, 1020.0)]


def test_rows_that_a_delete_file_takes_away_are_gone(engine: EmbeddedEngine) -> None:
    assert rows(engine, "SELECT year FROM labor_data ORDER BY year") == [(2018,), (2020,)]
    assert rows(engine, "SELECT year FROM labor_data WHERE year > 2018") == [(2020,)]


def test_rows_deleted_by_equality_are_never_shown(tmp_path: Path) -> None:
    """PyIceberg does not read such deletes: better no answer than one with rows that are gone."""
    catalog = build_catalog(tmp_path)
    table = catalog.create_table((NAMESPACE, "t"), Schema(NestedField(1, "year", IntegerType())))
    append(table, year=[1, 2, 3])
    year = pa.field("year", pa.int32(), metadata={"PARQUET:field_id": "1"})
    add_deletes(table, pa.table([[2]], schema=pa.schema([year])), DataFileContent.EQUALITY_DELETES, equality_ids=[1])
    engine = EmbeddedEngine(catalog, NAMESPACE)
    with pytest.raises(DataError, match=r"deleted by another program.*Athena"):
        engine.run("SELECT * FROM t")
    first = table.metadata.snapshots[0].snapshot_id
    assert rows(engine, f"SELECT count(*) FROM t FOR VERSION AS OF {first}") == [(3,)]
    assert rows(engine, 'SELECT content, equality_ids FROM "t$files" ORDER BY 1') == [(0, None), (2, [1])]


def test_deletes_of_positions_are_those_of_the_version(engine: EmbeddedEngine, lake: Catalog) -> None:
    first = lake.load_table((NAMESPACE, "labor_data")).metadata.snapshots[0].snapshot_id
    assert rows(engine, f"SELECT count(*) FROM labor_data FOR VERSION AS OF {first}") == [(3,)]
    assert rows(engine, "SELECT count(*) FROM labor_data WHERE year = 2019") == [(0,)]


def test_a_file_without_field_ids_is_read_by_its_columns_names(engine: EmbeddedEngine) -> None:
    assert rows(engine, "SELECT name, year FROM general_data") == [("imported", 2020)]


def test_a_table_with_arrays_is_read(engine: EmbeddedEngine) -> None:
    sql = "SELECT year, tag FROM education_data CROSS JOIN UNNEST(tags) AS t(tag) ORDER BY tag"
    assert rows(engine, sql) == [(2020, "a"), (2020, "b")]


def test_an_empty_table_has_its_columns_and_no_rows(engine: EmbeddedEngine) -> None:
    result = engine.run("SELECT * FROM economy_data")
    assert [(column.name, column.type) for column in result.columns[:3]] == [
        ("dataset_id", "varchar"),
        ("year", "integer"),
        ("quarter", "integer"),
    ]
    assert {column.name: column.type for column in result.columns}["updated_at"] == "timestamp(6) with time zone"
    assert result.read_all().num_rows == 0
    assert rows(engine, "SELECT count(*), sum(value) FROM economy_data WHERE year = 2020") == [(0, None)]


@pytest.mark.parametrize(
    "name",
    [
        "population_data",
        "Population_Data",
        '"population_data"',
        f"{NAMESPACE}.population_data",
        '"ESTAT_ICEBERG_DB"."POPULATION_DATA"',
        f"awsdatacatalog.{NAMESPACE}.population_data",
        f'"AwsDataCatalog"."{NAMESPACE}"."population_data"',
    ],
)
def test_a_table_is_known_by_every_name_that_athena_knows(engine: EmbeddedEngine, name: str) -> None:
    assert rows(engine, f"SELECT count(*) FROM {name}") == [(12,)]


def test_columns_may_be_qualified_by_database_and_table(engine: EmbeddedEngine) -> None:
    sql = f"SELECT max({NAMESPACE}.population_data.year), min(population_data.year) FROM {NAMESPACE}.population_data"
    assert rows(engine, sql) == [(2020, 2018)]


def test_a_name_of_with_hides_a_table_and_can_be_made_of_it(engine: EmbeddedEngine) -> None:
    sql = (
        "WITH population_data AS (SELECT * FROM population_data WHERE year = 2018) SELECT count(*) FROM population_data"
    )
    assert rows(engine, sql) == [(4,)]
    nested = """
        WITH a AS (SELECT year FROM labor_data), b AS (SELECT * FROM a)
        SELECT (SELECT count(*) FROM b), (WITH a AS (SELECT 1 AS x) SELECT max(x) FROM a), (SELECT max(year) FROM a)
    """
    assert rows(engine, nested) == [(2, 1, 2020)]


def test_a_query_sees_one_snapshot_and_the_next_query_the_next(tmp_path: Path) -> None:
    catalog = build_catalog(tmp_path)
    table = catalog.create_table((NAMESPACE, "t"), Schema(NestedField(1, "year", IntegerType())))
    engine = EmbeddedEngine(catalog, NAMESPACE)
    append(table, year=[1, 2])
    result = engine.run("SELECT year FROM t UNION ALL SELECT year FROM t")
    append(table, year=[3])
    assert result.read_all().num_rows == 4
    assert rows(engine, "SELECT count(*) FROM t") == [(3,)]


def test_a_widened_column_reads_old_and_new_files(tmp_path: Path) -> None:
    catalog = build_catalog(tmp_path)
    table = catalog.create_table((NAMESPACE, "t"), Schema(NestedField(1, "n", IntegerType())))
    append(table, n=[1])
    with table.update_schema() as update:
        update.update_column("n", LongType())
    append(table, n=[2**40])
    result = EmbeddedEngine(catalog, NAMESPACE).run("SELECT n FROM t ORDER BY n")
    assert result.columns[0].type == "bigint"
    assert result.read_all()["n"].to_pylist() == [1, 2**40]


@pytest.mark.parametrize("folder", ["it's", "a [b]* {c}", "a b* {c}", "人口 data"])
def test_folders_with_unusual_names_are_read(tmp_path: Path, folder: str) -> None:
    (tmp_path / "x").mkdir()
    home = tmp_path / "x" / folder
    home.mkdir()
    catalog = build_catalog(tmp_path / "x")
    location = f"file://{home}/t"
    table = catalog.create_table((NAMESPACE, "t"), Schema(NestedField(1, "n", IntegerType())), location=location)
    append(table, n=[1])
    shutil.copytree(home, home.parent / "a bxx {c}")  # which `a [b]* {c}` would match as a pattern
    assert rows(EmbeddedEngine(catalog, NAMESPACE), "SELECT n FROM t WHERE n = 1") == [(1,)]


def test_a_lost_file_is_a_storage_error_without_its_path(tmp_path: Path) -> None:
    catalog = build_catalog(tmp_path)
    table = catalog.create_table((NAMESPACE, "t"), Schema(NestedField(1, "n", IntegerType())))
    append(table, n=[1])
    for file in tmp_path.rglob("*.parquet"):
        file.unlink()
    with pytest.raises(StorageError) as caught:
        EmbeddedEngine(catalog, NAMESPACE).run("SELECT * FROM t").read_all()
    assert str(tmp_path) not in str(caught.value)
    assert re.search(
        r"A data file of the lake could not be read: \S+\.parquet\. .*estat load ID --force", str(caught.value)
    )


def test_a_query_that_joins_without_from_is_an_error_and_no_crash(engine: EmbeddedEngine) -> None:
    with pytest.raises(ValidationError):
        engine.run("SELECT 1, population_data p JOIN labor_data l ON true WHERE p.year = 2018")


def test_describe_names_types_as_athena_does(engine: EmbeddedEngine) -> None:
    described = {row["column"]: (row["type"], row["comment"]) for row in engine.describe("POPULATION_DATA").to_pylist()}
    assert list(described)[:6] == ["dataset_id", "year", "quarter", "month", "region_code", "region_name"]
    assert described["updated_at"] == ("timestamp(6) with time zone", "updated_at!")
    assert described["gender"] == ("varchar", "男女")
    assert described["value"][0] == "double"
    assert described["period_start"][0] == "date"
    assert {row["column"]: row["type"] for row in engine.describe("education_data").to_pylist()} == {
        "year": "integer",
        "tags": "array(varchar)",
    }


def test_an_unknown_table_is_refused_with_the_names_of_those_there_are(engine: EmbeddedEngine) -> None:
    with pytest.raises(ValidationError, match=r"no table 'populaton_data'.*Did you mean population_data\?.*labor_data"):
        engine.run("SELECT * FROM populaton_data")
    with pytest.raises(ValidationError, match="no table 'nope'"):
        engine.describe("nope")


def test_a_lake_without_tables_says_so(tmp_path: Path) -> None:
    engine = EmbeddedEngine(build_catalog(tmp_path), "other")
    assert engine.tables() == []
    with pytest.raises(ValidationError, match="the lake is empty"):
        engine.run("SELECT * FROM t")


def test_the_lake_needs_no_table_for_a_query_of_constants(engine: EmbeddedEngine, lake: Catalog) -> None:
    assert lake.list_tables(NAMESPACE)
    result = engine.run("SELECT 1 AS one")
    assert result.read_all()["one"].to_pylist() == [1]
    assert result.bytes_scanned == 0
