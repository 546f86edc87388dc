"""What Iceberg knows of a table, as tables: `"population_data$snapshots"` and the like, with Athena's columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyiceberg.conversions import from_bytes
from pyiceberg.transforms import IdentityTransform

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.types import PrimitiveType

_INSTANT = pa.timestamp("ms", tz="UTC")
_COUNTS = pa.map_(pa.int32(), pa.int64())
_BOUNDS = pa.map_(pa.int32(), pa.string())
_SUMMARIES = pa.list_(
    pa.struct(
        {
            "contains_null": pa.bool_(),
            "contains_nan": pa.bool_(),
            "lower_bound": pa.string(),
            "upper_bound": pa.string(),
        }
    )
)
_FILES = pa.schema(
    {
        "content": pa.int32(),
        "file_path": pa.string(),
        "file_format": pa.string(),
        "record_count": pa.int64(),
        "file_size_in_bytes": pa.int64(),
        "column_sizes": _COUNTS,
        "value_counts": _COUNTS,
        "null_value_counts": _COUNTS,
        "nan_value_counts": _COUNTS,
        "lower_bounds": _BOUNDS,
        "upper_bounds": _BOUNDS,
        "key_metadata": pa.binary(),
        "split_offsets": pa.list_(pa.int64()),
        "equality_ids": pa.list_(pa.int32()),
    }
)
_MANIFESTS = pa.schema(
    {
        "path": pa.string(),
        "length": pa.int64(),
        "partition_spec_id": pa.int32(),
        "added_snapshot_id": pa.int64(),
        "added_data_files_count": pa.int32(),
        "added_rows_count": pa.int64(),
        "existing_data_files_count": pa.int32(),
        "existing_rows_count": pa.int64(),
        "deleted_data_files_count": pa.int32(),
        "deleted_rows_count": pa.int64(),
        "partition_summaries": _SUMMARIES,
    }
)


def read(table: Table, kind: str) -> pa.Table:
    """Return one of the metadata tables of an Iceberg table.

    Args:
        kind: one of `KINDS`.
    """
    return KINDS[kind](table)


def _snapshots(table: Table) -> pa.Table:
    found = table.inspect.snapshots()
    return _with_instants(found, "committed_at")


def _history(table: Table) -> pa.Table:
    return _with_instants(table.inspect.history(), "made_current_at")


def _with_instants(found: pa.Table, column: str) -> pa.Table:
    return found.set_column(found.schema.get_field_index(column), column, found[column].cast(_INSTANT))


def _refs(table: Table) -> pa.Table:
    rows = [
        {
            "name": name,
            "type": ref.snapshot_ref_type.value.upper(),
            "snapshot_id": ref.snapshot_id,
            "max_reference_age_in_ms": ref.max_ref_age_ms,
            "min_snapshots_to_keep": ref.min_snapshots_to_keep,
            "max_snapshot_age_in_ms": ref.max_snapshot_age_ms,
        }
        for name, ref in table.metadata.refs.items()
    ]
    schema = {"name": pa.string(), "type": pa.string(), "snapshot_id": pa.int64()}
    ages = {"max_reference_age_in_ms": pa.int64(), "min_snapshots_to_keep": pa.int32()}
    return pa.Table.from_pylist(rows, pa.schema({**schema, **ages, "max_snapshot_age_in_ms": pa.int64()}))


def _files(table: Table) -> pa.Table:
    types = {field.field_id: field.field_type for schema in table.schemas().values() for field in schema.fields}
    rows = []
    for file in table.inspect.files().drop_columns(["readable_metrics", "partition"]).to_pylist():
        bounds = {side: _readable(file[side], types) for side in ("lower_bounds", "upper_bounds")}
        rows.append({**file, **bounds})
    return pa.Table.from_pylist(rows, _FILES)


def _readable(bounds: list[tuple[int, bytes]] | None, types: Mapping[int, Any]) -> list[tuple[int, str]] | None:
    if bounds is None:
        return None
    return [(field_id, _human(types[field_id], value)) for field_id, value in bounds if field_id in types]


def _human(kind: PrimitiveType, value: bytes) -> str:
    identity: Any = IdentityTransform()
    return str(identity.to_human_string(kind, from_bytes(kind, value)))


def _partitions(table: Table) -> pa.Table:
    if table.current_snapshot() is None:
        return pa.table({name: pa.array([], pa.int64()) for name in ("record_count", "file_count", "total_size")})
    found = table.inspect.partitions()
    columns = [name for name in ("partition", "record_count", "file_count") if name in found.column_names]
    sizes = found["total_data_file_size_in_bytes"]
    kept = found.select(columns).append_column("total_size", sizes)
    return kept.set_column(kept.schema.get_field_index("file_count"), "file_count", kept["file_count"].cast(pa.int64()))


def _manifests(table: Table) -> pa.Table:
    snapshot = table.current_snapshot()
    summaries = {row["path"]: row["partition_summaries"] for row in table.inspect.manifests().to_pylist()}
    rows = [
        {
            "path": manifest.manifest_path,
            "length": manifest.manifest_length,
            "partition_spec_id": manifest.partition_spec_id,
            "added_snapshot_id": manifest.added_snapshot_id,
            "added_data_files_count": manifest.added_files_count,
            "added_rows_count": manifest.added_rows_count,
            "existing_data_files_count": manifest.existing_files_count,
            "existing_rows_count": manifest.existing_rows_count,
            "deleted_data_files_count": manifest.deleted_files_count,
            "deleted_rows_count": manifest.deleted_rows_count,
            "partition_summaries": summaries[manifest.manifest_path],
        }
        for manifest in (snapshot.manifests(table.io) if snapshot else [])
    ]
    return pa.Table.from_pylist(rows, _MANIFESTS)


KINDS: dict[str, Callable[[Table], pa.Table]] = {
    "files": _files,
    "history": _history,
    "manifests": _manifests,
    "partitions": _partitions,
    "refs": _refs,
    "snapshots": _snapshots,
}
