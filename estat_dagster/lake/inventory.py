"""The tables about the datasets: a row a dataset in `dataset_inventory`, a row a class in `dataset_dimensions`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from estat_dagster.columns import Column
from estat_dagster.lake import schemas, summary
from estat_dagster.lake.iceberg import IcebergTableManager
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.registry import DatasetEntry, held_release, held_scope
from estat_dagster.lake.replacing import files_of

INVENTORY, DIMENSIONS = "dataset_inventory", "dataset_dimensions"

INVENTORY_COLUMNS = (
    Column("dataset_id", "string", "統計表ID", "statsDataId", required=True),
    Column("domain", "string", "分野", "domain, which decides the table"),
    Column("title", "string", "表題", "title of the table"),
    Column("stat_name", "string", "政府統計名", "name of the survey"),
    Column("stat_code", "string", "政府統計コード", "code of the survey"),
    Column("gov_org", "string", "作成機関", "organisation that made it"),
    Column("cycle", "string", "周期", "how often it appears"),
    Column("survey_date", "string", "調査年月", "SURVEY_DATE as e-Stat gives it"),
    Column("open_date", "string", "公開日", "when it was opened"),
    Column("updated_date", "string", "更新日", "when e-Stat updated it"),
    Column("scope", "string", "取得範囲", "filter as JSON; {} is the whole table"),
    Column("status", "string", "状態", "registered, loaded or failed"),
    Column("total_number", "long", "総件数", "TOTAL_NUMBER of the scope"),
    Column("record_count", "long", "取得件数", "records received"),
    Column("valid_count", "long", "有効件数", "rows in the table"),
    Column("quarantined_count", "long", "隔離件数", "rows in quarantine"),
    Column("null_count", "long", "値なし件数", "rows without a number"),
    Column("table_name", "string", "テーブル名", "Iceberg table that holds the rows"),
    Column("snapshot_id", "long", "スナップショットID", "snapshot that the load made"),
    Column("content_hash", "string", "内容ハッシュ", "SHA-256 of the data"),
    Column("raw_uri", "string", "生データ", "manifest of the raw pages"),
    Column("parquet_uri", "string", "Parquetファイル", "Parquet file"),
    Column("run_id", "string", "実行ID", "Dagster run that loaded it"),
    Column("credit", "string", "出典", "credit that a publication must show"),
    Column("created_at", "timestamptz", "登録日時", "when it was registered (UTC)"),
    Column("updated_at", "timestamptz", "更新日時", "when its rows were last written (UTC)"),
)

DIMENSION_COLUMNS = (
    Column("dataset_id", "string", "統計表ID", "statsDataId", required=True),
    Column("axis_id", "string", "軸ID", "tab, cat01 to cat15, area or time"),
    Column("axis_name", "string", "軸名", "name of the axis"),
    Column("code", "string", "コード", "code of the class"),
    Column("name", "string", "名称", "name of the class"),
    Column("level", "string", "階層レベル", "level, as e-Stat gives it"),
    Column("parent_code", "string", "親コード", "code of the parent, which may not be in the list"),
    Column("unit", "string", "単位", "unit of the class"),
    Column("description", "string", "説明", "what e-Stat adds about the class"),
    Column("position", "int", "順序", "place on its axis, from 1"),
)


def create_dataset_inventory_table(tables: IcebergTableManager) -> None:
    """Make both tables where they are not there yet."""
    tables.ensure(INVENTORY, INVENTORY, INVENTORY_COLUMNS)
    tables.ensure(DIMENSIONS, DIMENSIONS, DIMENSION_COLUMNS)


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
