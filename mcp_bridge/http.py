"""Serving streamable HTTP: on loopback for whoever is on this machine, elsewhere only for who has the token.

Host and Origin are checked everywhere, so that no web page that a browser shows can talk to the bridge.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from estat_dagster.errors import ValidationError
from mcp_bridge.stdio import end_soon

if TYPE_CHECKING:
    from mcp.server import MCPServer
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.types import ASGIApp, Receive, Scope, Send

LOGGER = logging.getLogger("mcp_bridge")
TOKEN_VARIABLE = "MCP_BRIDGE_TOKEN"  # noqa: S105  a name
SHORTEST_TOKEN = 24
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
GRACE_SECONDS, END_SECONDS = 2, 5
"""How long requests in progress may go on after a signal, and when the process ends whatever still runs."""


@dataclass(frozen=True)
class Door:
    """Where the bridge listens, and whom it lets in.

    Args:
        host: the address to listen on.
        port: 0 for a free one.
        token: what clients send as `Authorization: Bearer ...`; required unless the host is loopback.
        names: the names under which clients reach a host that is not loopback, as they stand in the Host header.

    Raises:
        ValidationError: the door would be open to others.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise ValidationError(
                f"{TOKEN_VARIABLE} has fewer than {SHORTEST_TOKEN} characters.",
                hint="Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'.",
            )
        if self.is_loopback:
            return
        if self.token is None:
            raise ValidationError(
                f"{self.host} is not loopback, and no token protects the bridge.",
                hint=f"Set {TOKEN_VARIABLE}, or listen on 127.0.0.1.",
            )
        if not self.names and self.host in ("0.0.0.0", "::"):  # noqa: S104  said, not bound
            raise ValidationError(
                f"{self.host} is every address of this machine.",
                hint="Say with --allow-host under which names clients reach it, as in bridge.example.jp.",
            )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def security(self) -> TransportSecuritySettings:
        """Return which Host and Origin headers are let in."""
        from mcp.server.transport_security import TransportSecuritySettings

        own = f"[{self.host}]" if ":" in self.host else self.host
        names = LOOPBACK_NAMES if self.is_loopback else tuple(self.names) or (own,)
        hosts = [host for name in names for host in (name, f"{name}:*")]
        schemes = ("http",) if self.is_loopback else ("https", "http")
        return TransportSecuritySettings(
            allowed_hosts=hosts, allowed_origins=[f"{scheme}://{host}" for scheme in schemes for host in hosts]
        )


class TokenGuard:
    """Lets in who sends the token, and tells others nothing."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._expected = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan" or self._is_right(scope):
            await self._app(scope, receive, send)
            return
        headers = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _is_right(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], self._expected)


def build_app(server: MCPServer[Any], door: Door) -> ASGIApp:
    """Return the server as an ASGI application that keeps the door."""
    app = server.streamable_http_app(transport_security=door.security(), host=door.host)
    return TokenGuard(app, door.token) if door.token else app


async def serve_http(server: MCPServer[Any], door: Door) -> None:
    """Serve on `http://host:port/mcp` until a signal comes.

    Raises:
        ValidationError: it cannot listen there.
    """
    import uvicorn

    listener = _listen(door)
    host, port = listener.getsockname()[:2]
    LOGGER.info("Serving on http://%s:%d/mcp", f"[{host}]" if ":" in host else host, port)
    config = uvicorn.Config(
        build_app(server, door),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server_of_http = uvicorn.Server(config)

    async def end_on_signal() -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for _ in signals:
                server_of_http.should_exit = True
                end_soon(END_SECONDS)

    async with anyio.create_task_group() as group:
        group.start_soon(end_on_signal)
        await server_of_http._serve([listener])  # without uvicorn's own signals, which end the process with one
        group.cancel_scope.cancel()


def _listen(door: Door) -> socket.socket:
    try:
        family = socket.getaddrinfo(door.host, door.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((door.host, door.port), family=family)
    except (OSError, OverflowError) as error:
        raise ValidationError(
            f"The bridge cannot listen on {door.host}:{door.port}: {error}.", hint="Choose another --port, 0 for any."
        ) from error
