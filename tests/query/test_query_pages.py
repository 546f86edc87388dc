"""Answers page by page, queries that are cancelled, and what is left open meanwhile."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog import Catalog
from query_lake import NAMESPACE, append, build_catalog, numbers

from estat_dagster.errors import DataLakeError, UnknownError, ValidationError
from estat_dagster.query.embedded import EmbeddedEngine

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = numbers(100)
ENDLESS = "SELECT count(*) FROM " + ", ".join(f"population_data p{n}" for n in range(9)) + " WHERE p0.value < p8.value"


def pages(engine: EmbeddedEngine, sql: str, limit: int, **more: Any) -> list[list[Any]]:
    """Read a query to its end, page by page."""
    found = []
    result = engine.run(sql, limit=limit, **more)
    while True:
        found.append(result.read_all()[0].to_pylist())
        if result.cursor is None:
            assert not result.truncated
            return found
        assert result.truncated
        result = engine.run(sql, limit=limit, cursor=result.cursor, **more)


@pytest.mark.parametrize("limit", [1, 5, 6, 7, 11, 12, 13])
def test_pages_are_the_answer_cut_and_nothing_else(engine: EmbeddedEngine, limit: int) -> None:
    sql = "SELECT concat(CAST(year AS varchar), region_code) FROM population_data"
    whole = engine.run(sql).read_all()[0].to_pylist()
    found = pages(engine, sql, limit)
    assert [row for page in found for row in page] == whole
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert 0 < len(found[-1]) <= limit


def test_pages_cross_the_batches_of_the_engine(engine: EmbeddedEngine) -> None:
    found = pages(engine, NUMBERS, 7_777)
    assert [row for page in found for row in page] == list(range(1, 100_001))


def test_a_page_may_be_of_another_size_and_keeps_the_querys_name(engine: EmbeddedEngine) -> None:
    first = engine.run(NUMBERS, limit=3)
    first.read_all()
    second = engine.run(NUMBERS, limit=10, cursor=first.cursor)
    assert second.query_id == first.query_id != ""
    assert (second.columns, second.sql, second.cost_usd) == (first.columns, first.sql, None)
    assert second.read_all()["x"].to_pylist() == list(range(4, 14))
    rest = engine.run(NUMBERS, cursor=second.cursor).read_all()
    assert rest["x"].to_pylist()[:2] == [14, 15]
    assert rest.num_rows == 100_000 - 13


def test_pages_of_a_table_that_changes_meanwhile_are_of_one_snapshot(tmp_path: Any) -> None:
    from pyiceberg.schema import Schema
    from pyiceberg.types import IntegerType, NestedField

    catalog = build_catalog(tmp_path)
    table = catalog.create_table((NAMESPACE, "t"), Schema(NestedField(1, "n", IntegerType())))
    append(table, n=[1, 2, 3])
    engine = EmbeddedEngine(catalog, NAMESPACE)
    first = engine.run("SELECT n FROM t ORDER BY n", limit=2)
    first.read_all()
    append(table, n=[0])
    assert engine.run("SELECT n FROM t ORDER BY n", limit=2, cursor=first.cursor).read_all()["n"].to_pylist() == [3]


@pytest.mark.parametrize("sql", ["SHOW TABLES", "DESCRIBE population_data", "EXPLAIN SELECT 1", "VALUES 1, 2, 3"])
def test_every_statement_can_be_paged(engine: EmbeddedEngine, sql: str) -> None:
    whole = engine.run(sql).read_all()[0].to_pylist()
    assert [row for page in pages(engine, sql, 2) for row in page] == whole


def test_a_sorted_answer_is_paged_as_far_as_it_is_kept(engine: EmbeddedEngine) -> None:
    sql = f"{NUMBERS} ORDER BY x DESC"
    result = engine.run(sql, limit=6_000)
    assert result.read_all()["x"].to_pylist() == list(range(100_000, 94_000, -1))
    assert "LIMIT 60001" in result.sql
    for _ in range(9):
        result = engine.run(sql, limit=6_000, cursor=result.cursor)
        assert result.read_all().num_rows == 6_000
    assert result.truncated
    with pytest.raises(ValidationError, match=r"60,000 rows can be read.*without a limit"):
        engine.run(sql, limit=6_000, cursor=result.cursor).read_all()
    assert engine.run(sql).read_all().num_rows == 100_000


def test_a_cursor_is_good_once_and_for_its_query_alone(engine: EmbeddedEngine) -> None:
    result = engine.run(NUMBERS, limit=3)
    result.read_all()
    for sql, parameters, more in (
        ("SELECT 1", [], {}),
        (NUMBERS, [1], {}),
        (NUMBERS, [], {"as_of": "2999-01-01"}),
    ):
        with pytest.raises(ValidationError, match="belongs to another query"):
            engine.run(sql, parameters, cursor=result.cursor, **more)
    with engine.run(NUMBERS, limit=3, cursor=result.cursor) as second:
        assert next(second.batches).num_rows == 3
    for cursor in (result.cursor, "nonsense", ""):
        with pytest.raises(ValidationError, match=r"expired, was used before.*Run the query again"):
            engine.run(NUMBERS, cursor=cursor)


def test_a_cursor_of_another_engine_is_foreign(engine: EmbeddedEngine, lake: Catalog) -> None:
    result = engine.run(NUMBERS, limit=3)
    result.read_all()
    with pytest.raises(ValidationError, match="not of this engine"):
        EmbeddedEngine(lake, NAMESPACE).run(NUMBERS, cursor=result.cursor)


def test_a_cursor_expires(lake: Catalog) -> None:
    engine = EmbeddedEngine(lake, NAMESPACE, open_seconds=0.05)
    result = engine.run(NUMBERS, limit=3)
    result.read_all()
    _until(lambda: not engine.cancel(result.query_id))
    with pytest.raises(ValidationError, match=r"expired.*for 0\.05 s"):
        engine.run(NUMBERS, cursor=result.cursor)


def test_only_a_few_answers_are_kept_and_the_oldest_goes_first(lake: Catalog) -> None:
    engine = EmbeddedEngine(lake, NAMESPACE, open_answers=2)
    results = []
    for _ in range(3):
        result = engine.run(NUMBERS, limit=3)
        result.read_all()
        results.append(result)
    with pytest.raises(ValidationError, match="expired"):
        engine.run(NUMBERS, cursor=results[0].cursor)
    assert not engine.cancel(results[0].query_id)
    for result in results[1:]:
        assert engine.run(NUMBERS, limit=2, cursor=result.cursor).read_all()["x"].to_pylist() == [4, 5]


def test_a_running_query_is_cancelled_from_another_thread(lake: Catalog) -> None:
    engine = EmbeddedEngine(lake, NAMESPACE, seconds=60)
    started = time.monotonic()

    def cancel_later(query_id: str) -> None:
        threading.Timer(0.3, lambda: cancelled.append(engine.cancel(query_id))).start()

    cancelled: list[bool] = []
    with pytest.raises(UnknownError, match="was cancelled"):
        engine.run(ENDLESS, on_start=cancel_later).read_all()
    assert time.monotonic() - started < 20
    assert cancelled == [True]


def test_a_query_cancelled_before_it_works_does_not_work(lake: Catalog) -> None:
    engine = EmbeddedEngine(lake, NAMESPACE)
    with pytest.raises(UnknownError, match="was cancelled"):
        engine.run(ENDLESS, on_start=engine.cancel)


def test_cancelling_gives_up_the_rows_that_are_left(engine: EmbeddedEngine) -> None:
    result = engine.run(NUMBERS, limit=3)
    result.read_all()
    assert engine.cancel(result.query_id)
    with pytest.raises(ValidationError, match="expired"):
        engine.run(NUMBERS, cursor=result.cursor)
    half = engine.run(NUMBERS)
    next(half.batches)
    assert engine.cancel(half.query_id)
    with pytest.raises(UnknownError, match="was cancelled"):
        half.read_all()


def test_a_query_that_ended_cannot_be_cancelled(engine: EmbeddedEngine) -> None:
    result = engine.run("SELECT 1")
    result.read_all()
    assert not engine.cancel(result.query_id)
    assert not engine.cancel("nonsense")
    seen: list[str] = []
    with pytest.raises(DataLakeError):
        engine.run("SELECT nonsense", on_start=seen.append)
    assert not engine.cancel(seen[0])


def test_explain_says_how_without_running(engine: EmbeddedEngine) -> None:
    plan = engine.explain("SELECT sum(value) FROM population_data WHERE year = ?", [2020])
    assert "population_data: 1 files" in plan
    assert 'FROM "lake"."population_data"' in plan
    assert engine.explain("EXPLAIN SELECT 1").startswith("DuckDB SQL: SELECT 1")
    for sql in ("SHOW TABLES", "EXPLAIN ANALYZE SELECT 1", "DROP TABLE t"):
        with pytest.raises(ValidationError):
            engine.explain(sql)


def test_a_process_ends_quietly_with_an_answer_still_kept() -> None:
    code = f"""
from estat_dagster.query.embedded import EmbeddedEngine
result = EmbeddedEngine(None, "x").run({NUMBERS!r}, limit=3)
print(result.read_all().num_rows, bool(result.cursor))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "3 True\n", "")


def _until(condition: Any) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
