"""The rows about the datasets: one a dataset in `dataset_inventory`, one a class in `dataset_dimensions`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from estat_dagster.columns import Column
from estat_dagster.lake import schemas, summary
from estat_dagster.lake.about import DIMENSION_COLUMNS, DIMENSIONS, INVENTORY, INVENTORY_COLUMNS
from estat_dagster.lake.iceberg import IcebergTableManager
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.registry import DatasetEntry, held_release, held_scope
from estat_dagster.lake.replacing import files_of


def put_inventory(tables: IcebergTableManager, entry: DatasetEntry) -> int:
    """Put a dataset's row in place of the one before, and return the snapshot's id."""
    held = held_release(entry)
    row = {
        **{column.name: getattr(held, column.name, None) for column in INVENTORY_COLUMNS},
        "scope": json.dumps(held_scope(entry), ensure_ascii=False, sort_keys=True),
        "created_at": _moment(entry.registered_at),
        "updated_at": _moment(entry.changed_at),
    }
    return _put(tables, INVENTORY, INVENTORY_COLUMNS, entry.dataset_id, [row])


def put_dimensions(
    tables: IcebergTableManager,
    dataset_id: str,
    rows: Iterable[Mapping[str, Any]],
    properties: Mapping[str, str] | None = None,
) -> int:
    """Put the classes of a dataset's axes in place of those before, and return the snapshot's id.

    Args:
        tables: the lake's tables.
        dataset_id: the dataset.
        rows: a class each.
        properties: what the snapshot says of the load, so that a rollback finds the classes of its rows.
    """
    return _put(tables, DIMENSIONS, DIMENSION_COLUMNS, dataset_id, list(rows), properties)


def take_out(tables: IcebergTableManager, name: str, dataset_id: str) -> None:
    """Take the rows of a dataset out of a table; where it has none, nothing is committed."""
    if files_of(tables.load(name), dataset_id):
        tables.replace_rows(name, dataset_id, [], {summary.DATASET: dataset_id, summary.ACTION: summary.DELETED})


def remove_others(tables: IcebergTableManager, name: str, dataset_ids: Iterable[str]) -> list[str]:
    """Take the rows of datasets that are not among the ids out of a table, and return whose rows they were."""
    table = tables.load(name)
    with explaining(f"The table {name} could not be read"):
        held = set(table.scan(selected_fields=("dataset_id",)).to_arrow().column("dataset_id").to_pylist())
    gone = sorted(held - set(dataset_ids))
    for dataset_id in gone:
        take_out(tables, name, dataset_id)
    return gone


def _put(
    tables: IcebergTableManager,
    name: str,
    columns: Sequence[Column],
    dataset_id: str,
    rows: Sequence[Mapping[str, Any]],
    properties: Mapping[str, str] | None = None,
) -> int:
    table = tables.ensure(name, name, columns)
    group = pa.Table.from_pylist([dict(row) for row in rows], schema=schemas.file_schema(table.schema()))
    return tables.replace_rows(name, dataset_id, [group], {summary.DATASET: dataset_id, **(properties or {})})


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
