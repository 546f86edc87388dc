"""The tables of the lake."""

from __future__ import annotations

from mcp_bridge.answers import Answer
from mcp_bridge.bridge import Bridge
from mcp_bridge.toolbox import reading


class Tables(Answer):
    """The lake's tables by name."""

    tables: list[str]

    def text(self) -> str:
        """Return a line a table."""
        return "\n".join(self.tables) or "The lake is empty: ingest a dataset first."


@reading("Tables of the lake")
def list_tables(bridge: Bridge) -> Tables:
    """List the Iceberg tables of the lake that SQL can ask."""
    return Tables(tables=bridge.bench.sql.tables())


TOOLS = (list_tables,)
