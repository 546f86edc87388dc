"""Athena's SQL and the answers that Athena gives to it, asked of the embedded engine."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import query_contract
from pyiceberg.catalog import Catalog
from query_lake import LOADED, NAMESPACE, rows

from estat_dagster.errors import DataLakeError, ValidationError
from estat_dagster.query.embedded import EmbeddedEngine

D = dt.date
QUERIES = query_contract.queries()
EXPRESSIONS = query_contract.expressions()


def check(engine: EmbeddedEngine, sql: str, case: query_contract.Case) -> None:
    result = engine.run(sql)
    table = result.read_all()
    found = [query_contract.plain(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]
    assert query_contract.same(found, case.rows)
    assert [column.type for column in result.columns] == case.types


def test_the_contract_is_large() -> None:
    assert len({case.sql for case in QUERIES}) == len(QUERIES) >= 120
    assert len({case.sql for case in EXPRESSIONS}) == len(EXPRESSIONS) >= 120


@pytest.mark.parametrize("case", QUERIES, ids=lambda case: case.sql[:60])
def test_a_query_answers_as_athena_does(engine: EmbeddedEngine, lake: Catalog, case: query_contract.Case) -> None:
    check(engine, query_contract.at_snapshots(case.sql, lake, NAMESPACE), case)


def test_expressions_mean_what_they_mean_on_athena(engine: EmbeddedEngine) -> None:
    """All in one query, which takes a hundredth of the time, and each for itself where that is not right."""
    together = query_contract.Case(
        ", ".join(case.sql.removeprefix("SELECT ") for case in EXPRESSIONS),
        [case.types[0] for case in EXPRESSIONS],
        [[case.rows[0][0] for case in EXPRESSIONS]],
    )
    try:
        check(engine, f"SELECT {together.sql}", together)
    except (AssertionError, DataLakeError):
        for case in EXPRESSIONS:
            check(engine, case.sql, case)
        raise


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(year) / count(*)", 2019),
        ("100.0 * count(*) / 7", Decimal("171.4")),
        ("sum(value) * 1.0 / 7", pytest.approx((1000 + 1010 + 1020 + 50 + 49 + 130 + 133 + 136 + 80 + 80 + 81) / 7)),
        ("max(year) / 1000", 2),
        ("max(year) / min(value)", 2020 / 49),
        ("date_trunc('year', max(period_start))", D(2020, 1, 1)),
        ("max(period_start) + INTERVAL '1' DAY", D(2020, 10, 2)),
        ("date_diff('month', min(period_start), max(period_start))", 24),
        ("CAST(max(value) AS integer)", 1020),
        ("CAST(max(value) / 4 - 2.5e0 AS integer)", 253),
        ("CAST(max(value) AS varchar)", "1.02E3"),
        ("CAST(count(*) AS varchar)", "12"),
        ("TRY_CAST(max(region_code) AS integer)", 27000),
        ("CAST(max(updated_at) AS varchar)", "2025-04-01 12:30:00.000000 UTC"),
        ("to_iso8601(max(updated_at))", "2025-04-01T12:30:00.000Z"),
        ("format('%d', sum(year))", "24228"),
        ("reverse(max(region_code))", "00072"),
        ("""json_extract_scalar(max('{"a": "' || region_name || '"}'), '$.a')""", "東京都"),
        ("greatest(max(value), 5000)", 5000.0),
        ("cardinality(array_distinct(array_agg(year)))", 3),
        ("sequence(min(year), max(year))", [2018, 2019, 2020]),
        ("sequence(min(period_start), max(period_start), INTERVAL '2' YEAR)", [D(2018, 10, 1), D(2020, 10, 1)]),
        ("array_except(ARRAY[2017, 2018], array_agg(year))", [2017]),
        ("date_add('day', count(*), min(period_start))", D(2018, 10, 13)),
        ("date_add('month', max(year) - 2018, min(period_start))", D(2018, 12, 1)),
        ("max(year) OVER () / 2", None),
    ],
)
def test_types_are_right_around_an_aggregate(engine: EmbeddedEngine, expression: str, expected: object) -> None:
    sql = f"SELECT {expression} FROM population_data"
    if expected is None:
        assert rows(engine, f"SELECT DISTINCT {expression} FROM population_data") == [(1010,)]
    else:
        assert rows(engine, sql) == [(expected,)]


def test_whole_numbers_stay_whole_columns(engine: EmbeddedEngine) -> None:
    sql = "SELECT year / 2, sum(year), count(*), count_if(true), year, 1 FROM population_data GROUP BY year LIMIT 1"
    result = engine.run(sql)
    assert [c.type for c in result.columns] == ["integer", "bigint", "bigint", "bigint", "integer", "integer"]
    assert [str(field.type) for field in result.read_all().schema][1] == "int64"


def test_columns_without_a_name_are_numbered_as_on_athena(engine: EmbeddedEngine) -> None:
    sql = 'SELECT year, count(*), (year), max(value) AS "最大", 1 FROM population_data GROUP BY year'
    assert [column.name for column in engine.run(sql).columns] == ["year", "_col1", "year", "最大", "_col4"]
    inner = "SELECT * FROM (SELECT 1, 2 AS b, upper('x')) CROSS JOIN (VALUES (3, 4))"
    assert [column.name for column in engine.run(inner).columns] == ["_col0", "b", "_col2", "_col3", "_col4"]
    assert [column.name for column in engine.run("VALUES (1, 2)").columns] == ["_col0", "_col1"]


def test_types_have_athenas_names(engine: EmbeddedEngine) -> None:
    sql = """SELECT true, CAST(1 AS tinyint), CAST(1 AS bigint), CAST(1 AS real), 1e0, 1.5, 'a', X.d, now(),
             timestamp '2020-01-01 00:00:00.000', ARRAY[1e0], map(ARRAY['a'], ARRAY[1]), CAST(ROW(1) AS ROW(n integer)),
             time '10:00:00', to_utf8('a') FROM (SELECT date '2020-01-01' AS d) AS x"""
    assert [column.type for column in engine.run(sql).columns] == [
        "boolean",
        "tinyint",
        "bigint",
        "real",
        "double",
        "decimal(2,1)",
        "varchar",
        "date",
        "timestamp(6) with time zone",
        "timestamp(3)",
        "array(double)",
        "map(varchar, integer)",
        "row(n integer)",
        "time(6)",
        "varbinary",
    ]


def test_instants_come_out_in_utc(engine: EmbeddedEngine) -> None:
    assert rows(engine, "SELECT max(updated_at), date_trunc('day', max(updated_at)) FROM population_data") == [
        (LOADED, LOADED.replace(hour=0, minute=0))
    ]


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT soundex('a')", "function soundex"),
        ("SELECT typeof(1)", "function typeof"),
        ("SELECT skewness(value) FROM population_data", "function skewness"),
        ("SELECT approx_percentile(value, 1, 0.5) FROM population_data", "approx_percentile with 3 arguments"),
        ("SELECT array_sort(ARRAY[1], (a, b) -> 1)", "array_sort"),
        ("SELECT date_format(now(), '%U')", "format %U"),
        ("SELECT date_format(now(), region_name) FROM population_data", "not a literal"),
        ("SELECT format('%b', true)", "%b in format"),
        ("SELECT CAST('a' AS char(3))", "CHAR"),
        ("SELECT EXTRACT(TIMEZONE_HOUR FROM now())", "TIMEZONE_HOUR"),
        ("SELECT * FROM UNNEST(map(ARRAY[1], ARRAY[2]))", "UNNEST of a map or of rows without names"),
        ("SELECT * FROM UNNEST(map(ARRAY[1], ARRAY[2])) AS t(k)", "UNNEST of a map or of rows without names"),
        ("SELECT k FROM (SELECT map(ARRAY[1], ARRAY[2]) AS m) CROSS JOIN UNNEST(m) AS t(k, v)", "map_entries(m)"),
        ("SELECT k FROM (SELECT ARRAY[ROW(1, 2)] AS m) CROSS JOIN UNNEST(m) AS t(k)", "names for all their columns"),
        ("SELECT a FROM (SELECT ARRAY[1] AS m) CROSS JOIN UNNEST(m, m) AS t(a, b, c)", "UNNEST of several columns"),
        ("SELECT json_value('{}', 'lax $.a' RETURNING integer NULL ON EMPTY)", "json_extract_scalar(j, '$.a')"),
        ("SELECT json_query('{}', 'lax $.a' WITH WRAPPER)", "json_format(json_extract(j, '$.a'))"),
        ("SELECT json_exists('{}', 'lax $.a')", "json_extract(j, '$.a') IS NOT NULL"),
        ("SELECT format_number(123456)", "function format_number"),
        ("SELECT year FROM population_data ORDER BY 1 FETCH FIRST 1 ROW WITH TIES", "rank() OVER (ORDER BY x)"),
        ("SELECT 5 = ANY (SELECT 'a')", "integer and varchar cannot be compared"),
        ("SELECT uuid() = 'a'", "uuid and varchar cannot be compared"),
        (
            "SELECT listagg(x) WITHIN GROUP (ORDER BY x) FROM (SELECT lpad('x', 10000, 'y') AS x "
            "FROM UNNEST(sequence(1, 105)))",
            "listagg gives more than 1,048,576 bytes",
        ),
        ("SELECT normalize('a', NFKC)", "normalize to NFKC"),
        ("SELECT sum(value) IGNORE NULLS OVER () FROM population_data", "IGNORE NULLS with sum"),
        (
            "SELECT map_zip_with(map(ARRAY[1], ARRAY[2]), map(ARRAY[1], ARRAY[2]), (k, v, w) -> v)",
            "function map_zip_with",
        ),
        ("SELECT date '2020-01-02' - date '2020-01-01'", "difference of two dates"),
        ("SELECT current_time", "current_time"),
        ("SELECT INTERVAL '1-2' YEAR TO MONTH", "interval of two units"),
        ("SELECT * FROM UNNEST(ARRAY[ROW(1, 'a')])", "UNNEST of a map or of rows"),
        ("SELECT hour(t) FROM (SELECT now() AT TIME ZONE 'Asia/Tokyo' AS t)", "time zone"),
        ("SELECT coalesce(now() AT TIME ZONE 'Asia/Tokyo', now())", "time zone"),
        ("SELECT CAST(now() AT TIME ZONE 'Asia/Tokyo' AS varchar)", "time zone"),
        ("SELECT CAST(region_name AS timestamp with time zone) FROM population_data", "time zone"),
        ("SELECT hour(from_iso8601_timestamp('2020-01-01T00:00+09:00'))", "zone is not known"),
        ("SELECT format_datetime(now(), 'w')", "w in the format"),
    ],
)
def test_what_duckdb_cannot_mean_is_an_error_that_names_it(engine: EmbeddedEngine, sql: str, named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        engine.run(sql).read_all()
    assert named in str(caught.value)
