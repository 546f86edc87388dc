"""Serving streamable HTTP on loopback."""

from __future__ import annotations

from typing import Any

from mcp.server import MCPServer


async def serve_http(server: MCPServer[Any], host: str, port: int) -> None:
    """Serve on `http://host:port/mcp` until a signal comes."""
    await server.run_streamable_http_async(host=host, port=port)
