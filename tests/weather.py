"""Bad weather before moto: an HTTP proxy on loopback that passes requests on, or answers as a troubled AWS does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """What a client asked: of S3 a method and a path, of Glue an action."""

    method: str
    path: str
    glue: str

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "POST") and not self.glue


@dataclass(frozen=True)
class Fault:
    """An answer that AWS gives in trouble; `hang` waits before it and `drop` gives none."""

    status: int = 200
    s3_code: str = ""
    glue_code: str = ""
    hang: float = 0
    drop: bool = False

    def body(self, request: Request) -> bytes:
        if request.glue:
            return f'{{"__type": "{self.glue_code}", "message": "{self.glue_code} of the test"}}'.encode()
        return f"<?xml version='1.0'?><Error><Code>{self.s3_code}</Code><Message>of the test</Message></Error>".encode()


SLOW_DOWN = Fault(503, "SlowDown", "ThrottlingException")
EXPIRED = Fault(400, "ExpiredToken", "ExpiredTokenException")
DENIED = Fault(403, "AccessDenied", "AccessDeniedException")
CONCURRENT = Fault(400, "", "ConcurrentModificationException")
DROPPED = Fault(drop=True)


@dataclass
class Weather:
    """Decides which requests meet which fault; fair until told otherwise."""

    endpoint: str = ""
    target: str = ""
    seen: list[Request] = field(default_factory=list)
    faults: int = 0
    _rule: Callable[[Request], Fault | None] = lambda request: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def storm(self, fault: Fault, where: Callable[[Request], bool], times: int = 1_000_000) -> Iterator[None]:
        """Let the first requests of a kind meet a fault, and pass on all others."""
        left = times

        def rule(request: Request) -> Fault | None:
            nonlocal left
            if left > 0 and where(request):
                left -= 1
                return fault
            return None

        self._rule, self.faults = rule, 0
        try:
            yield
        finally:
            self._rule = lambda request: None

    def judge(self, request: Request) -> Fault | None:
        with self._lock:
            self.seen.append(request)
            fault = self._rule(request)
            self.faults += fault is not None
            return fault


@contextmanager
def bad_weather(target: str) -> Iterator[Weather]:
    """Serve on a free port before a server, until the block ends."""
    weather = Weather(target=urlsplit(target).netloc)
    handler = type("Handler", (_Handler,), {"weather": weather})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    weather.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield weather
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    weather: ClassVar[Weather]
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self._read()
        action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        request = Request(self.command, self.path, action)
        fault = self.weather.judge(request)
        if fault is None:
            self._pass_on(body)
        elif fault.drop:
            self.close_connection = True
        else:
            time.sleep(fault.hang)
            self._answer(fault.status, [("Content-Type", "application/xml")], fault.body(request))

    def _read(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return chunks

    def _pass_on(self, body: bytes) -> None:
        connection = HTTPConnection(self.weather.target, timeout=60)
        hop = {"transfer-encoding", "expect", "connection", "content-length"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in hop}
        connection.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
        answer = connection.getresponse()
        content = answer.read()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in hop]
        if self.command == "HEAD":
            kept.append(("Content-Length", answer.getheader("Content-Length", "0")))
        self._answer(answer.status, kept, content)
        connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve  # noqa: N815  the names are the server's

    def log_message(self, *words: object) -> None:
        """Say nothing."""
