"""What the read-only guard refuses, what it lets through, and what it says."""

from __future__ import annotations

import time

import pytest
from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query import functions, grammar, guard, macros, statements

# What changes, reads or runs something: in Athena's words, in DuckDB's and in others'.
STATEMENTS = """
INSERT INTO t VALUES (1)
INSERT INTO t SELECT * FROM u
UPDATE t SET a = 1
DELETE FROM t
MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE
CREATE TABLE x AS SELECT 1
CREATE OR REPLACE VIEW v AS SELECT 1
CREATE MACRO f() AS 1
CREATE SECRET (TYPE s3, KEY_ID 'x', SECRET 'y')
CREATE EXTERNAL TABLE x (a int) LOCATION 's3://bucket/'
DROP TABLE t
DROP SCHEMA estat_iceberg_db CASCADE
ALTER TABLE t ADD COLUMN a int
TRUNCATE TABLE t
COPY t TO '/tmp/out.csv'
COPY (SELECT * FROM t) TO 's3://bucket/x'
UNLOAD (SELECT * FROM t) TO 's3://bucket/x' WITH (format = 'PARQUET')
ATTACH '/tmp/x.db'
ATTACH ':memory:' AS m
DETACH x
PRAGMA database_list
PRAGMA table_info('t')
SET memory_limit = '100GB'
SET enable_external_access = true
SET SESSION query_max_run_time = '1h'
RESET memory_limit
INSTALL httpfs
FORCE INSTALL httpfs
LOAD httpfs
USE other
CALL system.sync_partition_metadata('a', 'b', 'ADD')
CALL pragma_version()
MSCK REPAIR TABLE t
OPTIMIZE t REWRITE DATA USING BIN_PACK
VACUUM t
VACUUM
ANALYZE t
CHECKPOINT
EXPORT DATABASE '/tmp/x'
IMPORT DATABASE '/tmp/x'
PREPARE p FROM SELECT 1
EXECUTE p
EXECUTE IMMEDIATE 'DROP TABLE t'
DEALLOCATE PREPARE p
GRANT SELECT ON t TO u
REVOKE SELECT ON t FROM u
DENY SELECT ON t TO u
START TRANSACTION
BEGIN
COMMIT
ROLLBACK
SAVEPOINT s
LOCK TABLE t
KILL 1
REFRESH TABLE t
DO $$ BEGIN END $$
DECLARE x int
SHOW CREATE TABLE t
SHOW DATABASES
SHOW PARTITIONS t
SHOW FUNCTIONS
SHOW SESSION
SHOW ALL TABLES
SHOW TABLES IN information_schema
EXPLAIN ANALYZE SELECT 1
EXPLAIN ANALYZE VERBOSE SELECT 1
EXPLAIN (TYPE IO, FORMAT JSON) SELECT 1
EXPLAIN DELETE FROM t
EXPLAIN EXPLAIN SELECT 1
EXPLAIN
USING EXTERNAL FUNCTION f(x int) RETURNS int LAMBDA 'a' SELECT f(1)
SUMMARIZE t
PIVOT t ON a USING sum(b)
UNPIVOT t ON a INTO NAME n VALUE v
FROM t
FROM t SELECT a
FROM '/etc/passwd'
DESCRIBE SELECT 1
DESCRIBE t WHERE 1 = 1
DESCRIBE (SELECT 1)
DESCRIBE '/etc/passwd'
DESCRIBE
REPLACE INTO t VALUES (1)
COMMENT ON TABLE t IS 'x'
/* SELECT */ DROP TABLE t
-- SELECT 1\nDROP TABLE t
(DELETE FROM t)
((DROP TABLE t))
WITH w AS (SELECT 1) DELETE FROM t
WITH w AS (SELECT 1) INSERT INTO t SELECT * FROM w
WITH w AS (DELETE FROM t RETURNING *) SELECT * FROM w
WITH w AS (DROP TABLE t) SELECT 1
WITH w AS (INSERT INTO t VALUES (1)) SELECT 1
WITH w AS (UPDATE t SET a = 1) SELECT 1
WITH w AS (COPY t TO 'x') SELECT 1
WITH FUNCTION f() RETURNS int RETURN 1 SELECT f()
SELECT * FROM (DELETE FROM t)
SELECT (DELETE FROM t)
SELECT * INTO x FROM t
SELECT * INTO OUTFILE '/tmp/x' FROM t
SELECT 1; DROP TABLE t
SELECT 1;; DROP TABLE t
SELECT 1; SELECT 2
SELECT 1 UNION DELETE FROM t
SELECT * FROM t FOR UPDATE
SELECT * FROM t FOR SHARE
"""

