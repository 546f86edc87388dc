"""Answers whose further rows may still be asked for: kept open under a token, a few of them and not for long.

Each holds the memory of its engine. Nothing is computed again, so that pages never overlap and never leave a gap.
"""

from __future__ import annotations

import secrets
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from estat_dagster.errors import ValidationError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Rows:
    """Rows that an engine gives.

    Args:
        sql: what ran on the engine.
        schema: names and types of the columns.
        batches: the rows that are left.
        bytes_scanned: bytes of storage that the query had to look at.
    """

    sql: str
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    bytes_scanned: int = 0


@dataclass(frozen=True)
class Answer:
    """An answer that is being given.

    Args:
        query_id: the engine's name for the query.
        question: what was asked; whoever asks for further rows must ask the same.
        rows: the rows that are left.
        close: frees what the engine holds for it.
    """

    query_id: str
    question: str
    rows: Rows
    close: Callable[[], None]


class Cursors:
    """Answers by token. Each token is good once: what it asked for must not come twice.

    Args:
        most: answers kept; one more closes the oldest.
        seconds: how long an answer waits to be asked for.
    """

    def __init__(self, *, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._kept: dict[str, tuple[Answer, threading.Timer]] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._kept)

    def keep(self, answer: Answer) -> str:
        """Return the token under which the rest of an answer is kept."""
        token = secrets.token_urlsafe(16)
        timer = threading.Timer(self._seconds, self._drop, [token])
        timer.daemon = True
        timer.start()
        with self._lock:
            self._kept[token] = (answer, timer)
            oldest = list(self._kept)[: -self._most]
        for one in oldest:
            self._drop(one)
        return token

    def take(self, token: str, question: str) -> Answer:
        """Return the rest of an answer, which is not kept any longer.

        Raises:
            ValidationError: there is none (any more), or it answers another question.
        """
        with self._lock:
            found = self._kept.get(token)
            if found and found[0].question == question:
                del self._kept[token]
        if not found:
            raise ValidationError(
                "The cursor has expired, was used before, or is not of this engine.",
                hint=f"Run the query again without it: it is good once, for {self._seconds:g} s.",
            )
        answer, timer = found
        if answer.question != question:
            raise ValidationError(
                "The cursor belongs to another query.",
                hint="Pass the same SQL, parameters and as_of as the query that gave it.",
            )
        timer.cancel()
        return answer

    def give_up(self, query_id: str) -> None:
        """Close what is kept of a query."""
        with self._lock:
            tokens = [token for token, (answer, _) in self._kept.items() if answer.query_id == query_id]
        for token in tokens:
            self._drop(token)

    def _drop(self, token: str) -> None:
        with self._lock:
            found = self._kept.pop(token, None)
        if found:
            found[1].cancel()
            found[0].close()


def _close_all(kept: dict[str, tuple[Answer, threading.Timer]]) -> None:
    """Close what is still kept when the process ends: DuckDB complains of what it finds open then."""
    for answer, timer in kept.values():
        timer.cancel()
        answer.close()
    kept.clear()
