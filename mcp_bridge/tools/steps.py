"""One layer at a time, for a dataset whose layer before is in the lake, and the empty table of a domain."""

from __future__ import annotations

from typing import Literal

from mcp_bridge.answers import Answer
from mcp_bridge.arguments import DatasetId
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.runs import LAYERS
from mcp_bridge.following import Call, WaitSeconds
from mcp_bridge.ordering import Order
from mcp_bridge.starting import Started, start
from mcp_bridge.toolbox import writing
from mcp_bridge.tools.loading import WAIT

DomainName = Literal["population", "economy", "labor", "education", "health", "general"]


@writing("行への変換")
async def transform_data(
    bridge: Bridge, call: Call, dataset_id: DatasetId, wait_seconds: WaitSeconds = WAIT
) -> Started:
    """Map the raw pages of a fetched dataset to the lake's columns, a row a cell. Next: validate_data_quality."""
    return await start(bridge, call, Order("transform_data", dataset_id, LAYERS[1:2]), wait_seconds)


@writing("品質の検証")
async def validate_data_quality(
    bridge: Bridge, call: Call, dataset_id: DatasetId, wait_seconds: WaitSeconds = WAIT
) -> Started:
    """Check the rows of a transformed dataset; those that break a rule go to quarantine with the reason.

    get_run tells what each check found. Next: save_to_parquet.
    """
    return await start(bridge, call, Order("validate_data_quality", dataset_id, LAYERS[2:3]), wait_seconds)


@writing("Parquetの保存")
async def save_to_parquet(
    bridge: Bridge, call: Call, dataset_id: DatasetId, wait_seconds: WaitSeconds = WAIT
) -> Started:
    """Write the valid rows of a dataset as one sorted Parquet file. Next: load_to_iceberg."""
    return await start(bridge, call, Order("save_to_parquet", dataset_id, LAYERS[3:4]), wait_seconds)


@writing("テーブルへの登録")
async def load_to_iceberg(
    bridge: Bridge, call: Call, dataset_id: DatasetId, wait_seconds: WaitSeconds = WAIT
) -> Started:
    """Commit the Parquet file of a dataset to its domain's Iceberg table: one snapshot replaces exactly its rows."""
    return await start(bridge, call, Order("load_to_iceberg", dataset_id, LAYERS[4:]), wait_seconds)


class DomainTable(Answer):
    """A domain's table, which is there now."""

    domain: str
    table_name: str
    created: bool
    columns: list[str]
    message: str

    def text(self) -> str:
        """Return it in few lines."""
        return f"{self.message}\n{', '.join(self.columns)}"


@writing("テーブルの作成")
def create_iceberg_table(bridge: Bridge, domain: DomainName) -> DomainTable:
    """Create the empty Iceberg table of a domain if it is not there. Loading does so by itself."""
    from estat_dagster.domains import get_domain

    name, tables = get_domain(domain).table_name, bridge.bench.lake.tables
    existed = name in tables.names()
    if not existed:
        tables.create_domain_table(domain)
    return DomainTable(
        domain=domain,
        table_name=name,
        created=not existed,
        columns=[field.name for field in tables.get_table_schema(name).fields],
        message=f"テーブル {name} {'は既にあります' if existed else 'を作りました'}。",
    )


TOOLS = (transform_data, validate_data_quality, save_to_parquet, create_iceberg_table, load_to_iceberg)
