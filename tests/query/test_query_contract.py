"""Athena's SQL and the answers that Athena gives to it, asked of the embedded engine."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pytest
from query_lake import LOADED, rows

from estat_dagster.errors import ValidationError
from estat_dagster.query.embedded import EmbeddedEngine

D = dt.date

TABLES: dict[str, list[tuple[Any, ...]]] = {
    # Filters.
    "SELECT value FROM population_data WHERE year = 2019 AND region_code = '13000'": [(133.0,)],
    "SELECT count(*) FROM population_data WHERE year BETWEEN 2018 AND 2019": [(8,)],
    "SELECT count(*) FROM population_data WHERE region_code IN ('13000', '27000') AND year <> 2020": [(4,)],
    "SELECT count(*) FROM population_data WHERE region_name LIKE '%都'": [(3,)],
    "SELECT count(*) FROM population_data WHERE value IS NULL AND value_text = '***'": [(1,)],
    "SELECT count(*) FROM population_data WHERE gender IS DISTINCT FROM '総数'": [(4,)],
    "SELECT count(*) FROM population_data WHERE quarter IS NULL AND NOT month IS NULL": [(12,)],
    "SELECT count(*) FROM population_data WHERE period_start >= date '2019-10-01'": [(8,)],
    "SELECT count(*) FROM population_data WHERE updated_at = timestamp '2025-04-01 12:30:00 UTC'": [(12,)],
    "SELECT count(*) FROM population_data WHERE updated_at > timestamp '2025-04-01 21:00:00 Asia/Tokyo'": [(12,)],
    "SELECT count(*) FROM population_data WHERE region_name = 'UPDATE' OR 'drop table x' = region_name": [(0,)],
    "SELECT count(*) FROM population_data WHERE (year, region_code) IN ((2018, '13000'), (2020, '27000'))": [(2,)],
    # Aggregates and groups.
    "SELECT year, sum(value) FROM population_data WHERE region_code <> '00000' GROUP BY year ORDER BY year": [
        (2018, 260.0),
        (2019, 262.0),
        (2020, 217.0),
    ],
    "SELECT region_name, max(value) AS m FROM population_data GROUP BY 1 HAVING max(value) > 100 ORDER BY 2 DESC": [
        ("全国", 1020.0),
        ("東京都", 136.0),
    ],
    "SELECT count(*), count(value), count(DISTINCT region_code), avg(value) FROM population_data WHERE year = 2020": [
        (4, 3, 4, (1020.0 + 136.0 + 81.0) / 3)
    ],
    "SELECT count(*) FILTER (WHERE value > 100), count_if(value > 100) FROM population_data": [(6, 6)],
    "SELECT max_by(region_name, value), min_by(region_name, value) FROM population_data": [("全国", "北海道")],
    "SELECT max_by(x, y) FROM (VALUES (1, 2), (NULL, 5)) AS t(x, y)": [(None,)],
    "SELECT max_by(region_code, value, 2) FROM population_data WHERE year = 2018": [(["00000", "13000"],)],
    "SELECT arbitrary(unit), any_value(dataset_id) FROM population_data": [("千人", "0003448237")],
    "SELECT approx_distinct(region_code), approx_distinct(year, 0.01) FROM population_data": [(4, 3)],
    "SELECT approx_percentile(value, 0.5) FROM population_data WHERE year = 2020": [(136.0,)],
    "SELECT bool_and(value > 40), bool_or(value > 1000), every(year > 0) FROM population_data": [(True, True, True)],
    "SELECT listagg(region_name, '、') WITHIN GROUP (ORDER BY region_code) FROM population_data WHERE year = 2018": [
        ("全国、北海道、東京都、大阪府",)
    ],
    "SELECT array_agg(value ORDER BY region_code) FROM population_data WHERE year = 2020": [
        ([1020.0, None, 136.0, 81.0],)
    ],
    "SELECT map_agg(region_code, value) FILTER (WHERE value < 100) FROM population_data WHERE year = 2018": [
        ([("01000", 50.0), ("27000", 80.0)],)
    ],
    "SELECT round(stddev(value), 6), round(var_pop(value), 6) FROM population_data WHERE region_code = '13000'": [
        (3.0, 6.0)
    ],
    "SELECT corr(year, value), regr_slope(value, year) FROM population_data WHERE region_code = '13000'": [
        (pytest.approx(1.0), pytest.approx(3.0))
    ],
    "SELECT kurtosis(x) FROM (VALUES 1, 2, 4, 9, 3) AS t(x)": [(pytest.approx(2.675098310),)],
    "SELECT geometric_mean(x) FROM (VALUES 2.0, 8.0) AS t(x)": [(pytest.approx(4.0),)],
    "SELECT year, grouping(year), count(*) FROM population_data GROUP BY ROLLUP (year) ORDER BY year": [
        (2018, 0, 4),
        (2019, 0, 4),
        (2020, 0, 4),
        (None, 1, 12),
    ],
    "SELECT year, unit, count(*) FROM population_data GROUP BY GROUPING SETS ((year), (unit)) ORDER BY 1, 2": [
        (2018, None, 4),
        (2019, None, 4),
        (2020, None, 4),
        (None, "千人", 12),
    ],
    "SELECT sum(value) FROM population_data WHERE year = 1900": [(None,)],
    # Windows.
    """SELECT year, value - lag(value) OVER (ORDER BY year), rank() OVER (ORDER BY value DESC)
       FROM population_data WHERE region_code = '13000' ORDER BY year""": [
        (2018, None, 3),
        (2019, 3.0, 2),
        (2020, 3.0, 1),
    ],
    """SELECT region_code, row_number() OVER w, first_value(value) OVER w FROM population_data WHERE year = 2018
       WINDOW w AS (PARTITION BY year ORDER BY value) ORDER BY 2""": [
        ("01000", 1, 50.0),
        ("27000", 2, 50.0),
        ("13000", 3, 50.0),
        ("00000", 4, 50.0),
    ],
    """SELECT region_code, lag(value) IGNORE NULLS OVER (ORDER BY region_code) FROM population_data
       WHERE year = 2020 ORDER BY 1""": [("00000", None), ("01000", 1020.0), ("13000", 1020.0), ("27000", 136.0)],
    """SELECT year, sum(value) OVER (ORDER BY year ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM population_data
       WHERE region_code = '27000' ORDER BY year""": [(2018, 80.0), (2019, 160.0), (2020, 161.0)],
    "SELECT region_code FROM (SELECT region_code, ntile(2) OVER (ORDER BY region_code) AS half FROM population_data "
    "WHERE year = 2018) WHERE half = 1 ORDER BY 1": [("00000",), ("01000",)],
    # Joins, subqueries, set operations.
    """SELECT d.name, p.value FROM population_data p JOIN dataset_dimensions d
       ON d.dataset_id = p.dataset_id AND d.code = p.region_code WHERE p.year = 2018 AND d.level = 2 ORDER BY 1""": [
        ("大阪府", 80.0),
        ("東京都", 130.0),
    ],
    """SELECT d.name, p.value FROM dataset_dimensions d LEFT JOIN population_data p
       ON d.code = p.region_code AND p.year = 2020 WHERE p.value IS NULL ORDER BY 1""": [("沖縄県", None)],
    "SELECT count(*) FROM population_data p FULL JOIN dataset_dimensions d ON p.region_code = d.code": [(13,)],
    "SELECT name FROM dataset_dimensions d WHERE NOT EXISTS "
    "(SELECT 1 FROM population_data p WHERE p.region_code = d.code)": [("沖縄県",)],
    "SELECT count(*) FROM population_data WHERE value > (SELECT avg(value) FROM population_data)": [(3,)],
    "SELECT year FROM population_data WHERE value >= ALL (SELECT value FROM population_data WHERE value IS NOT NULL)": [
        (2020,)
    ],
    """WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT sum(n) FROM t""": [(10,)],
    "SELECT region_code FROM population_data WHERE year = 2018 EXCEPT SELECT code FROM dataset_dimensions": [
        ("01000",)
    ],
    "SELECT code FROM dataset_dimensions INTERSECT SELECT region_code FROM population_data ORDER BY 1": [
        ("00000",),
        ("13000",),
        ("27000",),
    ],
    "(SELECT 1) UNION ALL (SELECT 1) UNION SELECT 2 ORDER BY 1": [(1,), (2,)],
    # Order and limit.
    "SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x": [(1,), (2,), (None,)],
    "SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x DESC": [(2,), (1,), (None,)],
    "SELECT x FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY x DESC NULLS FIRST": [(None,), (2,), (1,)],
    "SELECT rank() OVER (ORDER BY x DESC) FROM (VALUES 2, NULL, 1) AS t(x) WHERE x IS NULL": [(1,)],
    "SELECT x, rank() OVER (ORDER BY x DESC) FROM (VALUES 2, NULL, 1) AS t(x) ORDER BY 2": [(2, 1), (1, 2), (None, 3)],
    "SELECT year FROM population_data WHERE region_code = '13000' ORDER BY year OFFSET 1 LIMIT 1": [(2019,)],
    "SELECT year FROM population_data WHERE region_code = '13000' ORDER BY 1 OFFSET 2 ROWS FETCH FIRST ROW ONLY": [
        (2020,)
    ],
    "SELECT DISTINCT year FROM population_data ORDER BY year DESC FETCH FIRST 2 ROWS ONLY": [(2020,), (2019,)],
    "SELECT count(*) FROM (SELECT * FROM population_data LIMIT ALL)": [(12,)],
    "SELECT array_sort(ARRAY[3, NULL, 1])": [([1, 3, None],)],
}

VALUES: dict[str, Any] = {
    # Arithmetic.
    "5 / 2": 2,
    "-7 / 2": -3,
    "-7 % 3": -1,
    "5 / 2e0": 2.5,
    "5.0 / 2": 2.5,
    "10.0 / 3": 3.3,
    "10.00 / 3": 3.33,
    "100.0 * 1 / 3": 33.3,
    "2 / 3.0": 0.7,
    "1e0 / 0": math.inf,
    "CAST(1 AS double) / 3": 1 / 3,
    "CAST(1 AS decimal(10, 4)) / 3": 0.3333,
    "0.1 + 0.2": Decimal("0.3"),
    "mod(17, 5)": 2,
    "round(2.5e0)": 3.0,
    "round(1234.567e0, 1)": 1234.6,
    "truncate(-1.7e0)": -1.0,
    "power(2, 10)": 1024.0,
    "log(2, 8)": 3.0,
    "width_bucket(5, 0, 10, 5)": 3,
    "greatest(1, 3, 2)": 3,
    "greatest(1, NULL)": None,
    "least('b', 'a')": "a",
    "bitwise_and(6, 3)": 2,
    "is_nan(nan())": True,
    "to_base(255, 16)": "ff",
    # Casts.
    "CAST(2.5e0 AS integer)": 3,
    "CAST(-2.5e0 AS bigint)": -3,
    "CAST('12' AS bigint)": 12,
    "TRY_CAST('2.5' AS integer)": None,
    "TRY_CAST('1_000' AS integer)": None,
    "TRY_CAST('x' AS double)": None,
    "TRY_CAST('1.5e3' AS double)": 1500.0,
    "CAST(126146099e0 AS varchar)": "1.26146099E8",
    "CAST(0.0001e0 AS varchar)": "1.0E-4",
    "CAST(0.0009999e0 AS varchar)": "9.999E-4",
    "CAST(0.00123e0 AS varchar)": "0.00123",
    "CAST(9999999e0 AS varchar)": "9999999.0",
    "CAST(0e0 AS varchar)": "0.0",
    "CAST(-1234567.5e0 AS varchar)": "-1234567.5",
    "CAST(1e16 AS varchar)": "1.0E16",
    "CAST(nan() AS varchar)": "NaN",
    "CAST(1.50 AS varchar)": "1.50",
    "CAST(true AS varchar)": "true",
    "CAST('東京都' AS varchar(2))": "東京",
    "CAST('2020-02-29' AS date)": D(2020, 2, 29),
    "TRY_CAST('2020年' AS date)": None,
    "CAST(1.5 AS decimal(5, 2))": Decimal("1.50"),
    "CAST(2.7 AS decimal)": Decimal("3"),
    "TRY(CAST('x' AS integer))": None,
    "CAST(CAST(ROW(1, 'a') AS ROW(n integer, s varchar)) AS ROW(n integer, s varchar)).s": "a",
    # Conditions.
    "IF(1 > 2, 'a', 'b')": "b",
    "CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END": "two",
    "COALESCE(NULL, 3)": 3,
    "NULLIF('-', '-')": None,
    "1 IS DISTINCT FROM NULL": True,
    # Text.
    "'a' || 'b' || 'c'": "abc",
    "'a' || NULL": None,
    "concat('a', 'b', NULL)": None,
    "concat_ws('-', 'a', NULL, 'b')": "a-b",
    "length('東京都')": 3,
    "substr('東京都', 2)": "京都",
    "substr('abc', 0, 2)": "",
    "substr('abc', -2, 1)": "b",
    "substring('abc' FROM 2 FOR 1)": "b",
    "strpos('東京都', '都')": 3,
    "position('都' IN '東京都')": 3,
    "split('a,b', ',')": ["a", "b"],
    "split_part('a,b', ',', 2)": "b",
    "split_part('a,b', ',', 3)": None,
    "replace('aXbX', 'X')": "ab",
    "lpad('7', 3, '0')": "007",
    "trim(BOTH 'x' FROM 'xax')": "a",
    "trim(LEADING 'x' FROM 'xax')": "ax",
    "upper('ab') || lower('CD')": "ABcd",
    "reverse('abc')": "cba",
    "codepoint('A')": 65,
    "chr(12354)": "あ",
    "starts_with('13101', '13')": True,
    "levenshtein_distance('kitten', 'sitting')": 3,
    "normalize('か\u3099')": "が",
    "regexp_like('2020年度', '\\d{4}年')": True,
    "regexp_extract('2020年度', '(\\d+)年', 1)": "2020",
    "regexp_extract('年度', '\\d+')": None,
    "regexp_extract_all('1a2b', '\\d')": ["1", "2"],
    "regexp_replace('2020年10月', '(\\d+)年(\\d+)月', '$1-$2')": "2020-10",
    "regexp_replace('a1b2', '\\d')": "ab",
    "regexp_count('banana', 'an')": 2,
    "regexp_split('a1b2c', '\\d')": ["a", "b", "c"],
    "format('%s: %,d (%.1f%%)', '東京都', 13960236, 11.06)": "東京都: 13,960,236 (11.1%)",
    "format('%2$s %1$s', 'a', 'b')": "b a",
    "format('%05d', 42)": "00042",
    "format('%s', 1e7)": "1.0E7",
    # Dates.
    "date '2020-01-31' + INTERVAL '1' MONTH": D(2020, 2, 29),
    "INTERVAL '1' DAY + date '2020-01-31'": D(2020, 2, 1),
    "date '2020-03-01' - INTERVAL '1' DAY": D(2020, 2, 29),
    "date_add('month', -1, date '2020-03-31')": D(2020, 2, 29),
    "date_add('hour', 1, timestamp '2020-01-01 00:00:00')": dt.datetime(2020, 1, 1, 1),
    "date_diff('year', date '2020-12-31', date '2021-01-01')": 0,
    "date_diff('month', date '2020-01-15', date '2020-03-14')": 1,
    "date_diff('day', date '2020-03-01', date '2020-02-01')": -29,
    "date_trunc('quarter', date '2020-05-05')": D(2020, 4, 1),
    "date_trunc('week', date '2020-01-01')": D(2019, 12, 30),
    "year(date '2020-04-01')": 2020,
    "quarter(date '2020-04-01')": 2,
    "day_of_week(date '2020-04-05')": 7,
    "EXTRACT(DOW FROM date '2020-04-05')": 7,
    "EXTRACT(YEAR FROM date '2020-04-05')": 2020,
    "week(date '2021-01-01')": 53,
    "year_of_week(date '2021-01-01')": 2020,
    "day_of_year(date '2020-12-31')": 366,
    "last_day_of_month(date '2020-02-01')": D(2020, 2, 29),
    "date_format(date '2020-04-05', '%Y年%c月%e日')": "2020年4月5日",
    "date_format(timestamp '2020-04-05 06:07:08', '%H:%i:%s')": "06:07:08",
    "date_parse('2020/04/05 06:07', '%Y/%m/%d %H:%i')": dt.datetime(2020, 4, 5, 6, 7),
    "TRY(date_parse('x', '%Y'))": None,
    "from_iso8601_date('2020-04-05')": D(2020, 4, 5),
    "date('2020-04-05')": D(2020, 4, 5),
    "to_iso8601(date '2020-04-05')": "2020-04-05",
    "to_unixtime(timestamp '1970-01-02 00:00:00 UTC')": 86400.0,
    "from_unixtime(0) = timestamp '1970-01-01 00:00:00 UTC'": True,
    "hour(timestamp '2020-01-01 20:00:00 UTC' AT TIME ZONE 'Asia/Tokyo')": 5,
    "date(at_timezone(timestamp '2020-01-01 20:00:00 UTC', 'Asia/Tokyo'))": D(2020, 1, 2),
    "hour(timestamp '2020-01-01 20:00:00' AT TIME ZONE 'Asia/Tokyo')": 5,
    "current_date = CAST(now() AS date)": True,
    # JSON.
    """json_extract_scalar('{"a": {"b": 7}}', '$.a.b')""": "7",
    """json_extract_scalar('{"a": {"b": 7}}', '$.a')""": None,
    "json_extract_scalar('not json', '$.a')": None,
    """json_extract_scalar('{"a": null}', '$.a')""": None,
    """json_extract_scalar('{"a": true}', '$.a')""": "true",
    "json_array_length('not json')": None,
    """json_format(json_extract('{"a": [1, 2]}', '$.a'))""": "[1,2]",
    "json_array_length('[1, 2, 3]')": 3,
    """CAST(json_parse('"x"') AS varchar)""": "x",
    """CAST(json_extract('{"a": [1, 2]}', '$.a') AS array(integer))""": [1, 2],
    # Arrays, maps and lambdas.
    "transform(ARRAY[1, 2], x -> x * 10)": [10, 20],
    "filter(ARRAY[1, 2, 3], x -> x > 1)": [2, 3],
    "reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s)": 6,
    "reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s * 2)": 12,
    "any_match(ARRAY[1, 2], x -> x = 2)": True,
    "all_match(ARRAY[1, 2], x -> x > 1)": False,
    "none_match(ARRAY[1, 2], x -> x > 2)": True,
    "element_at(ARRAY[1, 2], 3)": None,
    "ARRAY['a', 'b'][2]": "b",
    "map(ARRAY['a', 'b'], ARRAY[1, 2])['b']": 2,
    "element_at(map(ARRAY['a'], ARRAY[1]), 'z')": None,
    "cardinality(ARRAY[1, 2])": 2,
    "contains(ARRAY['a'], 'a')": True,
    "array_join(ARRAY[1, NULL, 3], ',')": "1,3",
    "array_join(ARRAY[1, NULL], ',', '-')": "1,-",
    "array_distinct(ARRAY[3, 1, 3, NULL])": [3, 1, None],
    "array_intersect(ARRAY[1, 2], ARRAY[2, 3])": [2],
    "array_except(ARRAY[1, 2], ARRAY[2])": [1],
    "array_union(ARRAY[2, 1], ARRAY[1, 3])": [2, 1, 3],
    "array_max(ARRAY[1, 3])": 3,
    "array_max(ARRAY[1, NULL])": None,
    "array_position(ARRAY['a', 'b'], 'z')": 0,
    "array_remove(ARRAY[1, 2, 1], 1)": [2],
    "slice(ARRAY[1, 2, 3, 4], 2, 2)": [2, 3],
    "slice(ARRAY[1, 2, 3, 4], -2, 2)": [3, 4],
    "repeat('a', 2)": ["a", "a"],
    "sequence(1, 3)": [1, 2, 3],
    "sequence(3, 1)": [3, 2, 1],
    "sequence(1, 9, 4)": [1, 5, 9],
    "sequence(date '2020-01-30', date '2020-02-01')": [D(2020, 1, 30), D(2020, 1, 31), D(2020, 2, 1)],
    "sequence(date '2020-01-01', date '2020-03-01', INTERVAL '1' MONTH)": [D(2020, 1, 1), D(2020, 2, 1), D(2020, 3, 1)],
    # Bytes.
    "to_hex(md5(to_utf8('a')))": "0CC175B9C0F1B6A831C399E269772661",
    "from_utf8(from_base64('44GC'))": "あ",
}

UNNESTED: dict[str, list[tuple[Any, ...]]] = {
    "SELECT t.a, u.x FROM (VALUES ('p,q')) AS t(a) CROSS JOIN UNNEST(split(t.a, ',')) AS u(x) ORDER BY x": [
        ("p,q", "p"),
        ("p,q", "q"),
    ],
    "SELECT x, n FROM UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS t(x, n) ORDER BY n": [("a", 1), ("b", 2)],
    "SELECT x, y FROM UNNEST(ARRAY[1, 2], ARRAY['a', 'b', 'c']) AS t(x, y) ORDER BY y": [
        (1, "a"),
        (2, "b"),
        (None, "c"),
    ],
    "SELECT i, x FROM (VALUES (1, ARRAY[7]), (2, ARRAY[])) AS t(i, a) LEFT JOIN UNNEST(a) AS u(x) ON true ORDER BY 1": [
        (1, 7),
        (2, None),
    ],
    "SELECT count(*) FROM UNNEST(sequence(2018, 2020)) AS y(year) JOIN population_data p ON p.year = y.year": [(12,)],
    "SELECT s FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, s), LATERAL (SELECT t.n * 2 AS m) AS l WHERE m = 4": [("b",)],
    "SELECT array_remove(a, x), array_join(a, '-', x), repeat(x, 2) FROM (VALUES (ARRAY['p', NULL], 'p')) AS t(a, x)": [
        ([None], "p-p", ["p", "p"])
    ],
    "SELECT transform(ARRAY[1, 2], x -> greatest(x, i)) FROM (VALUES 2) AS t(i)": [([2, 2],)],
    "VALUES (1, 'a'), (2, 'b')": [(1, "a"), (2, "b")],
    "TABLE labor_data": [(2018, 1.0), (2020, 3.0)],
}


@pytest.mark.parametrize("sql", [*TABLES, *UNNESTED])
def test_a_query_answers_as_athena_does(engine: EmbeddedEngine, sql: str) -> None:
    assert rows(engine, sql) == (TABLES | UNNESTED)[sql]


@pytest.fixture(scope="module")
def answers(engine: EmbeddedEngine) -> dict[str, Any]:
    """All expressions in one query, which takes a hundredth of the time, or none of them where one is an error."""
    try:
        return dict(zip(VALUES, rows(engine, f"SELECT {', '.join(VALUES)}")[0], strict=True))
    except ValidationError:
        return {}


@pytest.mark.parametrize("expression", VALUES)
def test_an_expression_means_what_it_means_on_athena(
    engine: EmbeddedEngine, answers: dict[str, Any], expression: str
) -> None:
    answer = answers[expression] if answers else rows(engine, f"SELECT {expression}")[0][0]
    assert answer == VALUES[expression]
    assert type(answer) is type(VALUES[expression])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(year) / count(*)", 2019),
        ("100.0 * count(*) / 7", 171.4),
        ("sum(value) * 1.0 / 7", pytest.approx((1000 + 1010 + 1020 + 50 + 49 + 130 + 133 + 136 + 80 + 80 + 81) / 7)),
        ("max(year) / 1000", 2),
        ("max(year) / min(value)", 2020 / 49),
        ("date_trunc('year', max(period_start))", D(2020, 1, 1)),
        ("max(period_start) + INTERVAL '1' DAY", D(2020, 10, 2)),
        ("date_diff('month', min(period_start), max(period_start))", 24),
        ("CAST(max(value) AS integer)", 1020),
        ("CAST(max(value) / 4 - 2.5e0 AS integer)", 253),
        ("CAST(max(value) AS varchar)", "1020.0"),
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
        ("SELECT * FROM UNNEST(map(ARRAY[1], ARRAY[2])) AS t(k, v)", "UNNEST of a map"),
        ("SELECT * FROM UNNEST(ARRAY[1], ARRAY[2]) WITH ORDINALITY AS t(a, b, n)", "WITH ORDINALITY"),
        ("SELECT normalize('a', NFKC)", "normalize to NFKC"),
        ("SELECT sum(value) IGNORE NULLS OVER () FROM population_data", "IGNORE NULLS with sum"),
        ("SELECT transform_values(map(ARRAY[1], ARRAY[2]), (k, v) -> v)", "function transform_values"),
    ],
)
def test_what_duckdb_cannot_mean_is_an_error_that_names_it(engine: EmbeddedEngine, sql: str, named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        engine.run(sql).read_all()
    assert named in str(caught.value)
