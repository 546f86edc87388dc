"""A DuckDB for one query, locked down: it can read that query's data files and nothing else.

The guard refuses what could reach further; this is what holds if the guard is wrong. DuckDB's settings keep other
files, the network and extensions out of reach. They let a query that may read a file write it too (`COPY ... TO` with
USE_TMP_FILE false replaces a data file), so that only what DuckDB's own parser takes for one SELECT is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import duckdb

from estat_dagster.errors import ValidationError
from estat_dagster.query.worker.sql import SCHEMA, Question, literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation


def blank() -> DuckDBPyConnection:
    """Return a DuckDB that holds nothing yet. It takes longer to open one than to furnish it."""
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
            "default_null_order": "nulls_last",
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE SCHEMA {SCHEMA}")
    return connection


def furnish(connection: DuckDBPyConnection, question: Question, tables: Mapping[str, pa.Table]) -> None:
    """Give a blank DuckDB what a question needs, and lock it: it reaches no other file, network or setting any more.

    Args:
        tables: rows that a view may select from, by their names.

    Raises:
        duckdb.Error: a view is not right.
    """
    connection.execute(f"SET memory_limit = {literal(question.memory_limit)}")
    connection.execute(f"SET threads = {question.threads}")
    connection.execute(f"SET allowed_paths = [{', '.join(literal(path) for path in question.files)}]")
    connection.execute("SET enable_external_access = false")
    for name, table in tables.items():
        connection.register(name, table)
    for name, source in question.views.items():
        connection.execute(f"CREATE VIEW {SCHEMA}.{quoted(name)} AS {source}")
    for statement in question.macros:
        connection.execute(statement)
    connection.execute("SET lock_configuration = true")


def select(connection: DuckDBPyConnection, sql: str) -> DuckDBPyRelation:
    """Return the relation of a query, not run yet.

    Raises:
        ValidationError: DuckDB takes it for something else than one SELECT.
        duckdb.Error: it is not right.
    """
    refusal = ValidationError("Only one SELECT is run.", hint="Ask with one SELECT in Athena's SQL.")
    parsed = connection.extract_statements(sql)
    try:
        kinds = [statement.type for statement in parsed]
    except ValueError as error:  # DuckDB's Python has no name for some kinds
        raise refusal from error
    if kinds != [duckdb.StatementType.SELECT]:
        raise refusal
    return connection.sql(sql)
