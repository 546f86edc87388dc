"""PostgreSQL and Redis as Debian ships them, on loopback: they are killed, and started again over what they had."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest

from estat_dagster.services import free_port

HOST, PASSWORD = "127.0.0.1", "a-word-for-dagster"
SECONDS = 60.0


def find(name: str, package: str) -> str:
    """Return the path of a program; the test is skipped, and says so, where there is none."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), Path("/usr/sbin")]
    path = os.pathsep.join([*map(str, places), os.environ["PATH"]])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"there is no {name}: apt-get install {package}")
    return found


class Store:
    """A server in a process of its own."""

    def __init__(
        self, command: Sequence[str], folder: Path, ready: Callable[[], object], user: str | None = None
    ) -> None:
        self._command, self._folder, self._ready, self._user = command, folder, ready, user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=log, stderr=log, user=self._user, start_new_session=True
            )
        wait_for(self._ready, SECONDS)

    def kill(self) -> None:
        """Kill it with SIGKILL, and what it started."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def running(store: Store) -> Iterator[None]:
    """Run a server while the block does."""
    store.start()
    try:
        yield
    finally:
        store.kill()


@contextmanager
def postgres() -> Iterator[tuple[Store, int]]:
    """Run a PostgreSQL with an empty database `dagster` for the user of that name, and give it with its port."""
    program, port = find("postgres", "postgresql"), free_port()
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to be root's
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD, "utf-8")
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
            (folder / "password").chmod(0o644)
        making = [str(Path(program).with_name("initdb")), "-D", f"{name}/data", "-U", "dagster", "-A", "scram-sha-256"]
        subprocess.run([*making, f"--pwfile={name}/password"], cwd=folder, user=user, check=True, capture_output=True)
        command = [program, "-D", f"{name}/data", "-h", HOST, "-p", str(port), "-k", name]
        store = Store(command, folder, lambda: _connect(port, "postgres").close(), user)
        with running(store):
            connection = _connect(port, "postgres")
            connection.autocommit = True
            connection.cursor().execute("CREATE DATABASE dagster")
            connection.close()
            yield store, port


@contextmanager
def redis(folder: Path, command: str) -> Iterator[tuple[Store, int]]:
    """Run a Redis by its command, such as `redis-server --appendonly yes`, and give it with its port."""
    (name, *options), port = command.split(), free_port()
    folder.mkdir()
    words = [find(name, "redis-server"), *options, "--bind", HOST, "--port", str(port), "--dir", str(folder)]
    store = Store(words, folder, lambda: _ping(port))
    with running(store):
        yield store, port


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    """Wait until a condition holds; one that raises does not hold yet."""
    end, told = time.monotonic() + seconds, "it does not hold"
    while time.monotonic() < end:
        try:
            if condition() in (None, True):
                return
        except Exception as error:
            told = repr(error)
        time.sleep(0.3)
    raise AssertionError(f"not in {seconds} s: {told}")


def _connect(port: int, database: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(host=HOST, port=port, user="dagster", password=PASSWORD, dbname=database, connect_timeout=3)


def _ping(port: int) -> bool:
    from redis import Redis

    with Redis(HOST, port, socket_timeout=3) as client:
        return bool(client.ping())
