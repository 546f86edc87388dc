"""The tools, one module a group of them.

To add a tool: write a function in a module here whose first parameter is the `Bridge` and whose return type is a
subclass of `Answer`, mark it with `reading` or `writing` (`mcp_bridge.toolbox`), and name it in the module's `TOOLS`;
name a new module in `MODULES`. Parameters are `Annotated[type, Field(description=...)]`, `DatasetId` for ids, and
`str = ""` instead of `str | None`, because the SDK parses JSON in optional strings. A parameter `call: Call` gets the
call's MCP context. Models and annotations live at module level; heavy imports (pyarrow, duckdb) are inside functions.
"""

from __future__ import annotations

from mcp_bridge.toolbox import ToolSpec
from mcp_bridge.tools import analysis, codes, datasets, describing, loading, raw, runs, search, snapshots, steps, tables

MODULES = (search, describing, codes, datasets, loading, steps, runs, tables, analysis, snapshots, raw)


def all_tools() -> list[ToolSpec]:
    """Return every tool, in the order that clients see."""
    return [spec for module in MODULES for spec in module.TOOLS]
