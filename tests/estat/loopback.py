"""An HTTP server on loopback that answers from a script and can go wrong in every way that a network can."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

CUT, RESET, SILENT, STALLED = "cut", "reset", "silent", "stalled"


@dataclass(frozen=True)
class Reply:
    """One answer.

    `fault`: the body is cut in half, the connection is reset, nothing comes, or nothing comes after half of the body.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


def packed(body: bytes) -> Reply:
    """Return an answer as e-Stat sends it."""
    return Reply(gzip.compress(body, mtime=0), headers={"Content-Encoding": "gzip"})


OVER = Reply(b"the script is over", status=404)


class Seen(NamedTuple):
    """A request that came in."""

    path: str
    params: dict[str, str]
    headers: Mapping[str, str]


class Loopback:
    """Answers the first request with the first reply and so on, or as a function of its parameters."""

    def __init__(self, script: Sequence[Reply] | Callable[[dict[str, str]], Reply]) -> None:
        self.requests: list[Seen] = []
        self.closing = threading.Event()
        self._script = script
        self._lock = threading.Lock()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.loopback = self

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/rest/3.0/app"

    def reply_to(self, seen: Seen) -> Reply:
        with self._lock:
            self.requests.append(seen)
            number = len(self.requests) - 1
        if callable(self._script):
            return self._script(seen.params)
        return self._script[number] if number < len(self._script) else OVER

    def __enter__(self) -> Loopback:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    loopback: Loopback

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hung up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def _answer(self, parameters: str) -> None:
        url = urlsplit(self.path)
        reply = self.server.loopback.reply_to(Seen(url.path, dict(parse_qsl(parameters)), dict(self.headers.items())))
        if reply.fault == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif reply.fault == SILENT:
            self._hold()
        else:
            self._send(reply)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        half = len(reply.body) // 2 if reply.fault else len(reply.body)
        self.wfile.write(reply.body[:half])
        if reply.fault == STALLED:
            self._hold()
        self.close_connection = bool(reply.fault)

    def _hold(self) -> None:
        self.server.loopback.closing.wait(30)
        self.close_connection = True
