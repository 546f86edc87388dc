"""The SQL that a query's process is asked, and how names and texts are written in it."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA = "lake"


@dataclass(frozen=True)
class Question:
    """What DuckDB is asked.

    Args:
        sql: the query, in DuckDB's SQL; it names views of the schema `SCHEMA`.
        views: the SELECT behind each view.
        files: paths of the files that may be read.
        macros: SQL that creates the macros that it needs.
        memory_limit: the most memory, as DuckDB writes it.
        threads: threads to work with.
        plan: whether only its plan is wanted.
    """

    sql: str
    views: dict[str, str]
    files: list[str]
    macros: list[str]
    memory_limit: str
    threads: int
    plan: bool = False


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
