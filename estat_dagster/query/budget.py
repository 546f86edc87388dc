"""The time that a query may take: what stops DuckDB when it is used up, or when somebody cancels the query."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from estat_dagster.errors import DataLakeError, RequestTimeoutError, UnknownError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BEAT = 0.05


class Budget:
    """Seconds of DuckDB's work. The time in which a caller looks at the rows it has is not counted."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._left = seconds
        self._cancelled = False
        self._changed = threading.Condition()

    def cancel(self) -> None:
        """Stop the work that goes on, and any later."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    @contextmanager
    def spend(self, connection: DuckDBPyConnection) -> Iterator[None]:
        """Let the connection work while time is left.

        Raises:
            RequestTimeoutError: the time was used up, and the query stopped.
            UnknownError: it was cancelled.
        """
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(connection, done), daemon=True)
        started = time.monotonic()
        watch.start()
        try:
            yield
        except duckdb.InterruptException as error:
            raise self._stopped() from error
        finally:
            with self._changed:
                done.set()
                self._changed.notify_all()
            watch.join()
            self._left -= time.monotonic() - started
        if self._cancelled:
            raise self._stopped()

    def _watch(self, connection: DuckDBPyConnection, done: threading.Event) -> None:
        """Interrupt again and again: an interrupt that meets DuckDB between two phases of a query is forgotten."""
        with self._changed:
            self._changed.wait_for(lambda: done.is_set() or self._cancelled, max(self._left, 0))
        while not done.is_set():
            connection.interrupt()
            done.wait(_BEAT)

    def _stopped(self) -> DataLakeError:
        if self._cancelled:
            return UnknownError("The query was cancelled.")
        return RequestTimeoutError(
            f"The query was stopped: it ran longer than {self._seconds:g} s.",
            hint="Narrow it with WHERE on year and region_code, or aggregate before joining.",
        )
