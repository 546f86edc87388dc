"""Dagster's services as processes: started, waited for, and ended with whatever they started.

Nothing but the standard library is imported: the bridge's keeper is a process of its own that starts at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

HOST = "127.0.0.1"
TICK_SECONDS = 0.25
STORAGE = Path("data/dagster/storage")
PATIENCE = {"DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR": "1"}
"""A daemon that starts while the code server does lets a backfill wait for it; without this it cancels the rest."""


def free_port() -> int:
    """Return a port of loopback that nothing listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """Return where a program of this Python's environment is."""
    return str(Path(sys.executable).with_name(name))


def start_service(
    command: Sequence[str], home: Path, environment: Mapping[str, str] | None = None, log: IO[bytes] | int | None = None
) -> subprocess.Popen[bytes]:
    """Start a program of this Python's environment in a folder; it leads a session and ends when its parent dies.

    Args:
        environment: None is this process's own.
        log: where it writes, or `subprocess.PIPE`; None is where this process does.
    """
    return subprocess.Popen(
        [program(command[0]), *command[1:]],
        cwd=home,
        env={**(os.environ if environment is None else environment), **PATIENCE},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=None if log is None else subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )


def make_tables(home: Path, environment: Mapping[str, str] | None = None) -> None:
    """Make Dagster's tables in a new home before any service starts: two processes that make them at once break them.

    That is so with SQLite. On Postgres Dagster itself tries again, and `dagster instance migrate` makes them first.

    Raises:
        subprocess.CalledProcessError: Dagster could not make them; its words are on stderr.
    """
    folder, settings = home / STORAGE, home / "dagster.yaml"
    if not settings.exists() or "sqlite:" not in settings.read_text("utf-8"):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(folder.rglob("*.db")):
            given = {**(os.environ if environment is None else environment), "DAGSTER_HOME": str(home)}
            command = [program("dagster"), "instance", "info"]
            subprocess.run(command, cwd=home, env=given, stdout=subprocess.DEVNULL, check=True)


def answers(url: str) -> bool:
    """Whether a Dagster web server answers there."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/server_info", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop_services(services: Iterable[subprocess.Popen[bytes]], seconds: float) -> None:
    """End services and whatever they started: politely, then not."""
    running = list(services)
    for service in running:
        if service.poll() is None:
            service.terminate()
    end = time.monotonic() + seconds
    for service in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.wait(max(0.1, end - time.monotonic()))
    for service in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.pid, signal.SIGKILL)
        service.wait()


def _die_with_parent() -> None:
    """Ask Linux to end the service when its parent is killed; elsewhere it stays until it is stopped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
