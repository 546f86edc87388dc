"""The tables about the datasets as assets: made again from registry and raw pages, whatever happened to them."""

from typing import Any

import dagster as dg

from estat_dagster.assets.describing import column_schema
from estat_dagster.assets.failures import as_failure_of_each
from estat_dagster.assets.layers import OWNERS, layer_key
from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.assets.steps.publish import dimension_rows, whole_table
from estat_dagster.domains import DOMAINS
from estat_dagster.errors import DataError, DataLakeError, StorageError
from estat_dagster.lake import about, inventory
from estat_dagster.lake.lake import Lake
from estat_dagster.records.version import VERSION
from estat_dagster.workbench import Workbench

GROUP = "inventory"
LOADED_FROM = [layer_key(domain, "iceberg_table") for domain in DOMAINS.values()]


@dg.asset(
    deps=LOADED_FROM,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"iceberg"},
    tags={"layer": "inventory"},
    code_version=VERSION,
    metadata={
        "dagster/table_name": about.INVENTORY,
        "dagster/column_schema": column_schema(about.INVENTORY_COLUMNS),
    },
)
def dataset_inventory(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """One row a dataset: what it is, which part is held, its counts and its credit. Made from the registry.

    Where an entry cannot be read, its row stays as it was, and the run fails after the others are made.
    """
    lake = bench.lake
    lake.tables.create_dataset_inventory_table()
    entries, damaged = lake.registry.look()
    for entry in entries:
        inventory.put_inventory(lake.tables, entry)
    gone = inventory.remove_others(lake.tables, about.INVENTORY, [*(e.dataset_id for e in entries), *damaged])
    if damaged:
        raise as_failure_of_each("Left as they were", damaged)
    facts: dict[str, Any] = {"dagster/row_count": len(entries), "datasets": len(entries), "removed": gone}
    return dg.MaterializeResult(metadata={**facts, **_table(lake, about.INVENTORY)})


@dg.asset(
    deps=LOADED_FROM,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"iceberg"},
    tags={"layer": "inventory"},
    code_version=VERSION,
    metadata={
        "dagster/table_name": about.DIMENSIONS,
        "dagster/column_schema": column_schema(about.DIMENSION_COLUMNS),
    },
)
def dataset_dimensions(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult[Any]:
    """One row a class of each axis of each dataset: code, name, level, parent and unit. Made from the raw pages.

    Where those cannot be read, a dataset's rows stay as they were, and the run fails after the others are made.
    """
    lake, rows = bench.lake, 0
    lake.tables.create_dataset_inventory_table()
    entries, damaged = lake.registry.look()
    failures: dict[str, DataLakeError] = dict(damaged)
    loaded = [entry.dataset_id for entry in entries if entry.snapshot_id is not None]
    for dataset_id in loaded:
        try:
            classes = list(dimension_rows(dataset_id, DatasetJob.of(bench, dataset_id).metadata()))
        except (DataError, StorageError) as error:
            failures[dataset_id] = error
            continue
        inventory.put_dimensions(lake.tables, dataset_id, classes)
        rows += len(classes)
    gone = inventory.remove_others(lake.tables, about.DIMENSIONS, [*loaded, *damaged])
    if failures:
        raise as_failure_of_each("Left as they were", failures)
    facts: dict[str, Any] = {"dagster/row_count": rows, "datasets": len(loaded), "removed": gone}
    return dg.MaterializeResult(metadata={**facts, **_table(lake, about.DIMENSIONS)})


def _table(lake: Lake, name: str) -> dict[str, Any]:
    """Return where a table is, and how large it is."""
    table = lake.tables.load(name)
    return {"dagster/uri": table.location(), **whole_table(table)}
