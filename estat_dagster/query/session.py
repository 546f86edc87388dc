"""A DuckDB for one query, locked down: it can read that query's data files and nothing else.

The guard refuses what could reach further; this is what holds if the guard is wrong. DuckDB's settings keep other
files, the network and extensions out of reach. They let a query that may read a file write it too (`COPY ... TO` with
USE_TMP_FILE false replaces a data file), so that only what DuckDB's own parser takes for one SELECT is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import duckdb

from estat_dagster.errors import ValidationError
from estat_dagster.query.scan import Scan, quoted, select_sql, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

SCHEMA = "lake"


def connect(scans: Mapping[str, Scan], macro_sql: Iterable[str], memory_limit: str, threads: int) -> DuckDBPyConnection:
    """Return a DuckDB that holds one view for each scan and reaches nothing else: no other file, network or setting."""
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "memory_limit": memory_limit,
            "threads": str(threads),
            "temp_directory": "",
            "default_null_order": "nulls_last",
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    files = [path for scan in scans.values() for path in scan.files]
    connection.execute(f"SET allowed_paths = [{', '.join(text(path) for path in files)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute(f"CREATE SCHEMA {SCHEMA}")
    for name, scan in scans.items():
        if scan.rows is None:
            source = select_sql(scan)
        else:
            connection.register(f"{name} rows", scan.rows)
            source = f"SELECT * FROM {quoted(f'{name} rows')}"  # noqa: S608 - quoted
        connection.execute(f"CREATE VIEW {SCHEMA}.{quoted(name)} AS {source}")
    for statement in macro_sql:
        connection.execute(statement)
    connection.execute("SET lock_configuration = true")
    return connection


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