# What reaches files, the network, the environment or the engine through a SELECT.
REACHES = """
SELECT * FROM '/etc/passwd'
SELECT * FROM "/etc/passwd"
SELECT * FROM "s3://bucket/x.parquet"
SELECT * FROM 'data/*.parquet'
SELECT * FROM "x.parquet"
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_csv_auto('/etc/passwd')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_parquet('x')
SELECT * FROM parquet_metadata('x')
SELECT * FROM glob('/*')
SELECT * FROM sniff_csv('x')
SELECT * FROM query('SELECT 1')
SELECT * FROM query_table('t')
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM pragma_version()
SELECT * FROM iceberg_scan('x')
SELECT * FROM sqlite_scan('x', 'y')
SELECT * FROM range(10)
SELECT * FROM generate_series(1, 10)
SELECT * FROM TABLE(sequence(1, 10))
SELECT * FROM TABLE(exclude_columns(TABLE(t), DESCRIPTOR(a)))
SELECT * FROM t, LATERAL read_csv('/etc/passwd')
SELECT * FROM t CROSS JOIN LATERAL glob('/*')
SELECT * FROM t WHERE a IN (SELECT content FROM read_text('/etc/passwd'))
SELECT (SELECT content FROM read_text('/etc/passwd'))
WITH w AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM w
SELECT 1 UNION ALL SELECT content FROM read_text('/etc/passwd')
SELECT read_text('/etc/passwd')
SELECT getenv('HOME')
SELECT "getenv"('HOME')
SELECT GETENV('HOME')
SELECT system.main.getenv('HOME')
SELECT 'HOME'.getenv()
SELECT t.getenv('HOME') FROM t
SELECT current_setting('home_directory')
SELECT nextval('s')
SELECT pg_sleep(100)
SELECT sleep_ms(100)
SELECT version()
SELECT current_user
SELECT current_catalog
SELECT current_schema
SELECT Session_User FROM t
SELECT user()
SELECT fail('x')
SELECT error('x')
SELECT load_extension('x')
SELECT trino_text(1)
SELECT list_transform(ARRAY[1], x -> getenv('HOME'))
SELECT transform(ARRAY[1], x -> getenv('HOME'))
SELECT CASE WHEN getenv('HOME') = 'x' THEN 1 END
SELECT count(*) FILTER (WHERE getenv('A') = 'b') FROM t
SELECT rank() OVER (ORDER BY getenv('A')) FROM t
SELECT a FROM t GROUP BY getenv('A')
SELECT a FROM t ORDER BY getenv('A')
SELECT a FROM t LIMIT getenv('A')
SELECT * FROM t JOIN u ON getenv('A') = 'b'
SELECT * FROM UNNEST(read_text('x'))
VALUES (getenv('HOME'))
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT * FROM pg_catalog.pg_tables
SELECT * FROM system.runtime.queries
SELECT * FROM system.t
SELECT * FROM main.t
SELECT * FROM temp.t
SELECT * FROM other_db.t
SELECT * FROM s3tablescatalog.estat_iceberg_db.t
SELECT * FROM a.b.c.d
SELECT * FROM t MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS true)
SELECT * FROM t PIVOT (sum(a) FOR b IN (1))
SELECT * FROM t ASOF JOIN u ON t.a = u.a
SELECT * FROM t SEMI JOIN u ON t.a = u.a
SELECT * EXCLUDE (a) FROM t
SELECT * REPLACE (1 AS a) FROM t
SELECT COLUMNS('a.*') FROM t
SELECT DISTINCT ON (a) b FROM t
SELECT a FROM t GROUP BY ALL
SELECT a FROM t UNION BY NAME SELECT b FROM u
SELECT a FROM t FETCH FIRST 1 ROW WITH TIES
SELECT {'a': 1}
SELECT f(a => 1)
SELECT f(a := 1)
SELECT a -> 'b' FROM t
SELECT a ->> 'b' FROM t
SELECT @x
SELECT @@version
SELECT :x
SELECT CAST(1 AS hugeint)
SELECT CAST(1 AS estat_iceberg_db.t)
SELECT 1::ipaddress
SELECT U&'\\0041'
SELECT INTERVAL '1-2' YEAR TO MONTH
SELECT `a` FROM t
"""

