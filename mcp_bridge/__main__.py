"""`python -m mcp_bridge [--read-only] [--http [--host H] [--port N]]`: the MCP server on stdio, or on HTTP."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence

from estat_dagster.errors import DataLakeError


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and serve."""
    given = _parser().parse_args(arguments)
    gc.disable()  # what imports make stays: to look through it again and again is a tenth of the start
    import anyio

    from mcp_bridge.bridge import Bridge
    from mcp_bridge.logs import log_to_stderr
    from mcp_bridge.server import build_server

    bridge = Bridge(read_only=given.read_only)
    log_to_stderr(bridge.hide)
    server = build_server(bridge)
    gc.freeze()
    gc.enable()
    if not given.http:
        from mcp_bridge.stdio import serve_stdio

        return anyio.run(serve_stdio, server)
    from estat_dagster.settings import Settings
    from mcp_bridge.http import Door, serve_http

    try:
        door = Door(given.host, given.port, Settings.from_env().bridge_token, given.allow_host)
        anyio.run(serve_http, server, door)
    except DataLakeError as error:
        sys.exit(f"error: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mcp_bridge", description="The MCP server of the e-Stat data lake.")
    parser.add_argument("--read-only", action="store_true", help="offer no tool that writes")
    parser.add_argument("--http", action="store_true", help="streamable HTTP on /mcp instead of stdio")
    parser.add_argument("--host", default="127.0.0.1", help="of --http (default %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="of --http, 0 for a free one (default %(default)s)")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a name under which clients reach --host"
    )
    return parser


if __name__ == "__main__":
    main()
