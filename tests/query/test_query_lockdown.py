"""What holds when the guard is wrong: DuckDB itself reaches nothing but the data files of the query."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import query_statements
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import EqualTo
from query_lake import NAMESPACE, numbers, rows

from estat_dagster.errors import DataLakeError, ValidationError
from estat_dagster.query import guard, translate
from estat_dagster.query.embedded import EmbeddedEngine
from estat_dagster.query.scan import plan, select_sql
from estat_dagster.query.worker.session import blank, furnish, select
from estat_dagster.query.worker.sql import Question

CANARY = "canary-5417"
ATTACKS = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/hostname')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('{other}')",
    "SELECT * FROM '{other}'",
    "SELECT * FROM parquet_metadata('{other}')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM read_csv('/dev/stdin')",
    "SELECT * FROM read_csv('http://127.0.0.1:9/x')",
    "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "SELECT getenv('HOME')",
    "SELECT * FROM python_object",
    "SELECT * FROM sqlite_scan('{folder}/catalog.db', 'iceberg_tables')",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "COPY (SELECT 1 AS a) TO '{planned}' (FORMAT parquet, USE_TMP_FILE false)",
    "COPY (SELECT 1 AS a) TO '{planned}' (FORMAT csv, USE_TMP_FILE false)",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}'",
    "ATTACH '{folder}/new.db'",
    "ATTACH '{planned}' AS x",
    "ATTACH ':memory:' AS x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{folder}/x.duckdb_extension'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET allowed_paths = ['/etc/passwd']",
    "SET memory_limit = '100GB'",
    "SET threads = 64",
    "SET python_enable_replacements = true",
    "SET VARIABLE x = 1",
    "RESET enable_external_access",
    "PRAGMA enable_profiling",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW lake.labor_data AS SELECT 1 AS year",
    "CREATE SECRET s (TYPE http, BEARER_TOKEN 'x')",
    "DROP VIEW lake.labor_data",
    "DROP SCHEMA lake CASCADE",
    "CALL enable_logging(storage = 'file', storage_path = '{folder}/logs')",
    "SELECT 1; COPY (SELECT 1) TO '{folder}/out.csv'",
    "WITH w AS (DELETE FROM lake.labor_data RETURNING *) SELECT * FROM w",
]


@pytest.fixture(scope="module")
def session(lake: Catalog) -> Iterator[duckdb.DuckDBPyConnection]:
    table = lake.load_table((NAMESPACE, "population_data"))
    scan = plan(table, EqualTo("year", 2020))
    question = Question("", {"population_data": select_sql(scan)}, list(scan.files), [], "200MB", 1)
    with blank() as connection:
        furnish(connection, question, {})
        yield connection


@pytest.fixture(scope="module")
def places(lake: Catalog) -> dict[str, str]:
    files = {}
    table = lake.load_table((NAMESPACE, "population_data"))
    for year, name in ((2020, "planned"), (2019, "other")):
        task = next(iter(table.scan(EqualTo("year", year)).plan_files()))
        files[name] = task.file.file_path.removeprefix("file://")
    home = Path(files["planned"])
    while not (home / "catalog.db").exists():
        home = home.parent
    return {**{name: path.replace("'", "''") for name, path in files.items()}, "folder": str(home).replace("'", "''")}


@pytest.fixture
def untouched(places: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Files and the environment, and the proof that nothing wrote to them."""
    planned = Path(places["planned"].replace("''", "'"))
    home = Path(places["folder"].replace("''", "'"))
    before = planned.read_bytes(), sorted(home.iterdir())
    monkeypatch.setenv("HOME", f"/{CANARY}")
    monkeypatch.setenv("A", CANARY)
    monkeypatch.chdir(tmp_path)
    yield
    assert (planned.read_bytes(), sorted(home.iterdir())) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("attack", ATTACKS)
def test_duckdb_itself_refuses(session: duckdb.DuckDBPyConnection, places: dict[str, str], attack: str) -> None:
    python_object = [1]
    assert python_object
    with pytest.raises((duckdb.Error, ValidationError)):
        select(session, attack.format(**places)).fetchall()


