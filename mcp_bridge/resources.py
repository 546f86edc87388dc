"""Resources: what the lake and e-Stat hold under an address, as JSON, for clients that attach documents to a talk."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from estat_dagster.errors import ApiError, DataError, DataLakeError, ValidationError
from mcp_bridge import toolbox
from mcp_bridge.answers import Answer, to_result, with_texts
from mcp_bridge.bridge import Bridge
from mcp_bridge.errors import describe
from mcp_bridge.tools import datasets, describing, runs, tables

JSON = "application/json"
NO_SUCH_TABLE = 300  # e-Stat's STATUS


def add_resources(server: MCPServer[Any], bridge: Bridge) -> None:
    """Add the resources and resource templates to a server."""

    async def read(function: Callable[..., Any], **arguments: str) -> str:
        return await _read(bridge, functools.partial(function, bridge, **arguments))

    @server.resource("lake://tables", title="テーブル一覧 / Tables of the lake", mime_type=JSON)
    async def lake_tables() -> str:
        """The Iceberg tables of the lake, with rows and snapshots."""
        return await read(tables.list_tables.function)

    @server.resource("lake://tables/{name}/schema", title="テーブルの列 / Columns of a table", mime_type=JSON)
    async def lake_table_schema(name: str) -> str:
        """The columns of a table, with types and meanings."""
        return await read(tables.list_tables.function, table_name=name)

    @server.resource(
        "lake://datasets/{dataset_id}", title="取込済みデータセット / A dataset of the lake", mime_type=JSON
    )
    async def lake_dataset(dataset_id: str) -> str:
        """What the lake holds of a dataset, and its snapshots."""
        return await read(datasets.read_dataset, dataset_id=dataset_id)

    @server.resource("lake://runs/{run_id}", title="実行の状態 / A run", mime_type=JSON)
    async def lake_run(run_id: str) -> str:
        """A run of Dagster: layers, checks, errors."""
        return await read(runs.read_run, run_id=run_id)

    @server.resource("estat://tables/{dataset_id}", title="統計表の内容 / A table of e-Stat", mime_type=JSON)
    async def estat_table(dataset_id: str) -> str:
        """A table of e-Stat: axes, periods, symbols, size."""
        return await read(describing.read_table, dataset_id=dataset_id)


async def _read(bridge: Bridge, answer: Callable[[], Answer | Awaitable[Answer]]) -> str:
    """Return an answer's facts as JSON text; a failure is an error of the protocol that carries ours."""
    try:
        with anyio.move_on_after(toolbox.CALL_SECONDS):
            found = await anyio.to_thread.run_sync(answer, abandon_on_cancel=True)
            facts = found if isinstance(found, Answer) else await found
            return _json(with_texts(to_result(facts), bridge.hide).structured_content)
        raise toolbox.too_slow("The resource")
    except DataLakeError as error:
        words = bridge.hide(_json(describe(error, can_load=not bridge.read_only)))
        raise (ResourceNotFoundError(words) if _is_absent(error) else ResourceError(words)) from error


def _is_absent(error: DataLakeError) -> bool:
    is_unknown_table = isinstance(error, ApiError) and error.status == NO_SUCH_TABLE
    return isinstance(error, ValidationError | DataError) or is_unknown_table


def _json(facts: Any) -> str:
    import json

    return json.dumps(facts, ensure_ascii=False)
