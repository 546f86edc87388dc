"""What the prompt completes: words of SQL, tables, the columns of the tables that are named, and functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from estat_dagster.query.functions import ALLOWED

if TYPE_CHECKING:
    from estat_dagster.query.engine import QueryEngine

_WORD = re.compile(r"[\w$\\]+$")
_NAMES = re.compile(r"\w+")
_AFTER_TABLE_WORD = re.compile(r"\b(FROM|JOIN|DESCRIBE|\\d)\s+\w*$", re.IGNORECASE)
_KEYWORDS = """
    SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET AS AND OR NOT IN IS NULL LIKE BETWEEN CASE WHEN THEN ELSE END
    JOIN LEFT RIGHT FULL CROSS ON USING UNION ALL EXCEPT INTERSECT DISTINCT WITH OVER PARTITION ROWS DESC ASC NULLS
    FIRST LAST CAST TRY_CAST UNNEST VALUES FILTER EXPLAIN DESCRIBE SHOW TABLES DATE TIMESTAMP INTERVAL TRUE FALSE
"""


class SqlCompleter(Completer):
    """Completes the word before the cursor. Tables and columns are asked for once, when they are first needed.

    Args:
        engine: opens the engine.
    """

    def __init__(self, engine: Callable[[], QueryEngine]) -> None:
        self._tables = cache(lambda: tuple(engine().tables()))
        self._columns = cache(lambda table: tuple(engine().describe(table).column("column").to_pylist()))

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Yield what the word can become: the nearest meaning first."""
        found = _WORD.search(document.text_before_cursor)
        word = found[0] if found else ""
        for candidate, kind in self._candidates(document):
            if candidate.lower().startswith(word.lower()):
                yield Completion(candidate, start_position=-len(word), display_meta=kind)

    def _candidates(self, document: Document) -> Iterable[tuple[str, str]]:
        tables = self._tables()
        if _AFTER_TABLE_WORD.search(document.text_before_cursor):
            yield from ((table, "table") for table in tables)
            return
        named = {name.lower() for name in _NAMES.findall(document.text)} & set(tables)
        columns = dict.fromkeys(column for table in sorted(named or tables) for column in self._columns(table))
        yield from ((column, "column") for column in columns)
        yield from ((table, "table") for table in tables)
        yield from ((word, "") for word in _KEYWORDS.split())
        yield from ((f"{name}(", "function") for name in sorted(ALLOWED))
