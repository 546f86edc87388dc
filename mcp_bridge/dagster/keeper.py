"""The process that keeps a Dagster running for as long as a bridge holds on to it.

`python -m mcp_bridge.dagster.keeper SOCKET HOME LAKE` starts web server and daemon on loopback, tells whoever connects
to the socket where they are, and ends them when the last connection closes: a bridge that is killed lets go as well.
Several bridges share one Dagster. Only the standard library is imported, and what starts services by it alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from estat_dagster.services import HOST, TICK_SECONDS, answers, free_port, make_tables, start_service, stop_services

LONELY_SECONDS = 20.0
STOP_SECONDS = 10.0
WORKSPACE = """\
load_from:
  - python_module:
      module_name: estat_dagster.definitions
      location_name: estat
"""


class Keeper:
    """Keeps the services, and counts who holds on to them.

    Args:
        listener: the socket where bridges connect.
        services: the processes, each leading a session of its own.
        facts: what a bridge is told when the web server answers; its `url` is where that is.
    """

    def __init__(self, listener: socket.socket, services: list[subprocess.Popen[bytes]], facts: dict[str, str]) -> None:
        self._listener, self._services, self._facts = listener, services, facts
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._clients: set[socket.socket] = set()
        self._ready = False
        self._lonely_since = time.monotonic()

    def run(self) -> None:
        """Serve until nobody holds on any more, or a service ends."""
        while not self._is_lonely():
            for key, _ in self._selector.select(TICK_SECONDS):
                self._on_readable(key.fileobj)
            if any(service.poll() is not None for service in self._services):
                return self._tell({"error": "A process of Dagster ended at once."})
            if not self._ready and answers(self._facts["url"]):
                self._ready = True
                self._tell(self._facts)
        return None

    def _on_readable(self, found: object) -> None:
        if found is self._listener:
            client, _ = self._listener.accept()
            self._clients.add(client)
            self._selector.register(client, selectors.EVENT_READ)
            if self._ready:
                _send(client, self._facts)
        elif isinstance(found, socket.socket) and not _receive(found):
            self._selector.unregister(found)
            self._clients.discard(found)
            found.close()
            self._lonely_since = time.monotonic()

    def _is_lonely(self) -> bool:
        patience = 0.0 if self._ready else LONELY_SECONDS
        return not self._clients and time.monotonic() - self._lonely_since > patience

    def _tell(self, facts: dict[str, str]) -> None:
        for client in self._clients:
            _send(client, facts)


def main(socket_path: Path, home: Path, lake: str) -> None:
    """Keep a Dagster, alone on this socket."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with _alone(socket_path.with_suffix(".lock")), _listening(socket_path) as listener:
        port = free_port()
        services: list[subprocess.Popen[bytes]] = []
        (workspace := socket_path.with_suffix(".yaml")).write_text(WORKSPACE, "utf-8")
        web = ["dagster-webserver", "-h", HOST, "-p", str(port), "-w", str(workspace)]
        daemon = ["dagster-daemon", "run", "-w", str(workspace)]
        facts = {"url": f"http://{HOST}:{port}", "lake": lake, "keeper": f"{os.getpid()}-{time.time():.0f}"}
        try:
            make_tables(home)
            services += [start_service(web, home), start_service(daemon, home)]
            Keeper(listener, services, facts).run()
        finally:
            socket_path.unlink(missing_ok=True)
            listener.close()
            stop_services(services, STOP_SECONDS)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until the keeper of before has stopped everything."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """Listen on a socket that only this user can open; end where another keeper came first."""
    with socket.socket(socket.AF_UNIX) as listener:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen()
        yield listener


def _send(client: socket.socket, facts: dict[str, str]) -> None:
    with contextlib.suppress(OSError):
        client.sendall(json.dumps(facts).encode() + b"\n")


def _receive(client: socket.socket) -> bytes:
    try:
        return client.recv(1024)
    except OSError:
        return b""


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
