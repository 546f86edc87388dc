"""Honest queries, broken and mixed with attacks at random: what the guard lets pass is still one harmless query.

`HYPOTHESIS_PROFILE=thorough` tries twenty times as many.
"""

from __future__ import annotations

import re

import query_statements
import sqlglot
from hypothesis import assume, example, given
from hypothesis import strategies as st
from sqlglot import exp
from sqlglot.errors import ParseError

from estat_dagster.errors import DataLakeError, ValidationError
from estat_dagster.query import functions, grammar, guard, statements
from estat_dagster.query.embedded import EmbeddedEngine
from tests.hypothesis_profiles import many_examples, use_profile

use_profile()

HONEST = query_statements.read("honest")
PIECES = [piece for sql in HONEST for piece in re.findall(r"\w+|\s+|[^\w\s]", sql)]
POISON = [
    *("; DROP TABLE t", ";", "--", "/*", "*/", "'", '"', "`", "$$", "\\", "\0", "\u200b", "；", "#", "@", "{", "}"),
    *(" INTO x ", " FOR UPDATE ", " RETURNING * ", "(DELETE FROM t)", "(INSERT INTO t VALUES (1))", "COPY t TO 'x'"),
    *(
        "read_text('/etc/passwd')",
        "'/etc/passwd'",
        '"/etc/passwd"',
        "getenv('HOME')",
        "glob('/*')",
        "query('SELECT 1')",
    ),
    *("information_schema.tables", "system.runtime.queries", "duckdb_settings()", "current_user", "TABLE(x())"),
    *(" PIVOT (sum(a) FOR b IN (1)) ", " QUALIFY 1 = 1 ", " EXCLUDE (a) ", "COLUMNS(*)", "x -> getenv(x)", "::hugeint"),
    *("EXPLAIN ANALYZE ", "PRAGMA x", "SET a = 1", "ATTACH 'x'", "CALL f()", "EXECUTE p", "PREPARE p FROM SELECT 1"),
]
PLAIN = [
    "SELECT year, sum(value) AS s FROM population_data WHERE region_code <> '00000' GROUP BY year ORDER BY year",
    "SELECT p.value, d.name FROM population_data p JOIN dataset_dimensions d ON d.code = region_code WHERE year = 2018",
    "SELECT rank() OVER (PARTITION BY year ORDER BY value DESC), region_name FROM population_data LIMIT 5",
    "WITH a AS (SELECT year FROM labor_data) SELECT * FROM a UNION ALL SELECT year FROM population_data",
    "SELECT x FROM UNNEST(sequence(1, 5)) AS t(x) WHERE CAST(x AS varchar) LIKE '1%'",
    "SELECT date_trunc('month', period_start), regexp_like(unit, '人') FROM population_data",
]
EVIL = (
    *(exp.DDL, exp.DML, exp.Command, exp.Into, exp.Lock, exp.Copy, exp.Attach, exp.Detach, exp.Pragma, exp.Set),
    *(exp.Use, exp.Transaction, exp.Commit, exp.Rollback, exp.Kill, exp.Alter, exp.Drop, exp.Analyze),
)


@st.composite
def mutated(draw: st.DrawFn, texts: list[str]) -> str:
    """A text with one to four of its words lost, doubled, exchanged or poisoned."""
    pieces = re.findall(r"\w+|\s+|[^\w\s]", draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(pieces)))
        new = draw(st.one_of(st.sampled_from(POISON), st.sampled_from(PIECES), st.just("")))
        width = draw(st.integers(0, 2))
        pieces[place : place + width] = [new]
    return "".join(pieces)


@given(sql=mutated(HONEST))
@many_examples(2)
def test_what_passes_is_one_query_of_allowed_things(sql: str) -> None:
    try:
        tree = statements.read(sql).tree
    except ValidationError:
        return
    assert isinstance(tree, exp.Query | exp.Values)
    for node in tree.walk():
        assert not isinstance(node, EVIL) or isinstance(node, exp.Query)
        if isinstance(node, exp.Table):
            assert isinstance(node.this, exp.Identifier)
            assert node.db.lower() in ("", guard.NAMESPACE)
        if isinstance(node, exp.Anonymous):
            assert node.name.lower() in functions.ALLOWED


@given(sql=mutated(HONEST))
@example(sql="SELECT * FROM t FOR VERSION-- AS OF 46 AS old")
@many_examples(2)
def test_what_goes_to_athena_is_the_same_one_query(sql: str) -> None:
    """What the guard wrote is read once more, by sqlglot's own Athena and Trino, which know nothing of the guard."""
    assume(not grammar.NAMES & set(re.findall(r"\w+", sql.upper())))  # sqlglot's own know these as words, not as names
    try:
        written = grammar.write(guard.check(sql))
    except ValidationError:
        return
    for dialect in ("athena", "trino"):
        try:
            trees = sqlglot.parse(written, read=dialect)
        except ParseError as error:
            assume("Required keyword" not in str(error))  # sqlglot counts the arguments of functions, Athena will too
            raise
        assert len(trees) == 1
        assert isinstance(trees[0], exp.Query | exp.Values | exp.Table)
        assert not [node for node in trees[0].walk() if isinstance(node, EVIL) and not isinstance(node, exp.Query)]


@given(sql=mutated(PLAIN))
def test_the_engine_answers_or_refuses_in_its_own_words(engine: EmbeddedEngine, sql: str) -> None:
    said = ""
    try:
        with engine.run(sql, limit=50) as result:
            list(result.batches)
            if result.cursor:
                engine.cancel(result.query_id)
    except DataLakeError as error:
        said = str(error)
    assert "\n" not in said
    assert "/tmp" not in said.replace(sql, "")
