"""Results of queries whose further rows may still be asked for: kept open under a cursor, a few and not for long.

Rows are read once and handed out in order. The page that was handed out last can be asked for again, as clients do
that lost an answer, so that pages never overlap and never leave a gap, whatever size each has.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from estat_dagster.errors import ValidationError

if TYPE_CHECKING:
    from estat_dagster.query.engine import QueryResult

MOST_OPEN = 8
OPEN_SECONDS = 600.0


class OpenResult:
    """A result that is read page by page.

    Args:
        result: what the engine answers.
        question: what was asked; whoever goes on must ask the same.
        about: what the caller wants to know again with each page.
    """

    def __init__(self, result: QueryResult, question: object, about: Any = None) -> None:
        self.result = result
        self.question = question
        self.about = about
        self.lock = threading.Lock()
        self._rows = _rows(result)
        self._start = 0
        self._shown = 0
        self._waiting: list[list[Any]] = []

    def take(self, offset: int, most: int) -> tuple[list[list[Any]], bool]:
        """Return at most so many rows from an offset, and whether more follow them.

        Raises:
            ValidationError: the rows before the last page, or beyond the next, are asked for.
        """
        if offset not in (self._start, self._start + self._shown):
            raise _expired()
        del self._waiting[: offset - self._start]
        self._start, self._shown = offset, 0
        for row in self._rows:
            self._waiting.append(row)
            if len(self._waiting) > most:
                break
        return self._waiting[:most], len(self._waiting) > most

    def show(self, count: int) -> int:
        """Say how many of the rows taken were handed out, and return the offset of the next page."""
        self._shown = count
        return self._start + count


class OpenResults:
    """Open results by cursor."""

    def __init__(self, *, most: int = MOST_OPEN, seconds: float = OPEN_SECONDS) -> None:
        self._most, self._seconds = most, seconds
        self._open: dict[str, tuple[OpenResult, threading.Timer]] = {}
        self._lock = threading.Lock()

    def keep(self, opened: OpenResult) -> str:
        """Keep a result open and return its key."""
        key = secrets.token_urlsafe(12)
        timer = threading.Timer(self._seconds, self._drop, [key])
        timer.daemon = True
        timer.start()
        with self._lock:
            self._open[key] = (opened, timer)
            oldest = list(self._open)[: -self._most]
        for one in oldest:
            self._drop(one)
        return key

    def find(self, cursor: str, question: object) -> tuple[str, OpenResult, int]:
        """Return the key, the result and the offset that a cursor means.

        Raises:
            ValidationError: it has expired, or belongs to another question.
        """
        key, _, offset = cursor.rpartition(".")
        with self._lock:
            found = self._open.get(key)
        if not found or not offset.isdecimal():
            raise _expired()
        if found[0].question != question:
            raise ValidationError(
                "The cursor belongs to another query.", hint="Pass it with the same arguments as the query before."
            )
        return key, found[0], int(offset)

    def close(self) -> None:
        """Give up every result."""
        with self._lock:
            keys = list(self._open)
        for key in keys:
            self._drop(key)

    def _drop(self, key: str) -> None:
        with self._lock:
            found = self._open.pop(key, None)
        if found:
            opened, timer = found
            timer.cancel()
            with opened.lock:
                opened.result.close()


def _rows(result: QueryResult) -> Iterator[list[Any]]:
    for batch in result.batches:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield list(row)


def _expired() -> ValidationError:
    return ValidationError(
        "The cursor has expired, or its rows were already passed.",
        hint=f"Run the query again without it: a cursor is good for {OPEN_SECONDS / 60:.0f} minutes.",
    )
