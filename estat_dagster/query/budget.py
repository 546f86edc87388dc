"""The time and memory that a query may take: what stops DuckDB when they are used up, or when somebody cancels it.

DuckDB keeps to its own limit of memory, but does not count the texts that it computes for some 2,000 rows at a time:
how far the process grows is looked at beside it, where the system tells.
"""

from __future__ import annotations

import math
import mmap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from estat_dagster.errors import DataLakeError, RequestTimeoutError, UnknownError, ValidationError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BEAT = 0.05
_STATM = Path("/proc/self/statm")  # of Linux


def too_much_memory() -> ValidationError:
    """Return the error for a query that takes more memory than it may."""
    return ValidationError(
        "The query needs more memory than it may use.",
        hint="Narrow it with WHERE, aggregate before joining, or ask for fewer columns.",
    )


class Budget:
    """Seconds of DuckDB's work. The time in which a caller looks at the rows it has is not counted.

    Args:
        seconds: the most.
        most_bytes: how far the process may grow while it works; whatever else runs in the process is counted too.
    """

    def __init__(self, seconds: float, most_bytes: float = math.inf) -> None:
        self._seconds = seconds
        self._left = seconds
        self._cancelled = False
        self._grown = False
        self._most = _resident() + most_bytes
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
        self._grown = False
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
        end = time.monotonic() + self._left
        with self._changed:
            while not (done.is_set() or self._cancelled or self._grown or time.monotonic() >= end):
                self._changed.wait(min(_BEAT, max(end - time.monotonic(), 0)))
                self._grown = _resident() > self._most
        while not done.is_set():
            connection.interrupt()
            done.wait(_BEAT)

    def _stopped(self) -> DataLakeError:
        if self._cancelled:
            return UnknownError("The query was cancelled.")
        if self._grown:
            return too_much_memory()
        return RequestTimeoutError(
            f"The query was stopped: it ran longer than {self._seconds:g} s.",
            hint="Narrow it with WHERE on year and region_code, or aggregate before joining.",
        )


def _resident() -> int:
    """Return the bytes of memory that the process has, 0 where the system does not tell."""
    try:
        return int(_STATM.read_text("ascii").split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0
