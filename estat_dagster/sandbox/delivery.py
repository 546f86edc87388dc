"""How an answer goes over the wire: whole, or as a fault of the network leaves it."""

from __future__ import annotations

import gzip
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from typing import Literal

from estat_dagster.sandbox.faults import Fault, Kind
from estat_dagster.sandbox.service import Response

_GZIP_LEVEL = 1  # on loopback time counts, not size: a third of what level 6 takes
_DROPS = 20
_TRAILER = 8

Wait = Callable[[float], object]
"""Waits so many seconds, less where the sandbox stops."""


@dataclass(frozen=True)
class Delivery:
    """An answer on its way.

    Args:
        response: what is sent, its body already packed.
        encoding: gzip, or "" for a body as it is.
        length: what Content-Length says.
        sent: how many bytes of the body are sent.
        pause: seconds between one twentieth of the body and the next.
        hold: seconds to keep the connection open after the last byte, and then close it.
        ending: what becomes of the connection.
    """

    response: Response
    encoding: str
    length: int
    sent: int
    pause: float = 0.0
    hold: float = 0.0
    ending: Literal["keep", "close", "reset"] = "keep"


def packed(response: Response, *, as_gzip: bool) -> Delivery:
    """Return an answer that arrives whole."""
    body = gzip.compress(response.body, _GZIP_LEVEL, mtime=0) if as_gzip else response.body
    return Delivery(response._replace(body=body), "gzip" if as_gzip else "", len(body), len(body))


def hindered(delivery: Delivery, fault: Fault) -> Delivery:
    """Return an answer that arrives as a fault of the network lets it; other faults change nothing."""
    half, whole = delivery.sent // 2, delivery.sent
    match fault.kind:
        case Kind.CUT:
            return replace(delivery, sent=half, ending="close")
        case Kind.LENGTH_TOO_LONG:
            return replace(delivery, length=whole + 100, ending="close")
        case Kind.LENGTH_TOO_SHORT:
            return replace(delivery, length=whole - min(whole, 10))
        case Kind.INVALID_GZIP:
            return _wrong_inside(delivery)
        case Kind.SILENT:
            return replace(delivery, sent=-1, hold=fault.seconds, ending="close")
        case Kind.STALL:
            return replace(delivery, sent=half, hold=fault.seconds, ending="close")
        case Kind.RESET:
            return replace(delivery, sent=half, ending="reset")
        case Kind.DRIP:
            return replace(delivery, pause=fault.seconds / _DROPS)
    return delivery


def send(delivery: Delivery, handler: BaseHTTPRequestHandler, wait: Wait) -> None:
    """Send an answer on the connection of a handler."""
    if delivery.sent >= 0:
        _send_head(delivery, handler)
        _send_body(delivery, handler, wait)
    if delivery.hold:
        wait(delivery.hold)
    if delivery.ending == "reset":
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
    if delivery.ending != "keep":
        handler.close_connection = True


def _send_head(delivery: Delivery, handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(delivery.response.status)
    handler.send_header("Content-Type", delivery.response.content_type)
    handler.send_header("Vary", "Accept-Encoding")
    if delivery.encoding:
        handler.send_header("Content-Encoding", delivery.encoding)
    for name, value in delivery.response.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(delivery.length))
    handler.end_headers()


def _send_body(delivery: Delivery, handler: BaseHTTPRequestHandler, wait: Wait) -> None:
    body = delivery.response.body[: delivery.sent]
    if not delivery.pause:
        handler.wfile.write(body)
        return
    size = max(1, -(-len(body) // _DROPS))
    for at in range(0, len(body), size):
        wait(delivery.pause)
        handler.wfile.write(body[at : at + size])


def _wrong_inside(delivery: Delivery) -> Delivery:
    """Return a gzip body that unpacks to other bytes than were packed: nothing but its checksum tells."""
    good = delivery.response.body if delivery.encoding else gzip.compress(delivery.response.body, _GZIP_LEVEL, mtime=0)
    plain = bytearray(gzip.decompress(good))
    digits = [at for at, byte in enumerate(plain) if chr(byte).isdigit()]
    if digits:
        plain[digits[-1]] = ord("1") if plain[digits[-1]] != ord("1") else ord("2")
    body = gzip.compress(bytes(plain), _GZIP_LEVEL, mtime=0)[:-_TRAILER] + good[-_TRAILER:]
    return Delivery(delivery.response._replace(body=body), "gzip", len(body), len(body))