@pytest.mark.usefixtures("untouched")
def test_what_the_guard_refuses_does_no_harm_if_it_passes(session: duckdb.DuckDBPyConnection) -> None:
    """DuckDB may answer some of them, and tells nothing of other files and the environment then, and keeps nothing."""
    before = _state(session)
    answers = {
        attack: _told(session, attack) for name in ("acting", "reaching") for attack in query_statements.read(name)
    }
    for secret in ("root:", CANARY, "catalog.db", "/etc/"):
        assert [attack for attack, told in answers.items() if secret in told] == []
    assert _state(session) == before
    assert sum(map(bool, answers.values())) > 10


def _told(session: duckdb.DuckDBPyConnection, attack: str) -> str:
    stop = threading.Timer(0.5, session.interrupt)
    stop.start()
    try:
        return str(select(session, attack).limit(1000).fetchall())
    except (duckdb.Error, DataLakeError):
        return ""
    finally:
        stop.cancel()


def _state(session: duckdb.DuckDBPyConnection) -> list[object]:
    """Return all that a statement could have changed in DuckDB."""
    return [
        session.sql(sql).fetchall()
        for sql in (
            "SELECT name, value FROM duckdb_settings() WHERE name NOT LIKE '%log%' ORDER BY 1",
            "SELECT database_name, path FROM duckdb_databases() ORDER BY 1",
            "SELECT table_name FROM duckdb_tables() ORDER BY 1",
            "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY 1",
            "SELECT function_name FROM duckdb_functions() WHERE NOT internal ORDER BY 1",
            "SELECT * FROM duckdb_variables()",
            "SELECT count(*), sum(value) FROM lake.population_data",
        )
    ]


@pytest.mark.parametrize("sql", query_statements.read("names"))
def test_a_name_is_only_a_name(engine: EmbeddedEngine, sql: str) -> None:
    with pytest.raises(ValidationError, match=r"no table|no column|does not exist"):
        engine.run(sql).read_all()


@pytest.mark.parametrize(
    "attack", [attack for attack in ATTACKS if attack.startswith(("SET e", "SET l", "SET m", "LOAD"))]
)
def test_duckdbs_settings_are_locked(session: duckdb.DuckDBPyConnection, places: dict[str, str], attack: str) -> None:
    with pytest.raises(duckdb.Error):
        session.execute(attack.format(**places))


def test_the_session_reads_what_it_is_for(session: duckdb.DuckDBPyConnection) -> None:
    assert select(session, "SELECT count(*) FROM lake.population_data").fetchall() == [(4,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT getenv('HOME')",
        "SELECT content FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM 'x.parquet'",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM sqlite_master",
        "WITH w AS (DELETE FROM labor_data) SELECT 1",
        "SELECT 1 FROM labor_data WHERE read_text('/etc/passwd') IS NULL",
    ],
)
def test_the_engine_refuses_with_the_guard_switched_off(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.setattr(guard, "_check_node", lambda *_: None)
    with pytest.raises(DataLakeError):
        engine.run(sql).read_all()
    assert rows(engine, "SELECT count(*) FROM labor_data") == [(2,)]


def test_the_engine_refuses_with_guard_and_translation_switched_off(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_check_node", lambda *_: None)
    monkeypatch.setattr(translate, "to_duckdb", lambda _: "SELECT content FROM read_text('/etc/hostname')")
    with pytest.raises(DataLakeError, match="could not be read"):
        engine.run("SELECT 1").read_all()
    monkeypatch.setattr(translate, "to_duckdb", lambda _: "COPY (SELECT 1) TO '/tmp/x'")
    with pytest.raises(ValidationError, match="Only one SELECT"):
        engine.run("SELECT 1").read_all()


def test_a_query_that_needs_too_much_memory_is_told_so_and_spills_nothing(
    lake: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    engine = EmbeddedEngine(lake, NAMESPACE, memory_limit="60MB", threads=1)
    values = f"SELECT x, CAST(x AS varchar) || 'xxxxxxxxxxxxxxxxxxxx' AS s FROM ({numbers(1000)})"
    with pytest.raises(ValidationError, match="needs more memory"):
        engine.run(f"SELECT * FROM ({values}) ORDER BY s").read_all()
    assert list(tmp_path.iterdir()) == []
