"""The door: HTTP on loopback, starting and stopping, and the tables that may change meanwhile.

What is answered is `service`'s. Connections are kept alive, bodies are gzip where the client takes it.
"""

from __future__ import annotations

import gzip
import socket
import sys
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from estat_dagster.errors import ValidationError
from estat_dagster.sandbox import service
from estat_dagster.sandbox.holdings import Catalog, Dataset, Holdings
from estat_dagster.sandbox.model import Table

_KEPT_REQUESTS = 10_000
_GZIP_LEVEL = 1  # on loopback time counts, not size: a third of what level 6 takes


class SeenRequest(NamedTuple):
    """A request that came in: its path, and its parameters without the appId."""

    path: str
    params: Mapping[str, str]


class Sandbox:
    """An e-Stat API on loopback: `with Sandbox() as sandbox: fetch(sandbox.base_url)`.

    Args:
        tables: what it serves; None for the built-in catalogue, and its files.
        host: the address to listen on.
        port: the port, 0 for a free one.

    Attributes:
        requests: the last 10,000 requests, the oldest first.

    Raises:
        ValidationError: it cannot listen there.
    """

    def __init__(self, tables: Iterable[Table] | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        catalogs: tuple[Catalog, ...] = ()
        if tables is None:
            from estat_dagster.sandbox.tables import catalogue, files

            tables, catalogs = catalogue.catalogue(), files.catalogs()
        self.requests: deque[SeenRequest] = deque(maxlen=_KEPT_REQUESTS)
        self._tables = {table.id: table for table in tables}
        self._catalogs = catalogs
        self._datasets: dict[str, Dataset] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        try:
            self._http = _Server((host, port), self)
        except (OSError, OverflowError) as error:
            raise ValidationError(
                f"The sandbox cannot listen on {host}:{port}: {error}.",
                hint="Choose another port, or 0 for any that is free.",
            ) from error

    @property
    def base_url(self) -> str:
        """The address that takes the place of https://api.e-stat.go.jp/rest/3.0/app."""
        return f"{self._origin}{service.BASE_PATH}"

    @property
    def tables(self) -> Mapping[str, Table]:
        """What it serves at this moment, by id."""
        with self._lock:
            return dict(self._tables)

    @property
    def holdings(self) -> Holdings:
        """Everything it serves at this moment."""
        return Holdings(self.tables, self._datasets, self._catalogs, self._origin)

    @property
    def _origin(self) -> str:
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def replace(self, table: Table) -> None:
        """Serve this table from the next request on, in the place of one with the same id."""
        with self._lock:
            self._tables[table.id] = table

    def remove(self, table_id: str) -> None:
        """Serve this table no more, nor the datasets that are parts of it."""
        with self._lock:
            self._tables.pop(table_id, None)
            for dataset in [each for each in self._datasets.values() if each.table_id == table_id]:
                del self._datasets[dataset.id]

    def start(self) -> Sandbox:
        """Serve in a thread that ends with the process."""
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and close the port and every connection."""
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.server_close()

    def serve_forever(self) -> None:
        """Serve in this thread until it is interrupted."""
        try:
            self._http.serve_forever()
        finally:
            self._http.server_close()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    """A thread for each connection. The connections are known, so that closing the server closes them too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for the host's name, as HTTPServer would."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
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
    server: _Server

    def do_GET(self) -> None:
        """Answer a request."""
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        """Answer a request whose parameters are a form in its body."""
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def _answer(self, query: str) -> None:
        path, params = urlsplit(self.path).path, dict(parse_qsl(query))
        app_id = params.pop("appId", "")
        sandbox = self.server.sandbox
        sandbox.requests.append(SeenRequest(path, params))
        self._send(service.respond(self.command, path, app_id, params, sandbox.holdings))

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the line would hold the appId. `Sandbox.requests` has what was asked."""

    def _send(self, response: service.Response) -> None:
        body = response.body
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Vary", "Accept-Encoding")
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
