"""estat-mcp: `get_all_data`, then `to_polars`, its table form; `to_dicts` where that fails.

Its pause of a second between requests is switched off.
"""

import asyncio
from typing import Any

import estat_mcp.client
from common import APP_ID, Columns, Door, measure


async def fetch(door: Door) -> Any:
    async with estat_mcp.client.EstatClient(app_id=APP_ID, rate_limit=0) as client:
        client._base_url = f"{door.json_address}/"
        return await client.get_all_data(door.table_id, max_pages=1_000)


def read(door: Door) -> list[dict[str, Any]] | Any:
    data = asyncio.run(fetch(door))
    try:
        return data.to_polars()
    except Exception as error:
        door.remarks.append(f"to_polars failed ({type(error).__name__}), so to_dicts was taken")
        return data.to_dicts()


def show(result: Any) -> Columns:
    rows = result if isinstance(result, list) else result.to_dicts()
    names = {
        "tab_code": ("table", "table_code"),
        "area_code": ("area", "area_code"),
        "time_code": ("time", "time_code"),
    }
    names |= {"cat01_code": ("cat01", "cat01"), "value": ("value", "value")}
    return {name: [row.get(short, row.get(long)) for row in rows] for name, (short, long) in names.items()}


measure(read, show, ("estat-mcp", "polars", "httpx"))
