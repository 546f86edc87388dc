"""Fetching datasets and loading them into the lake: each tool starts a Dagster run of exactly the layers it names."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from mcp_bridge.arguments import DatasetId
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.runs import LAYERS
from mcp_bridge.following import Call, WaitSeconds
from mcp_bridge.ordering import Order
from mcp_bridge.starting import Started, start
from mcp_bridge.toolbox import writing

PAGE = 100_000
WAIT = 20


def _as_texts(value: object) -> object:
    """Models send codes as numbers too."""
    if isinstance(value, dict):
        return {key: _as_texts(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_texts(each) for each in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Filters = Annotated[
    dict[str, str | list[str]],
    BeforeValidator(_as_texts),
    Field(
        description='axis -> codes or names: {"area": "13000,27000", "time": "2015..2020", "cat01": "level:2"}; see '
        "find_codes. Axes: tab, area, time, cat01-cat15",
        json_schema_extra={"additionalProperties": {"type": ["string", "array"], "items": {"type": "string"}}},
    ),
]
KEPT = "as of fetch_dataset_filtered; left out: those of before"
ChunkSize = Annotated[int, Field(ge=1, le=PAGE, description="records a request")]
MaxRecords = Annotated[int, Field(ge=1, description="refuse a larger table; nothing is cut off")]
Domain = Annotated[str, Field(description="population, economy, labor, education, health or general; empty: inferred")]
Force = Annotated[bool, Field(description="write again although nothing changed")]


@writing("小さな統計表の取得", open_world=True)
async def fetch_dataset(bridge: Bridge, call: Call, dataset_id: DatasetId, wait_seconds: WaitSeconds = WAIT) -> Started:
    """Fetch the raw pages of a dataset of at most 100,000 records (one request); a filter set before is kept.

    A larger one is refused: use fetch_dataset_auto. For rows that SQL can ask, use ingest_dataset_complete instead.
    """
    order = Order("fetch_dataset", dataset_id, LAYERS[:1], fetch={"max_records": PAGE})
    return await start(bridge, call, order, wait_seconds)


@writing("統計表の取得", open_world=True)
async def fetch_dataset_auto(
    bridge: Bridge, call: Call, dataset_id: DatasetId, wait_seconds: WaitSeconds = WAIT
) -> Started:
    """Fetch the raw pages of a dataset, choosing by its size: one request, or as many side by side as are allowed.

    `plan` in the answer says how many records and requests.
    """
    order = Order("fetch_dataset_auto", dataset_id, LAYERS[:1])
    return await start(bridge, call, order, wait_seconds)


@writing("一部の取得", open_world=True)
async def fetch_dataset_filtered(
    bridge: Bridge,
    call: Call,
    dataset_id: DatasetId,
    filters: Filters,
    wait_seconds: WaitSeconds = WAIT,
) -> Started:
    """Fetch only the part of a dataset that the filters select. They stay with the dataset until others are given.

    Empty filters ({}) mean the whole table. A name that no class has is refused, with those that may be meant.
    """
    order = Order("fetch_dataset_filtered", dataset_id, LAYERS[:1], filters=filters)
    return await start(bridge, call, order, wait_seconds)


@writing("大きな統計表の取得", open_world=True)
async def fetch_large_dataset_complete(
    bridge: Bridge,
    call: Call,
    dataset_id: DatasetId,
    chunk_size: ChunkSize = PAGE,
    max_records: MaxRecords = 10_000_000,
    wait_seconds: WaitSeconds = WAIT,
) -> Started:
    """Fetch the whole table, one request after another: gentle and slow. fetch_large_dataset_parallel is faster."""
    fetch = {"chunk_size": chunk_size, "max_records": max_records, "max_concurrent": 1}
    order = Order("fetch_large_dataset_complete", dataset_id, LAYERS[:1], filters={}, fetch=fetch)
    return await start(bridge, call, order, wait_seconds)


@writing("並列取得", open_world=True)
async def fetch_large_dataset_parallel(
    bridge: Bridge,
    call: Call,
    dataset_id: DatasetId,
    chunk_size: ChunkSize = PAGE,
    max_records: MaxRecords = 10_000_000,
    max_concurrent: Annotated[int, Field(ge=1, le=100, description="requests at once; the server's limit holds")] = 10,
    wait_seconds: WaitSeconds = WAIT,
) -> Started:
    """Fetch the whole table with several requests at once."""
    fetch = {"chunk_size": chunk_size, "max_records": max_records, "max_concurrent": max_concurrent}
    order = Order("fetch_large_dataset_parallel", dataset_id, LAYERS[:1], filters={}, fetch=fetch)
    return await start(bridge, call, order, wait_seconds)


@writing("取込み(全工程)", open_world=True)
async def ingest_dataset_complete(
    bridge: Bridge,
    call: Call,
    dataset_id: DatasetId,
    domain: Domain = "",
    filters: Annotated[Filters | SkipJsonSchema[None], Field(description=KEPT)] = None,
    chunk_size: ChunkSize = PAGE,
    max_records: MaxRecords = 10_000_000,
    force: Force = False,
    wait_seconds: WaitSeconds = WAIT,
) -> Started:
    """Fetch, transform, validate, write and commit a dataset in one run: then analyze_with_athena can query its rows.

    This is the tool for loading and for updating. Loading again replaces exactly this dataset's rows.
    """
    fetch: dict[str, Any] = {"chunk_size": chunk_size, "max_records": max_records}
    order = Order("ingest_dataset_complete", dataset_id, LAYERS, domain, filters, fetch, force)
    return await start(bridge, call, order, wait_seconds)


TOOLS = (
    fetch_dataset,
    fetch_dataset_auto,
    fetch_dataset_filtered,
    fetch_large_dataset_complete,
    fetch_large_dataset_parallel,
    ingest_dataset_complete,
)
