"""Completion of what users type into prompts and resource addresses: ids of datasets, names of tables and domains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anyio.to_thread
from mcp.server import MCPServer
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from mcp_bridge.bridge import Bridge

MOST = 100
LANGUAGES = ("ja", "en")


def add_completion(server: MCPServer[Any], bridge: Bridge) -> None:
    """Let a server complete arguments of its prompts and resource templates."""

    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]  # the SDK leaves it untyped
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        known = await anyio.to_thread.run_sync(_known, bridge, argument.name, abandon_on_cancel=True)
        found = [value for value in known if value.lower().startswith(argument.value.strip().lower())]
        return Completion(values=found[:MOST], total=len(found), has_more=len(found) > MOST)


def _known(bridge: Bridge, name: str) -> Iterable[str]:
    """Return what an argument of this name can be; nothing where that is not known."""
    from estat_dagster.domains import DOMAINS
    from estat_dagster.lake import paths

    match name:
        case "dataset_id":
            files = bridge.bench.lake.store.names(paths.registry())
            return [file.removesuffix(".json") for file in files if file.endswith(".json")]
        case "name" | "table_name":
            return bridge.bench.lake.tables.names()
        case "domain":
            return list(DOMAINS)
        case "language":
            return LANGUAGES
        case _:
            return ()
