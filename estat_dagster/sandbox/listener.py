"""The socket side of the sandbox: connections that are kept alive, requests read, answers sent."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from estat_dagster.sandbox.delivery import Delivery, send


class Answering(Protocol):
    """What answers the requests that a listener reads."""

    def answer(self, method: str, path: str, app_id: str, params: Mapping[str, str], *, as_gzip: bool) -> Delivery:
        """Return what a request is answered with."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class Listener(ThreadingHTTPServer):
    """A thread for each connection. The connections are known, so that closing the server closes them too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Answering) -> None:
        self.sandbox = sandbox
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for the host's name, as HTTPServer would."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, which is known from now on."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Close the port and every connection."""
        super().server_close()
        for connection in tuple(self._connections):
            self.shutdown_request(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, but for a client that hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, writes a response."""

    protocol_version = "HTTP/1.1"
    server_version = "estat-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    server: Listener

    def do_GET(self) -> None:
        """Answer a request."""
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        """Answer a request whose parameters are a form in its body."""
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def _answer(self, query: str) -> None:
        path, params = urlsplit(self.path).path, dict(parse_qsl(query))
        app_id = params.pop("appId", "")
        as_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
        sandbox = self.server.sandbox
        send(sandbox.answer(self.command, path, app_id, params, as_gzip=as_gzip), self, sandbox.wait)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the line would hold the appId. `Sandbox.requests` has what was asked."""
