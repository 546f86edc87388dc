"""Waiting for one's turn: requests of all threads under one pace, and of all processes of a machine under one limit."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout

from estat_dagster.errors import DataLakeError, StorageError
from estat_dagster.estat.pace import RAMP, Pace

SECONDS_BETWEEN_LOOKS = 0.02


class Slots:
    """At most so many requests at once on this machine, whichever process makes them.

    A slot is a lock file; the system frees it when its holder dies, however it dies.

    Args:
        folder: where the lock files are; every process that names it shares the slots.
        count: how many there are.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._count = folder, count

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot; wait until one is free.

        Raises:
            StorageError: the folder cannot be written.
        """
        lock = self._take()
        while lock is None:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            lock = self._take()
        try:
            yield
        finally:
            lock.release()

    def _take(self) -> FileLock | None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number in random.sample(range(self._count), self._count):
                lock = FileLock(self._folder / f"{number}.lock", thread_local=False)
                try:
                    lock.acquire(blocking=False)
                except Timeout:
                    continue
                return lock
        except OSError as error:
            raise StorageError(
                f"The slots of parallel requests in {self._folder} cannot be used: {error.strerror or error}.",
                hint="Check that the folder for temporary files can be written, or set TMPDIR to one that can.",
            ) from error
        return None


class Turns:
    """The gate that every request of a client goes through.

    Args:
        pace: decides how many may be inside.
        slots: the machine's limit; None has none.
    """

    def __init__(self, pace: Pace, slots: Slots | None = None) -> None:
        self._pace, self._slots = pace, slots
        self._changed = threading.Condition()
        self._inside = 0
        self._changed_at = time.monotonic()

    @contextmanager
    def turn(self, kind: Hashable = None) -> Iterator[None]:
        """Make a request inside: the time it takes, or an error that a retry may mend, tells the pace."""
        with self._changed:
            while not self._changed.wait_for(lambda: self._inside < self._pace.degree, RAMP):
                self._grow()
            self._inside += 1
        number, troubled, seconds = 0, False, 0.0
        try:
            with self._slots.slot() if self._slots else nullcontext():
                with self._changed:
                    number = self._pace.begin()
                started = time.monotonic()
                try:
                    yield
                except DataLakeError as error:
                    troubled = error.can_retry
                    raise
                finally:
                    seconds = time.monotonic() - started
        finally:
            with self._changed:
                self._inside -= 1
                if troubled:
                    self._pace.troubled(number)
                elif number:
                    self._pace.answered(seconds, kind)
                self._changed_at = time.monotonic()
                self._changed.notify_all()

    def _grow(self) -> None:
        """Let one more in where nothing has happened for a while, however many threads have seen that."""
        if time.monotonic() - self._changed_at >= RAMP:
            self._changed_at = time.monotonic()
            self._pace.waited()
            self._changed.notify_all()
