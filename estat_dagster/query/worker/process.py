"""The processes that run DuckDB, seen from the one that asks: started, waited for, killed, and used again.

To start one takes some tenths of a second, most of it imports: one that answered its question is kept for the next.
"""

from __future__ import annotations

import atexit
import functools
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from estat_dagster.errors import UnknownError
from estat_dagster.query.worker import wire

_START_SECONDS, _PATIENCE_SECONDS = 60.0, 5.0
_MOST_IDLE = 2
_MOST_KEPT_BYTES = 300_000_000
_ROOT = Path(__file__).resolve().parents[3]
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH")


class DiedError(Exception):
    """The process ended before it had answered."""


class Process:
    """A process that runs DuckDB for one query at a time."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        found_in = os.pathsep.join([str(_ROOT), *filter(None, sys.path)])  # what this process imports, it finds too
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "estat_dagster.query.worker", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=kept | {"PYTHONPATH": found_in},
                start_new_session=True,  # Ctrl-C is for the one that asks
            )
        self._line = Connection(ours.detach())
        self._owes = True  # whether a message of it is still to come: the first says that it is ready
        self._asked = False
        self._rest = 0

    def ready(self, seconds: float) -> bool:
        """Wait until a question can be asked, and return whether one can by then."""
        if self._owes:
            try:
                if not self._line.poll(seconds):
                    return False
                self.receive()
            except DiedError:
                return False
        self._rest = self._rest or self._resident()
        return self._process.poll() is None

    def send(self, message: bytes) -> None:
        """Send one message.

        Raises:
            DiedError: the process has ended.
        """
        self._owes = self._asked = True
        try:
            self._line.send_bytes(message)
        except OSError as error:
            raise DiedError from error

    def poll(self, seconds: float) -> bool:
        """Wait for a message, or the end of the process, and return whether there is one."""
        return self._line.poll(seconds)

    def receive(self) -> bytes:
        """Return the message that came.

        Raises:
            DiedError: the process has ended.
        """
        try:
            message = self._line.recv_bytes()
        except (EOFError, OSError) as error:
            raise DiedError from error
        self._owes = False
        return message

    def grown(self) -> int:
        """Return the bytes of memory that it has more than at its start, 0 where the system does not tell."""
        return self._resident() - self._rest

    def kill(self) -> None:
        """End the process at once, whatever it does. Another thread may be waiting for it: it meets DiedError."""
        self._process.kill()

    def how_it_ended(self) -> str:
        """Return what ended the process, for people."""
        code = self._process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def finish(self) -> bool:
        """End the query, and return whether the process can be asked again. It is not while it owes an answer."""
        if self._owes or not self._asked:
            return not self._owes
        try:
            self.send(wire.DONE)
        except DiedError:
            return False
        self._asked = False
        return True

    def close(self) -> str:
        """Kill the process if it is alive, free what belongs to it here, and return what ended it."""
        self.kill()
        ended = self.how_it_ended()
        self._line.close()
        if self._process.stdin:
            self._process.stdin.close()
        return ended

    def _resident(self) -> int:
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[1]
        except OSError:
            return 0
        return int(pages) * mmap.PAGESIZE


class Pool:
    """The processes that run DuckDB for this one, and those of them that nobody asks at the moment.

    Args:
        pid: the process whose they are; one that is forked from it leaves them alone.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._idle: list[Process] = []
        # Whoever drops a result without closing it lets its process be given back while objects are being collected:
        # the process must not be one of them, and any line may be interrupted by it.
        self._all: set[Process] = set()
        self._lock = threading.RLock()

    def start(self) -> None:
        """Let there be a process soon: it starts while its first question is still being made."""
        with self._lock:
            if not self._idle:
                self._idle.append(self._made())

    @contextmanager
    def process(self) -> Iterator[Process]:
        """Give a process for one query.

        Raises:
            UnknownError: it does not start.
        """
        taken = self._take()
        try:
            yield taken
        finally:
            self._put(taken)

    def close(self) -> None:
        """End them all."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            self._idle.clear()
            for one in list(self._all):
                self._end(one)

    def _take(self) -> Process:
        while True:
            with self._lock:
                if not self._idle:
                    break
                taken = self._idle.pop()
            if taken.ready(_PATIENCE_SECONDS) and taken.grown() < _MOST_KEPT_BYTES:
                return taken
            self._end(taken)
        taken = self._made()
        if not taken.ready(_START_SECONDS):
            raise UnknownError(
                f"The process that runs queries does not start: {self._end(taken)}.",
                hint="Run it by hand to see why: `python -m estat_dagster.query.worker`.",
            )
        return taken

    def _put(self, taken: Process) -> None:
        with self._lock:
            keep = len(self._idle) < _MOST_IDLE and taken.finish()
            if keep:
                self._idle.append(taken)
        if not keep:
            self._end(taken)

    def _made(self) -> Process:
        made = Process()
        with self._lock:
            self._all.add(made)
        return made

    def _end(self, process: Process) -> str:
        """Close a process, and return what ended it."""
        with self._lock:
            self._all.discard(process)
        return process.close()


def pool() -> Pool:
    """Return the processes of this process, which end with it."""
    return _pool_of(os.getpid())


@functools.cache
def _pool_of(pid: int) -> Pool:
    made = Pool(pid)
    atexit.register(made.close)
    return made
