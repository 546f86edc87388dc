"""Tables as they were: FOR VERSION AS OF, FOR TIMESTAMP AS OF, one moment for all tables, and what Iceberg knows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pyiceberg.catalog import Catalog
from query_lake import NAMESPACE, rows

from estat_dagster.errors import ValidationError
from estat_dagster.query.embedded import EmbeddedEngine


@pytest.fixture(scope="module")
def snapshots(lake: Catalog) -> list[Any]:
    """The snapshots of population_data: 2018, 2019, 2020, a dataset more, and that dataset taken out again."""
    return list(lake.load_table((NAMESPACE, "population_data")).metadata.snapshots)


def moment(snapshot: Any, seconds: float = 0) -> dt.datetime:
    return dt.datetime.fromtimestamp(snapshot.timestamp_ms / 1000 + seconds, dt.UTC)


def test_a_version_has_its_own_rows_and_columns(engine: EmbeddedEngine, snapshots: list[Any]) -> None:
    first = f"population_data FOR VERSION AS OF {snapshots[0].snapshot_id}"
    assert rows(engine, f"SELECT count(*), max(year) FROM {first}") == [(4, 2018)]
    names = [column.name for column in engine.run(f"SELECT * FROM {first}").columns]
    assert "gender" not in names
    assert "region_label" in names
    with pytest.raises(ValidationError, match=r"no column 'gender'"):
        engine.run(f"SELECT gender FROM {first}")
    with pytest.raises(ValidationError, match=r"no column 'region_name'.*region_label"):
        engine.run(f"SELECT region_name FROM {first}")


def test_an_old_columns_condition_finds_its_rows(engine: EmbeddedEngine, snapshots: list[Any]) -> None:
    first = f"population_data FOR VERSION AS OF {snapshots[0].snapshot_id} AS p"
    assert rows(engine, f"SELECT value FROM {first} WHERE p.region_label = '東京都' AND year = 2018") == [(130.0,)]
    result = engine.run(f"SELECT value FROM {first} WHERE year = 2020")
    assert (result.read_all().num_rows, result.bytes_scanned) == (0, 0)


def test_rows_that_were_taken_out_later_are_there_before(engine: EmbeddedEngine, snapshots: list[Any]) -> None:
    before = f"population_data FOR VERSION AS OF {snapshots[3].snapshot_id}"
    assert rows(engine, f"SELECT count(*), max(value) FROM {before}") == [(13, 9e9)]


def test_versions_of_one_table_can_be_compared(engine: EmbeddedEngine, snapshots: list[Any]) -> None:
    sql = f"""SELECT now.year, count(before.year) FROM population_data now
              LEFT JOIN population_data FOR VERSION AS OF {snapshots[1].snapshot_id} before
              ON now.year = before.year AND now.region_code = before.region_code GROUP BY 1 ORDER BY 1"""
    assert rows(engine, sql) == [(2018, 4), (2019, 4), (2020, 0)]


def test_a_timestamp_is_the_snapshot_that_was_current_then(engine: EmbeddedEngine, snapshots: list[Any]) -> None:
    def count(moment: str) -> int:
        return int(rows(engine, f"SELECT count(*) FROM population_data FOR TIMESTAMP AS OF {moment}")[0][0])

    second = moment(snapshots[1])
    utc = second.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    tokyo = second.astimezone(dt.timezone(dt.timedelta(hours=9))).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    assert count(f"TIMESTAMP '{utc} UTC'") == 8
    assert count(f"TIMESTAMP '{tokyo} Asia/Tokyo'") == 8
    assert count(f"TIMESTAMP '{utc}'") == 8
    assert count("current_timestamp") == 12
    assert count("(current_timestamp + INTERVAL '1' DAY)") == 12
    assert count("DATE '2999-01-01'") == 12


def test_a_version_may_be_a_parameter(engine: EmbeddedEngine, snapshots: list[Any]) -> None:
    sql = "SELECT count(*) FROM population_data FOR VERSION AS OF ? WHERE year = ?"
    assert rows(engine, sql, [snapshots[1].snapshot_id, 2019]) == [(4,)]
    sql = "SELECT count(*) FROM population_data FOR TIMESTAMP AS OF ?"
    assert rows(engine, sql, [moment(snapshots[0])]) == [(4,)]


@pytest.mark.parametrize("as_text", [True, False])
def test_one_moment_for_all_tables_but_those_with_their_own(
    engine: EmbeddedEngine, snapshots: list[Any], *, as_text: bool
) -> None:
    then = moment(snapshots[1])
    as_of = then.isoformat() if as_text else then
    sql = f"""SELECT (SELECT count(*) FROM population_data), (SELECT count(*) FROM "population_data$files"),
              (SELECT count(*) FROM population_data FOR VERSION AS OF {snapshots[2].snapshot_id})"""
    assert engine.run(sql, as_of=as_of).read_all().to_pydict() == {"_col0": [8], "_col1": [2], "_col2": [12]}
    assert engine.run("EXPLAIN SELECT year FROM population_data", as_of=as_of).read_all().num_rows > 2


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("VERSION AS OF 1", "no snapshot 1"),
        ("TIMESTAMP AS OF TIMESTAMP '2001-01-01 00:00:00 UTC'", "no snapshot as old as 2001-01-01T00:00:00"),
        ("TIMESTAMP AS OF '2026-01-01'", "takes a timestamp"),
        ("TIMESTAMP AS OF 5", "takes a timestamp"),
        ("VERSION AS OF 'main'", "takes a snapshot's id"),
        ("VERSION AS OF NULL", "NULL is not allowed in FOR VERSION AS OF"),
        ("VERSION AS OF true", "BOOLEAN is not allowed"),
        ("VERSION AS OF (SELECT max(year) FROM labor_data)", "is not allowed in FOR VERSION AS OF"),
        ("VERSION AS OF year", "is not allowed in FOR VERSION AS OF"),
        ("TIMESTAMP AS OF getenv('x')", "a function call is not allowed in FOR TIMESTAMP"),
        ("TIMESTAMP BETWEEN 1 AND 2", "FOR TIMESTAMP BETWEEN"),
        ("TIMESTAMP AS OF TIMESTAMP 'never'", "never"),
    ],
)
def test_a_version_that_is_none_is_refused(engine: EmbeddedEngine, version: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        engine.run(f"SELECT * FROM population_data FOR {version}")


def test_the_snapshots_of_a_table_are_a_table(engine: EmbeddedEngine, snapshots: list[Any]) -> None:
    sql = """SELECT snapshot_id, parent_id, operation, element_at(summary, 'added-records')
             FROM "population_data$snapshots" ORDER BY committed_at"""
    answer = rows(engine, sql)
    assert [row[0] for row in answer] == [one.snapshot_id for one in snapshots]
    assert [row[1] for row in answer] == [None, *(one.snapshot_id for one in snapshots[:-1])]
    assert [row[2:] for row in answer[:2]] == [("append", "4"), ("append", "4")]
    assert rows(engine, 'SELECT max(committed_at) FROM "population_data$snapshots"') == [(moment(snapshots[-1]),)]


def test_history_and_references_point_to_the_current_snapshot(engine: EmbeddedEngine, snapshots: list[Any]) -> None:
    current = snapshots[-1].snapshot_id
    sql = 'SELECT snapshot_id FROM "population_data$history" WHERE is_current_ancestor ORDER BY made_current_at DESC'
    assert rows(engine, sql)[0] == (current,)
    assert rows(engine, 'SELECT name, type, snapshot_id FROM "population_data$refs"') == [("main", "BRANCH", current)]


def test_the_files_of_a_table_are_a_table(engine: EmbeddedEngine) -> None:
    sql = """SELECT content, file_format, sum(record_count), min(element_at(lower_bounds, 2)), max(upper_bounds[6])
             FROM estat_iceberg_db."population_data$files" GROUP BY 1, 2"""
    assert rows(engine, sql) == [(0, "PARQUET", 12, "2018", "東京都")]
    files = rows(engine, 'SELECT content, record_count FROM "labor_data$files" ORDER BY 1')
    assert files == [(0, 3), (1, 1)]


def test_partitions_and_manifests_are_tables(engine: EmbeddedEngine) -> None:
    sql = 'SELECT partition.year, record_count, file_count FROM "population_data$partitions" ORDER BY 1'
    assert rows(engine, sql) == [(2018, 4, 1), (2019, 4, 1), (2020, 4, 1)]
    sql = """SELECT sum(added_rows_count), max(partition_summaries[1].upper_bound)
             FROM "population_data$manifests" WHERE deleted_data_files_count = 0"""
    assert rows(engine, sql) == [(12, "2020")]


@pytest.mark.parametrize("kind", ["snapshots", "history", "files", "partitions", "manifests", "refs"])
def test_a_table_without_a_snapshot_has_empty_metadata_tables(engine: EmbeddedEngine, kind: str) -> None:
    result = engine.run(f'SELECT * FROM "economy_data${kind}"')
    assert result.columns
    assert result.read_all().num_rows == 0


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ('SELECT * FROM "population_data$nothing"', r"no metadata table \$nothing.*\$snapshots"),
        ('SELECT * FROM "nothing$files"', "no table 'nothing'"),
        ('SELECT * FROM "population_data$files" FOR VERSION AS OF 1', "is for tables of data"),
        ('SELECT nope FROM "population_data$refs"', "no column 'nope'.*snapshot_id"),
    ],
)
def test_a_metadata_table_that_is_none_is_refused(engine: EmbeddedEngine, sql: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        engine.run(sql)
