"""The time that a query may take: what stops DuckDB when it is used up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from estat_dagster.errors import RequestTimeoutError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BEAT = 0.05


class Budget:
    """Seconds of DuckDB's work. The time in which a caller looks at the rows it has is not counted."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._left = seconds

    @contextmanager
    def spend(self, connection: DuckDBPyConnection) -> Iterator[None]:
        """Let the connection work while time is left.

        Raises:
            RequestTimeoutError: the time was used up, and the query stopped.
        """
        done = threading.Event()
        watch = threading.Thread(target=_interrupt, args=(connection, done, self._left), daemon=True)
        started = time.monotonic()
        watch.start()
        try:
            yield
        except duckdb.InterruptException as error:
            raise RequestTimeoutError(
                f"The query was stopped: it ran longer than {self._seconds:g} s.",
                hint="Narrow it with WHERE on year and region_code, or aggregate before joining.",
            ) from error
        finally:
            done.set()
            watch.join()
            self._left -= time.monotonic() - started


def _interrupt(connection: DuckDBPyConnection, done: threading.Event, seconds: float) -> None:
    """Interrupt again and again: an interrupt that meets DuckDB between two phases of a query is forgotten."""
    if not done.wait(max(seconds, 0)):
        connection.interrupt()
        while not done.wait(_BEAT):
            connection.interrupt()
