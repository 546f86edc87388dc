"""The time and memory that a query may take: its process is killed when they are used up, or when somebody cancels it.

DuckDB keeps to its own limit of memory, but does not count the texts that it computes for some 2,000 rows at a time:
how far its process grows is looked at from outside, where the system tells.
"""

from __future__ import annotations

import threading
import time

from estat_dagster.errors import DataLakeError, RequestTimeoutError, UnknownError, ValidationError
from estat_dagster.query.worker.process import DiedError, Process

_BEAT = 0.05


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
        most_bytes: how far a process may grow while it works.
    """

    def __init__(self, seconds: float, most_bytes: float) -> None:
        self._seconds = self._left = seconds
        self._most_bytes = most_bytes
        self._cancelled = False
        self._process: Process | None = None
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """Stop the work that goes on, and any later."""
        with self._lock:
            self._cancelled = True
            if self._process:
                self._process.kill()

    def spend(self, process: Process, *messages: bytes) -> bytes:
        """Send messages to a process and return what it answers, while time is left.

        Raises:
            RequestTimeoutError: the time was used up.
            ValidationError: so was the memory.
            UnknownError: it was cancelled, or the process ended by itself.
        """
        self._set(process)
        started = time.monotonic()
        end = started + self._left
        try:
            if not self._cancelled:
                for message in messages:
                    process.send(message)
                while not process.poll(max(min(_BEAT, end - time.monotonic()), 0)):
                    self._check(process, end)
                answer = process.receive()
        except DiedError as error:
            raise self._ended(process) from error
        finally:
            self._set(None)
            self._left -= time.monotonic() - started
        if self._cancelled:
            raise _cancelled()
        return answer

    def _set(self, process: Process | None) -> None:
        with self._lock:
            self._process = process

    def _check(self, process: Process, end: float) -> None:
        """Kill the process if it has used up what it may."""
        if time.monotonic() >= end:
            process.kill()
            raise RequestTimeoutError(
                f"The query was stopped: it ran longer than {self._seconds:g} s.",
                hint="Narrow it with WHERE on year and region_code, or aggregate before joining.",
            )
        if process.grown() > self._most_bytes:
            process.kill()
            raise too_much_memory()

    def _ended(self, process: Process) -> DataLakeError:
        if self._cancelled:
            return _cancelled()
        return UnknownError(
            f"The process that ran the query ended by itself: {process.how_it_ended()}.",
            hint="Narrow the query; the machine may be short of memory.",
        )


def _cancelled() -> UnknownError:
    return UnknownError("The query was cancelled.")