# Not SQL, or only nearly.
NONSENSE = [
    "",
    "   ",
    ";",
    "-- only a comment",
    "/* only a comment */",
    "hello world",
    "SELECT FROM WHERE",
    "SELECT",
    "1",
]
NONSENSE += ["SELECT * FROM", "SELECT a FROM t WHERE", "SELECT (1", "SELECT 1)", "SELECT 'open", 'SELECT "open', "({[<"]
NONSENSE += [
    "東京都の人口は？",
    "SELECT 1 /* open",
    "SELECT a b c FROM t",
    "SELECT a, JOIN FROM t",
    "' ' FROM a",
    "SELECT CAST(1 AS decimal(10, (SELECT 4)))",
    "＊",
    "SELECT 1\0; DROP TABLE t",
    "SELECT '\ud800'",
]
NONSENSE += [
    "{}",
    "null",
    "SELEC 1",
    "SELECT *, FROM t WHERE WHERE",
    "WITH",
    "WITH a SELECT 1",
    "VALUES",
    "\N{ZERO WIDTH SPACE}",
]

# What only looks dangerous, and what is asked every day.
HONEST = """
SELECT 'drop table x'
SELECT 'DELETE FROM t; --' AS text
SELECT * FROM t WHERE region_name = 'UPDATE'
SELECT * FROM t WHERE note LIKE '%INSERT INTO%'
SELECT "delete", "drop", "update" FROM t
SELECT t."insert" AS "select" FROM t
SELECT replace(a, 'x', 'y') FROM t
SELECT a AS "grant" FROM t -- DROP TABLE t
SELECT /* DELETE FROM t */ a FROM t
SELECT a FROM t;
SELECT a FROM t; -- done
select a from t
SeLeCt A fRoM T
(SELECT 1)
((SELECT 1) UNION (SELECT 2))
TABLE t
VALUES (1, 'a'), (2, 'b')
WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT * FROM b
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r
WITH "read_csv" AS (SELECT 1 AS x) SELECT * FROM "read_csv"
WITH 人口 AS (SELECT 1 AS 値) SELECT 値 FROM 人口
SELECT a AS 人口, b AS "人口（千人）" FROM t
SELECT\u3000a FROM t
SELECT a FROM awsdatacatalog.estat_iceberg_db.t
SELECT a FROM "AwsDataCatalog"."Estat_Iceberg_Db"."T"
SELECT estat_iceberg_db.t.a FROM estat_iceberg_db.t
SELECT * FROM "t$snapshots"
SELECT * FROM t FOR VERSION AS OF 123
SELECT * FROM t FOR TIMESTAMP AS OF timestamp '2024-01-01 00:00:00 UTC'
SELECT * FROM t TABLESAMPLE BERNOULLI (10)
SELECT count(*), count(DISTINCT a), sum(b) FILTER (WHERE c > 1) FROM t GROUP BY 1 HAVING count(*) > 2 ORDER BY 2 DESC
SELECT a, rank() OVER (PARTITION BY b ORDER BY c DESC NULLS LAST) FROM t
SELECT sum(a) OVER w FROM t WINDOW w AS (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
SELECT a FROM t WHERE b BETWEEN 1 AND 2 AND c IN (1, 2) AND d LIKE 'x%' ESCAPE '!' AND e IS NOT NULL
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a) OR a = ANY (SELECT 1) OR a > ALL (SELECT 2)
SELECT a FROM t LEFT JOIN u USING (k) FULL OUTER JOIN v ON v.k = t.k CROSS JOIN w NATURAL JOIN x
SELECT a, x FROM t CROSS JOIN UNNEST(split(a, ',')) WITH ORDINALITY AS u(x, i)
SELECT * FROM t, LATERAL (SELECT t.a AS b) AS l
SELECT a FROM t GROUP BY GROUPING SETS ((a), ()), CUBE (b), ROLLUP (c)
SELECT a FROM t OFFSET 5 ROWS FETCH NEXT 10 ROWS ONLY
SELECT a FROM t OFFSET 5 LIMIT 10
SELECT a FROM t UNION ALL SELECT b FROM u INTERSECT SELECT c FROM v EXCEPT SELECT d FROM w
SELECT CASE WHEN a > 1 THEN 'x' ELSE 'y' END, IF(a > 1, 'x', 'y'), COALESCE(a, b), NULLIF(a, b), TRY(a / b) FROM t
SELECT CAST(a AS double), TRY_CAST(a AS integer), CAST(a AS decimal(10, 2)), CAST(a AS array(varchar)) FROM t
SELECT date '2020-01-01' + INTERVAL '1' DAY, timestamp '2020-01-01 00:00:00 UTC' AT TIME ZONE 'Asia/Tokyo'
SELECT EXTRACT(YEAR FROM a), year(a), date_trunc('month', a), date_diff('day', a, b), current_date, now() FROM t
SELECT transform(a, x -> x + 1), reduce(a, 0, (s, x) -> s + x, s -> s), filter(a, x -> x > 0) FROM t
SELECT json_extract_scalar(a, '$.x'), regexp_like(a, '^x'), format('%s', a), a || 'x', listagg(a, ',') FROM t
SELECT max_by(a, b), approx_distinct(a), approx_percentile(a, 0.5), arbitrary(a), count_if(a > 1) FROM t
SELECT ROW(1, 'a'), ARRAY[1, 2][1], map(ARRAY['a'], ARRAY[1])['a'], element_at(a, 1), r.field FROM t
SELECT a FROM t WHERE b = ? AND c IN (?, ?) LIMIT ?
SELECT trim(BOTH ' ' FROM a), position('x' IN a), substring(a FROM 1 FOR 2), normalize(a, NFKC) FROM t
SELECT lag(a) IGNORE NULLS OVER (ORDER BY b), first_value(a) RESPECT NULLS OVER (ORDER BY b) FROM t
SELECT (a, b) IN ((1, 2)), a IS DISTINCT FROM b, NOT a, -a, +1, a % 2, 1e3, .5, 1.50 FROM t
SELECT tdigest.x FROM tdigest
SELECT url_extract_host('http://x'), word_stem('a'), typeof(1), soundex('a'), numeric_histogram(3, a) FROM t
"""


