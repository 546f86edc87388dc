"""The guard: an ASGI application in front of Dagster's, which has neither authentication nor checks of Origin and Host.

Refused are: a Host that is not ours (DNS rebinding), an Origin that is not ours (other sites in the browser),
whoever does not identify, a change by GET or HEAD or in a form that a foreign page can send, any change by a viewer.
Websockets pass the same checks, and carry subscriptions only. No page may show an answer in a frame (clickjacking).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from graphql import OperationType
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from estat_dagster.serving.documents import document_of, is_reading, operations
from estat_dagster.serving.doors import COOKIE, Doors, Role, session
from estat_dagster.serving.pages import LOGIN

OPEN_PATHS = {"/healthz"}
POLICY_VIOLATION = 1008
MOST_BYTES, MOST_FORM_BYTES = 10_000_000, 10_000
WITHOUT_OPERATION = ("connection_init", "connection_terminate", "stop")
"""The messages of a websocket that carry no operation."""
NAME_OF_OPERATION = "op"
"""What Dagster's pages add to the address of a request, for whoever reads logs; its server never looks at it."""


class Guard:
    """Lets through to `app` what may pass; its scope says `estat.role`.

    Args:
        app: Dagster's web server.
        doors: how people get in.
        hosts: the names by which this server is reached, with the port where it is not the usual one.
        read_only: nobody may change anything here.
    """

    def __init__(self, app: ASGIApp, doors: Doors, hosts: Collection[str], *, read_only: bool = False) -> None:
        self._app, self._doors, self._hosts, self._read_only = app, doors, {host.lower() for host in hosts}, read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection, or let it through."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        connection, send = HTTPConnection(scope), _unframed(send)
        if scope["type"] == "http" and scope["path"] in OPEN_PATHS:
            await PlainTextResponse("ok")(scope, receive, send)
        elif words := self._is_foreign(connection.headers):
            await _refuse(scope, receive, send, 403, words)
        elif scope["type"] == "http" and scope["path"] == "/login":
            await self._login(scope, receive, send)
        elif (role := self._role(connection)) is None:
            await self._ask_who(connection, scope, receive, send)
        else:
            scope["estat.role"] = Role.VIEWER if self._read_only else role
            await self._pass(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> str:
        """Return why a request does not come from this server's own pages or from a program; "" where it does."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "This server is not known by that Host. Name it with --allow-host."
        for origin in headers.getlist("origin"):
            if urlsplit(origin).netloc.lower() not in self._hosts:
                return "Pages of other sites may not ask this server."
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
            return "Pages of other sites may not ask this server."
        return ""

    def _role(self, connection: HTTPConnection) -> Role | None:
        headers, peer = connection.headers, connection.client.host if connection.client else ""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._doors.role_of_token(token.strip())
        if role := self._doors.role_of_cookie(connection.cookies.get(COOKIE, "")):
            return role
        names = headers.getlist(self._doors.proxy_header) if self._doors.proxy_header else []
        return self._doors.role_of_proxy(peer, names[0]) if len(names) == 1 else None

    async def _ask_who(self, connection: HTTPConnection, scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and "text/html" in connection.headers.get("accept", "")
        if page and self._doors.tokens:
            await RedirectResponse("/login", 303)(scope, receive, send)
        else:
            await _refuse(scope, receive, send, 401, "A token is needed: Authorization: Bearer TOKEN.")

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response: Response = HTMLResponse(LOGIN.replace("{words}", ""))
        if request.method == "POST":
            form = await _read(receive, MOST_FORM_BYTES)
            given = QueryParams(form.decode(errors="replace")).get("token", "")
            if len(form) > MOST_FORM_BYTES:
                response = PlainTextResponse("That is too much.", 413)
            elif self._doors.role_of_token(given):
                response = RedirectResponse("/", 303)
                secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
                response.set_cookie(COOKIE, session(given), httponly=True, samesite="lax", secure=secure)
            else:
                response = HTMLResponse(LOGIN.replace("{words}", "That is not the token."), 401)
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._app(scope, _only_subscriptions(receive), send)
            return
        body = b""
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            body = await _read(receive, MOST_BYTES)
            receive = _replay(body, receive)
        status, words = _why_not(scope, Headers(scope=scope), body)
        if words:
            await _refuse(scope, receive, send, status, words)
        else:
            await self._app(scope, receive, send)


def _why_not(scope: Scope, headers: Headers, body: bytes) -> tuple[int, str]:
    """Return the status and the reason why an HTTP request may not pass; (0, "") where it may."""
    viewer, method, path = scope["estat.role"] is Role.VIEWER, scope["method"], scope["path"].rstrip("/")
    if method in ("GET", "HEAD", "OPTIONS"):
        asked = QueryParams(scope["query_string"]).getlist("query") if path == "/graphql" else []
        reading = all(is_reading(document) for document in asked) and len(asked) <= 1
        return (0, "") if reading else (405, "Send changes by POST.")
    if method != "POST":
        return 405, "Only GET and POST are known here."
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, "Send JSON: Content-Type: application/json."
    if len(body) > MOST_BYTES:
        return 413, "That is too much."
    if not viewer:
        return 0, ""
    if path == "/graphql" and is_reading(document_of(_json(body))) and _only_names(scope["query_string"]):
        return 0, ""
    return 403, "Viewers may read, and change nothing."


def _only_names(query_string: bytes) -> bool:
    """Whether an address says nothing but the name of the operation, so that the body alone says what is done."""
    return {name for name, _ in parse_qsl(query_string, keep_blank_values=True)} <= {NAME_OF_OPERATION.encode()}


def _json(body: bytes) -> Any:
    """Return what a body says; a name that stands twice in an object could mean two things, so it says nothing."""
    try:
        return json.loads(body, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _only_subscriptions(receive: Receive) -> Receive:
    """Return what is received, but end the connection at whatever is no subscription and not about one.

    Messages of another protocol (`graphql-transport-ws` has others) are unknown here, and so end it too.
    """

    async def receive_checked() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive" or _is_about_subscriptions(message):
            return message
        return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}

    return receive_checked


def _is_about_subscriptions(message: Message) -> bool:
    told = _json((message.get("text") or "").encode() or message.get("bytes") or b"")
    if not isinstance(told, dict):
        return False
    if told.get("type") == "start":
        return operations(document_of(told.get("payload"))) == frozenset({OperationType.SUBSCRIPTION})
    return told.get("type") in WITHOUT_OPERATION


async def _read(receive: Receive, most: int) -> bytes:
    """Return the body of a request; of one that is longer than `most` bytes not much more than those."""
    body, more = b"", True
    while more and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _unframed(send: Send) -> Send:
    """Return what sends answers that no page shows in a frame; whatever else their policy forbids stays forbidden."""

    async def send_unframed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.append("content-security-policy", "frame-ancestors 'none'")
            headers["x-frame-options"] = "DENY"
        await send(message)

    return send_unframed


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": words})
    else:
        headers = {"www-authenticate": "Bearer"} if status == 401 else None
        await PlainTextResponse(words, status, headers)(scope, receive, send)
