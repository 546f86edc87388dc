"""What the tools work with: the workbench, opened when a tool first needs it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from estat_dagster.settings import Settings
    from estat_dagster.workbench import Workbench
    from mcp_bridge.dagster.door import Dagster
    from mcp_bridge.hiding import Hider
    from mcp_bridge.open_results import OpenResults


class Bridge:
    """What every tool gets as its first argument; nothing is opened before it is used.

    Args:
        settings: None reads the environment at the first use.
        read_only: never start a Dagster, as there is nothing to start runs with.
    """

    def __init__(self, settings: Settings | None = None, *, read_only: bool = False) -> None:
        self._settings = settings
        self.read_only = read_only
        self.starting = anyio.Lock()

    @cached_property
    def bench(self) -> Workbench:
        """The lake, e-Stat or its sandbox, and SQL.

        Somebody waits for each answer of e-Stat: a request ends in half a minute, its second try included.
        """
        from estat_dagster.estat.transport import Patience
        from estat_dagster.workbench import Workbench

        patience = Patience(tries=2, connect_timeout=5, read_timeout=10, total_timeout=12, most_wait=5)
        return Workbench(self._settings, patience)

    @cached_property
    def results(self) -> OpenResults:
        """Results of queries whose further rows may still be asked for."""
        from mcp_bridge.open_results import OpenResults

        return OpenResults()

    @cached_property
    def dagster(self) -> Dagster:
        """Dagster, wherever it runs."""
        from mcp_bridge.dagster.door import Dagster

        return Dagster(self.bench.settings, may_start=not self.read_only)

    async def close(self) -> None:
        """Let go of the Dagster that the bridge keeps, if it does, and of open results."""
        if "results" in vars(self):
            self.results.close()
        if "dagster" in vars(self):
            await self.dagster.close()

    def hide(self, words: str) -> str:
        """Return a text without secrets and without paths of this machine."""
        return self._hider.hide(words)

    @cached_property
    def _hider(self) -> Hider:
        from estat_dagster.errors import ValidationError
        from mcp_bridge.hiding import Hider

        try:
            return Hider.of(self.bench.settings)
        except ValidationError:
            return Hider.of(None)  # the settings are wrong, which the tool that asked for them says