def lines(block: str) -> list[str]:
    return [line.replace("\\n", "\n") for line in block.strip().splitlines()]


@pytest.mark.parametrize("sql", lines(STATEMENTS))
def test_only_queries_pass(sql: str) -> None:
    with pytest.raises(ValidationError):
        statements.read(sql)
    with pytest.raises(ValidationError):
        guard.check(sql)


@pytest.mark.parametrize("sql", lines(REACHES))
def test_a_query_reaches_nothing_but_tables_and_values(sql: str) -> None:
    with pytest.raises(ValidationError):
        statements.read(sql)


@pytest.mark.parametrize("sql", NONSENSE)
def test_what_is_not_sql_gets_one_clear_line(sql: str) -> None:
    with pytest.raises(ValidationError) as caught:
        statements.read(sql)
    message = str(caught.value)
    assert 20 < len(message) < 250
    assert "\n" not in message
    assert "Traceback" not in message
    assert "Token" not in message


@pytest.mark.parametrize("sql", lines(HONEST))
def test_honest_queries_pass(sql: str) -> None:
    tree = guard.check(sql)
    assert isinstance(tree, exp.Query | exp.Values)


@pytest.mark.parametrize("sql", [sql for sql in lines(HONEST) if not sql.startswith("TABLE")])
def test_what_passed_passes_again_in_the_words_that_go_to_athena(sql: str) -> None:
    written = grammar.write(guard.check(sql))
    assert grammar.write(guard.check(written)) == written


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DELETE FROM t", "Only SELECT is allowed; this is DELETE."),
        ("drop table t", "Only SELECT is allowed; this is DROP."),
        ("MSCK REPAIR TABLE t", "Only SELECT is allowed; this is MSCK."),
        ("UNLOAD (SELECT 1) TO 's3://b/'", "Only SELECT is allowed; this is UNLOAD."),
        ("WITH w AS (DELETE FROM t) SELECT 1", "Only SELECT is allowed; inside this is DELETE."),
        ("SELECT 1; DROP TABLE t", "2 statements were given; send one at a time."),
        ("hello world", "This is not a query: it begins with 'HELLO'."),
        ("", "There is no SQL: the text is empty."),
        ("SELECT", "The SELECT names no columns."),
        ("SELECT getenv('HOME')", "The function getenv is not allowed."),
        ("SELECT regex_like(a, 'b') FROM t", "Similar ones that are: regexp_like"),
        ("SELECT * FROM read_csv('x')", "FROM takes the names of tables only; READ_CSV('x') is not one."),
        ("SELECT * FROM information_schema.tables", "There is no database 'information_schema'."),
        ("SELECT * FROM hive.estat_iceberg_db.t", "There is no catalog 'hive'."),
        ("SELECT * INTO x FROM t", "SELECT INTO is not allowed in a query."),
        ("SELECT * FROM t FOR UPDATE", "FOR UPDATE is not allowed in a query."),
        ("SELECT * EXCLUDE (a) FROM t", "SELECT * EXCLUDE is not allowed in a query."),
        ("SELECT a FROM t FETCH FIRST 1 ROW WITH TIES", "WITH TIES is not allowed in a query."),
        ("SELECT * FROM t ASOF JOIN u ON t.a = u.a", "ASOF JOIN is not allowed in a query."),
        ("SELECT current_user", "CURRENTUSER is not allowed in a query."),
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN ANALYZE is not allowed: it runs the statement."),
        ("SELECT FROM WHERE", "The SQL could not be read at line 1, column 17, near 'WHERE'."),
        ("SELECT 'open", "The SQL ends inside a quote or a comment"),
    ],
)
def test_a_refusal_says_what_was_refused(sql: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        statements.read(sql)
    assert message in str(caught.value)
    assert caught.value.hint or sql.startswith("SELECT 1;") or "quote" in message


def test_the_namespace_is_the_engines() -> None:
    assert guard.check("SELECT * FROM mine.t", namespace="mine")
    with pytest.raises(ValidationError, match="no database 'estat_iceberg_db'"):
        guard.check("SELECT * FROM estat_iceberg_db.t", namespace="mine")


def test_show_describe_and_explain_are_told_apart() -> None:
    assert statements.read("SHOW TABLES").kind == "show_tables"
    assert statements.read("show tables in estat_iceberg_db 'pop*|eco*';").pattern == "pop*|eco*"
    assert statements.read("SHOW TABLES LIKE 'pop%'").pattern == "pop*"
    for sql in ("DESCRIBE t", "DESC t;", "describe estat_iceberg_db.t", "DESCRIBE `t`", "SHOW COLUMNS IN t"):
        statement = statements.read(sql)
        assert (statement.kind, statement.table) == ("describe", "t")
    assert statements.read("EXPLAIN SELECT 1").kind == "explain"
    assert statements.read("explain (select 1)").kind == "explain"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "array[" * 31 + "1" + "]" * 31,
        "SELECT " + "row(" * 31 + "1" + ")" * 31,
        "SELECT " + "map(array[1],array[" * 15 + "1" + "])" * 15,
        "SELECT " + ",".join(["array[" * 9 + "1" + "]" * 9] * 500),
        "SELECT " + "(" * 5000 + "1" + ")" * 5000,
        "SELECT * FROM " + "(" * 40 + "SELECT 1" + ")" * 40,
        "SELECT " + "NOT " * 3000 + "true",
        "SELECT " + "CASE WHEN true THEN " * 3000 + "1" + " END" * 3000,
        "SELECT " + "a." * 5000 + "a",
        "SELECT '" + "x" * 100_001 + "'",
    ],
    ids=lambda sql: sql[:30],
)
def test_a_monstrous_text_is_refused_soon(sql: str) -> None:
    started = time.process_time()
    with pytest.raises(ValidationError, match=r"complex|long"):
        guard.check(sql)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t WHERE region_code IN (" + ",".join(f"'{n:05}'" for n in range(5000)) + ")",
        "SELECT " + " + ".join(["a"] * 300) + " FROM t",
        "SELECT * FROM t WHERE " + " OR ".join(f"a = {n}" for n in range(1000)),
        " UNION ALL ".join(["SELECT 1"] * 200),
        "SELECT " + "(" * 15 + "1" + ")" * 15,
    ],
    ids=lambda sql: sql[:30],
)
def test_a_long_honest_text_passes(sql: str) -> None:
    assert guard.check(sql)


def test_no_macro_of_ours_can_be_called_by_its_own_name() -> None:
    assert not {name for name in functions.ALLOWED if name.startswith(macros.PREFIX)}


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for sql in ("EXPLAIN x", "SELECT * FROM t LIMIT BY 1", "WITH w AS (COPY t TO 'x') SELECT 1", "CALL secret('abc')"):
        with pytest.raises(ValidationError):
            guard.check(sql)
    assert capfd.readouterr() == ("", "")
