"""Results: streamed, bounded in rows and in time, with values bound and errors that a user understands."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog
from query_lake import LOADED, NAMESPACE, ONE_CALL, numbers, rows

from estat_dagster.errors import RequestTimeoutError, StorageError, ValidationError
from estat_dagster.query import problems
from estat_dagster.query.embedded import EmbeddedEngine
from estat_dagster.query.engine import QueryResult

RUNAWAY = (
    "SELECT count(*) FROM " + ", ".join(f"population_data p{n}" for n in range(9)) + " WHERE p0.value + p8.value < 0"
)


def test_a_result_streams_and_counts_what_was_read(engine: EmbeddedEngine) -> None:
    result = engine.run(numbers(50))
    assert (result.row_count, result.truncated) == (0, False)
    sizes = [batch.num_rows for batch in result.batches]
    assert len(sizes) > 1
    assert (sum(sizes), result.row_count, result.truncated) == (50000, 50000, False)
    assert result.elapsed_seconds > 0
    assert result.read_all().num_rows == 0


def test_an_endless_result_can_be_closed_half_way(engine: EmbeddedEngine) -> None:
    with engine.run(f"SELECT a.x FROM ({numbers(1000)}) a, ({numbers(100)}) b") as result:
        assert next(result.batches).num_rows > 0
    assert 0 < result.row_count < 1_000_000


@pytest.mark.parametrize(
    ("limit", "sql", "count", "truncated"),
    [
        (3, "SELECT * FROM population_data", 3, True),
        (12, "SELECT * FROM population_data", 12, False),
        (100, "SELECT * FROM population_data", 12, False),
        (0, "SELECT * FROM population_data", 0, True),
        (0, "SELECT * FROM economy_data", 0, False),
        (2, "SELECT * FROM population_data LIMIT 5", 2, True),
        (5, "SELECT * FROM population_data LIMIT 5", 5, False),
        (2, "SELECT year FROM population_data UNION SELECT year FROM labor_data", 2, True),
        (1, "(SELECT 1) UNION ALL (SELECT 2)", 1, True),
        (1, "VALUES 1, 2", 1, True),
        (1, "(SELECT x FROM (VALUES 1, 2) AS t(x))", 1, True),
        (2, "SHOW TABLES", 2, True),
        (None, "SELECT * FROM population_data", 12, False),
    ],
)
def test_a_limit_cuts_and_says_so(
    engine: EmbeddedEngine, limit: int | None, sql: str, count: int, truncated: bool
) -> None:
    result = engine.run(sql, limit=limit)
    assert result.read_all().num_rows == count
    assert (result.row_count, result.truncated) == (count, truncated)


def test_a_limit_keeps_the_order(engine: EmbeddedEngine) -> None:
    result = engine.run("SELECT value FROM population_data ORDER BY value DESC", limit=2)
    assert result.read_all()["value"].to_pylist() == [1020.0, 1010.0]
    with pytest.raises(ValidationError, match="limit is -1"):
        engine.run("SELECT 1", limit=-1)


def test_an_empty_answer_has_its_schema(engine: EmbeddedEngine) -> None:
    table = engine.run("SELECT year, value AS v FROM population_data WHERE year = 1900").read_all()
    assert table.schema == pa.schema({"year": pa.int32(), "v": pa.float64()})


def test_parameters_are_bound_in_the_order_of_the_text(engine: EmbeddedEngine) -> None:
    sql = "SELECT region_code, ? FROM population_data WHERE year = ? AND value > ? ORDER BY 1 OFFSET ? LIMIT ?"
    assert rows(engine, sql, ["x", 2018, 10.5, 1, 2]) == [("01000", "x"), ("13000", "x")]
    nested = "WITH a AS (SELECT ? AS x) SELECT x, ? FROM a WHERE x IN (SELECT ?)"
    assert rows(engine, nested, [1, 2, 1]) == [(1, 2)]


@pytest.mark.parametrize(
    "value",
    [
        "東京都",
        "it's -- ? \\ ' OR 1 = 1",
        "",
        7,
        -7,
        2**62,
        1.5,
        -0.1,
        1e300,
        float("inf"),
        Decimal("-12.50"),
        True,
        None,
        dt.date(2020, 2, 29),
        dt.datetime(2020, 2, 29, 1, 2, 3, 4),
        LOADED,
    ],
    ids=repr,
)
def test_a_parameter_keeps_its_value_and_type(engine: EmbeddedEngine, value: object) -> None:
    assert rows(engine, "SELECT ?", [value]) == [(value,)]


@pytest.mark.parametrize(
    ("sql", "values", "message"),
    [
        ("SELECT ?", [], r"has 1 \? and 0 parameters"),
        ("SELECT 1", ["x"], r"has 0 \? and 1 parameters"),
        ("SELECT '?', \"?\" FROM t -- ?", [1], r"has 0 \? and 1"),
        ("SELECT ?", [object()], "object, which SQL has no literal for"),
        ("SELECT ?", ["\0"], "not text"),
    ],
)
def test_wrong_parameters_are_refused(engine: EmbeddedEngine, sql: str, values: list[object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        engine.run(sql, values)


def test_a_runaway_query_is_stopped_in_time(lake: Catalog) -> None:
    started = time.monotonic()
    with pytest.raises(RequestTimeoutError, match=r"longer than 0\.5 s\..*WHERE"):
        EmbeddedEngine(lake, NAMESPACE, seconds=0.5).run(RUNAWAY).read_all()
    assert time.monotonic() - started < 5


def test_one_call_without_end_is_stopped_in_time(lake: Catalog) -> None:
    started = time.monotonic()
    with pytest.raises(RequestTimeoutError, match=r"longer than 0\.3 s"):
        EmbeddedEngine(lake, NAMESPACE, seconds=0.3).run(ONE_CALL).read_all()
    assert time.monotonic() - started < 20


def test_a_query_that_makes_its_process_grow_is_stopped(lake: Catalog) -> None:
    engine = EmbeddedEngine(lake, NAMESPACE, memory_limit="50MB")
    with pytest.raises(ValidationError, match="more memory than it may use"):
        engine.run(ONE_CALL).read_all()
    assert rows(engine, "SELECT 1") == [(1,)]


def test_the_time_runs_out_while_rows_are_being_read(lake: Catalog) -> None:
    result = EmbeddedEngine(lake, NAMESPACE, seconds=1).run(f"SELECT a.x FROM ({numbers(100)}) a, ({numbers(100)}) b")
    with pytest.raises(RequestTimeoutError, match="longer than 1 s"):
        for _ in result.batches:
            pass
    assert result.row_count > 0


def test_an_error_in_a_late_row_is_the_users_as_well(lake: Catalog) -> None:
    sql = f"SELECT CAST(CASE WHEN x = 900000 THEN 'abc' ELSE '1' END AS integer) FROM ({numbers(900)})"
    result = EmbeddedEngine(lake, NAMESPACE, threads=1).run(sql)  # a second thread may reach the last row first
    assert next(result.batches).num_rows > 0
    with pytest.raises(ValidationError, match="abc"):
        result.read_all()


def test_planning_counts_too(lake: Catalog) -> None:
    joins = " ".join(f"JOIN labor_data t{n} ON t0.year = t{n}.year" for n in range(1, 100))
    with pytest.raises(RequestTimeoutError):
        EmbeddedEngine(lake, NAMESPACE, seconds=0.2).run(f"SELECT count(*) FROM labor_data t0 {joins}").read_all()


def test_a_reader_may_take_longer_than_the_query(lake: Catalog) -> None:
    result = EmbeddedEngine(lake, NAMESPACE, seconds=0.4).run(numbers(30))
    next(result.batches)
    time.sleep(0.6)
    assert result.read_all().num_rows == 20000


def test_the_budget_is_one_for_all_batches(lake: Catalog) -> None:
    result = EmbeddedEngine(lake, NAMESPACE, seconds=0.6).run(f"SELECT a.x FROM ({numbers(1000)}) a, ({numbers(9)}) b")
    started = time.monotonic()
    with pytest.raises(RequestTimeoutError):
        for _ in result.batches:
            pass
    assert 0.4 < time.monotonic() - started < 5


def test_paths_in_an_error_of_duckdb_are_not_repeated() -> None:
    error = problems.translate("InvalidInputException", "Invalid Input Error: bad file '/home/me/lake/x.parquet'")
    assert str(error).startswith("bad file 'a file'")
    for kind in ("IOException", "OSError"):
        lost = problems.translate(kind, "IO Error: No such file: /home/me/x")
        assert isinstance(lost, StorageError)
        assert "/home" not in str(lost)


def test_no_thread_is_left_behind(engine: EmbeddedEngine) -> None:
    before = threading.active_count()
    rows(engine, "SELECT count(*) FROM population_data")
    assert threading.active_count() == before


def test_show_and_describe_answer_as_small_tables(engine: EmbeddedEngine) -> None:
    assert rows(engine, "SHOW TABLES 'pop*|lab*'") == [("labor_data",), ("population_data",)]
    assert rows(engine, "SHOW TABLES LIKE 'x%'") == []
    with pytest.raises(ValidationError, match="0 \\? and 1 parameters"):
        engine.run("SHOW TABLES", [1])
    described = rows(engine, "DESCRIBE estat_iceberg_db.labor_data")
    assert described == [("year", "integer", "year!"), ("value", "double", "value!")]
    with pytest.raises(ValidationError, match="no table 'nope'"):
        engine.run("DESCRIBE nope")


def test_explain_shows_the_plan_and_no_path(engine: EmbeddedEngine) -> None:
    text = "\n".join(
        line for (line,) in rows(engine, "EXPLAIN SELECT sum(value) FROM population_data WHERE year = 2020")
    )
    assert 'FROM "lake"."population_data"' in text
    assert "population_data: 1 files" in text
    assert ".parquet" not in text
    assert "/" not in text


def test_the_sql_that_ran_is_shown(engine: EmbeddedEngine) -> None:
    sql = engine.run("SELECT regexp_like(unit, ?) FROM population_data -- note", ["千"]).sql
    assert sql == (
        'SELECT regexp_matches("unit", \'千\') AS "(column 1)" FROM "lake"."population_data" AS "population_data"'
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT yeer FROM population_data", r"no column 'yeer'\. Did you mean year"),
        ("SELECT p.regionname FROM population_data p", r"no column 'regionname'\. Did you mean region_name"),
        ("SELECT zzz FROM labor_data", r"no column 'zzz'\. Columns: value, year\."),
        ("SELECT q.year FROM population_data p", "no table or alias 'q'"),
        ("SELECT year", "no column 'year'"),
        ("SELECT filename FROM labor_data", "no column 'filename'"),
        ("SELECT $1 FROM labor_data", r"no column '\$1'"),
        ("SELECT current_schema FROM labor_data", "CURRENT_SCHEMA is not allowed"),
        ("SELECT year, count(*) FROM population_data", "GROUP BY"),
        ("SELECT sum(region_name) FROM population_data", r"sum\(VARCHAR\) does not take arguments of these types"),
        ("SELECT date_trunc('month', region_name) FROM population_data", "does not take arguments of these types"),
        ("SELECT year / 0 FROM population_data", "Division by zero.*NULLIF"),
        ("SELECT 1 % 0", "Division by zero"),
        ("SELECT CAST('abc' AS integer)", "abc"),
        ("SELECT CAST(region_name AS date) FROM population_data", "date"),
        ("SELECT CAST(value_text AS integer) FROM population_data", r"The text '\*\*\*' is no bigint"),
        ("SELECT CAST('yes' AS boolean)", "The text 'yes' is no boolean"),
        ("SELECT CAST('2020/01/05' AS date)", "The text '2020/01/05' is no date"),
        ("SELECT CAST(12345 AS varchar(3))", r"does not fit into varchar\(3\)"),
        ("SELECT year FROM population_data WHERE year = '2020'", "integer and varchar cannot be compared"),
        ("SELECT year FROM population_data WHERE region_code = 1000", "varchar and integer cannot be compared"),
        ("SELECT year FROM population_data WHERE region_code IN (1000, 13000)", "cannot be compared"),
        ("SELECT year FROM population_data WHERE period_start > '2019-01-01'", "date and varchar cannot be compared"),
        ("SELECT CASE region_code WHEN 1000 THEN 1 END FROM population_data", "cannot be compared"),
        ("SELECT count(*) FROM population_data HAVING max(region_code) = 27000", "cannot be compared"),
        (
            "SELECT 1 FROM population_data p LEFT JOIN labor_data l ON p.region_code = l.year",
            "varchar and integer cannot be compared",
        ),
        ("SELECT region_name || 1 FROM population_data WHERE region_name || '都' || 1 = ''", "cannot be joined"),
        ("SELECT year || '年' FROM population_data", "text and a value of integer cannot be joined"),
        ("SELECT concat(year, '年') FROM population_data", "cannot be joined"),
        ("SELECT ARRAY[1, 2][5]", r"nothing at \[5\]"),
        ("SELECT ARRAY[1, 2][-1]", "indices start at 1"),
        ("SELECT map(ARRAY['a'], ARRAY[1])['z']", r"nothing at \[z\]"),
        ("SELECT split_part('a,b', ',', -1)", "no part -1"),
        ("SELECT 1.0 / 0", "Division by zero"),
        ("SELECT split(1, ',')", r"split\(INTEGER, STRING\) does not take"),
        ("SELECT cardinality(map(ARRAY['a'], ARRAY[1]))", r"cardinality\(MAP"),
        ('SELECT "user"', "column user without its table"),
        ('SELECT "user" FROM population_data', "no column 'user'"),
        ("SELECT levenshtein_distance(rpad('a', 2000, 'a'), rpad('b', 2000, 'a'))", "texts of a distance are too long"),
        ("SELECT lpad('x', 2000000000, 'y')", "length of lpad is at most"),
        ("SELECT cardinality(sequence(1, 100000000))", "sequence has at most 10000"),
        ("SELECT cardinality(sequence(date '1900-01-01', date '2030-01-01'))", "sequence has at most 10000"),
        ("SELECT repeat('x', 100000000)", "count of repeat is at most 10000"),
        (
            "SELECT replace(replace(lpad('x', 10000, 'x'), 'x', 'yy'), 'y', lpad('z', 2000, 'z'))",
            "replace makes a text",
        ),
        ("SELECT regexp_replace(lpad('x', 10000, 'x'), '(x+)', lpad('$1', 10000, '$1'))", "texts of regexp_replace"),
        ("SELECT format('%900000000d', 1)", "pads to 1000 characters at most"),
        ("SELECT reduce(sequence(1, 30), 'x', (s, x) -> s || s, s -> length(s))", "writes its state twice"),
        ("SELECT regexp_like(unit, '(') FROM population_data", r"missing \)"),
        ("SELECT (SELECT year FROM population_data)", "More than one row"),
        ("SELECT 1 UNION SELECT 1, 2", "same number of result columns"),
        ("SELECT 9223372036854775807 + 1", "Overflow"),
        ("SELECT sum(x) FROM (VALUES 9223372036854775807, 1) AS t(x)", "larger than bigint"),
        ("SELECT date_trunc('fortnight', period_start) FROM population_data", "'fortnight' is not a unit of time"),
        ("SELECT format('%s %s', 'a')", "no argument for %s"),
        ("SELECT * FROM labor_data a, labor_data b WHERE year = 1", "Ambiguous"),
        ("SELECT row_number() OVER w FROM labor_data", '"w" does not exist'),
        ("SELECT " + " / ".join(["value"] * 20) + " FROM population_data", "too complex"),
    ],
)
def test_an_error_is_one_line_in_the_users_words(engine: EmbeddedEngine, sql: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        engine.run(sql).read_all()
    text = str(caught.value)
    assert "\n" not in text
    for inside in ("trino_", "LINE 1", "/tmp", ".parquet", "Error:", "Binder", "//"):
        assert inside not in text


def test_the_interface_is_light_to_import() -> None:
    heavy = "{'duckdb', 'pyarrow', 'pyiceberg', 'sqlglot'}"
    code = f"import sys, estat_dagster.query.engine; sys.exit(len({heavy} & set(sys.modules)))"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_result_made_by_hand_behaves() -> None:
    closed: list[bool] = []
    batch = pa.record_batch({"a": [1, 2, 3]})
    result = QueryResult(batch.schema, iter([batch, batch]), sql="x", limit=4, on_close=lambda: closed.append(True))
    assert [part.num_rows for part in result.batches] == [3, 1]
    assert (result.row_count, result.truncated, closed) == (4, True, [True])
    result.close()
    assert closed == [True]
