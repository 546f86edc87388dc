"""What the read-only guard refuses, what it lets through, and what it says."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import query_statements
from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query import functions, grammar, guard, macros, rewrites, statements

ACTING = query_statements.read("acting")
REACHING = query_statements.read("reaching")
HONEST = query_statements.read("honest")
NONSENSE = ["", "   ", *query_statements.read("nonsense")]


def test_there_are_many_statements_and_each_once() -> None:
    every = [*ACTING, *REACHING, *HONEST, *NONSENSE, *query_statements.read("names")]
    assert len(every) == len(set(every)) > 800


@pytest.mark.parametrize("sql", ACTING)
def test_only_queries_pass(sql: str) -> None:
    with pytest.raises(ValidationError) as caught:
        statements.read(sql)
    assert caught.value.hint
    with pytest.raises(ValidationError):
        guard.check(sql)


@pytest.mark.parametrize("sql", REACHING)
def test_a_query_reaches_nothing_but_tables_and_values(sql: str) -> None:
    with pytest.raises(ValidationError) as caught:
        statements.read(sql)
    assert caught.value.hint


@pytest.mark.parametrize("sql", NONSENSE)
def test_what_is_not_sql_gets_one_clear_line(sql: str) -> None:
    with pytest.raises(ValidationError) as caught:
        statements.read(sql)
    message = str(caught.value)
    assert 20 < len(message) < 250
    assert "\n" not in message
    assert "Traceback" not in message
    assert "Token" not in message


@pytest.mark.parametrize("sql", HONEST)
def test_honest_queries_pass(sql: str) -> None:
    tree = guard.check(sql)
    assert isinstance(tree, exp.Query | exp.Values)


@pytest.mark.parametrize("sql", [sql for sql in HONEST if not sql.startswith("TABLE")])
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
        ("SELECT * FROM t ASOF JOIN u ON t.a = u.a", "ASOF JOIN is not allowed in a query."),
        ("SELECT a FROM t TABLESAMPLE RESERVOIR (1)", "TABLESAMPLE RESERVOIR is not allowed"),
        ("SELECT * FROM t FOR VERSION AS OF (SELECT 1)", "subquery is not allowed in FOR VERSION AS OF"),
        ("SHOW TABLES; DROP TABLE t", "The pattern of SHOW TABLES is not one."),
        ("DESCRIBE INPUT p", "Prepared statements are not available."),
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
    assert caught.value.hint


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


def test_the_documents_list_every_function_that_only_athena_has() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "sql.md").read_text("utf-8")
    listed = re.findall(r"`(\w+)`", text.partition("These functions:")[2].partition("And these forms")[0])
    assert listed == sorted(name for name in functions.ALLOWED if not rewrites.is_available(name))


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for sql in ("EXPLAIN x", "SELECT * FROM t LIMIT BY 1", "WITH w AS (COPY t TO 'x') SELECT 1", "CALL secret('abc')"):
        with pytest.raises(ValidationError):
            guard.check(sql)
    assert capfd.readouterr() == ("", "")
