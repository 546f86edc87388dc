"""Completion of what users type into prompts and resource addresses: ids of datasets, names of tables and domains."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
        if argument.name not in await _arguments(server, ref):
            return Completion(values=[], total=0, has_more=False)
        known = await _known(bridge, argument.name)
        found = [value for value in known if value.lower().startswith(argument.value.strip().lower())]
        return Completion(values=found[:MOST], total=len(found), has_more=len(found) > MOST)


async def _arguments(server: MCPServer[Any], ref: PromptReference | ResourceTemplateReference) -> set[str]:
    """Return the names of the arguments of a prompt or a resource template; none where it is not known."""
    if isinstance(ref, ResourceTemplateReference):
        known = [template.uri_template for template in await server.list_resource_templates()]
        return set(re.findall(r"{(\w+)}", ref.uri)) if ref.uri in known else set()
    prompts = [prompt for prompt in await server.list_prompts() if prompt.name == ref.name]
    return {argument.name for prompt in prompts for argument in prompt.arguments or []}


async def _known(bridge: Bridge, name: str) -> Sequence[str]:
    """Return what an argument of this name can be; nothing where that is not known."""
    if name == "run_id":
        return await bridge.dagster.recent_runs()
    return await anyio.to_thread.run_sync(_held, bridge, name, abandon_on_cancel=True)


def _held(bridge: Bridge, name: str) -> Sequence[str]:
    from estat_dagster.domains import DOMAINS

    match name:
        case "dataset_id":
            return bridge.bench.lake.registry.ids()
        case "name":
            return bridge.bench.lake.tables.names()
        case "domain":
            return list(DOMAINS)
        case "language":
            return LANGUAGES
        case _:
            return ()
