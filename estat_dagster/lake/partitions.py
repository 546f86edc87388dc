"""Partition fields as Iceberg's transforms: of a table's spec, and of the values of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.partitioning import Partition, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.transforms import Transform
    from pyiceberg.types import PrimitiveType


def spec(schema: Schema, fields: Sequence[str]) -> PartitionSpec:
    """Return the spec that partitions by these fields, each in the notation of `partitioning`.

    Raises:
        ValidationError: one is not in the notation.
        ValueError: the table has no such column, or its type cannot be partitioned so.
    """
    from pyiceberg.partitioning import PARTITION_FIELD_ID_START, PartitionField, PartitionSpec

    made = []
    for number, part in enumerate(map(parse, fields), start=PARTITION_FIELD_ID_START):
        column, transform = schema.find_field(part.column), _transform(part)
        if not transform.can_transform(column.field_type):
            raise ValueError(f"{part} cannot be made of {column.field_type}.")
        made.append(PartitionField(column.field_id, number, transform, part.name))
    return PartitionSpec(*made)


def fields_of(table: Table) -> list[str]:
    """Return the fields that a table is partitioned by, in the notation of `partitioning`."""
    schema = table.schema()
    return [str(_part(schema.find_field(f.source_id).name, f.transform)) for f in table.spec().fields]


def keys(rows: pa.Table, field: Partition) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[Any]]:
    """Return the partition values of rows: for each row the place of its value, and the values.

    Only different values of the column are transformed, and these are few.
    """
    column = pc.dictionary_encode(rows.column(field.column).combine_chunks())
    values = [None, *column.dictionary.to_pylist()]
    if field.kind:
        make = _maker(field, column.dictionary.type)
        values = [None, *map(make, _physical(column.dictionary).to_pylist())]
    places: dict[Any, int] = {}
    whose = np.array([places.setdefault(value, len(places)) for value in values], np.int64)
    return whose[column.indices.cast(pa.int64()).fill_null(-1).to_numpy() + 1], list(places)


def _physical(values: pa.Array) -> pa.Array:
    """Return dates as days and moments as microseconds, which transforms are defined on."""
    if pa.types.is_date(values.type):
        return values.cast(pa.int32())
    return values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values


def _maker(field: Partition, kind: pa.DataType) -> Callable[[Any], Any]:
    return _transform(field).transform(_iceberg_type(kind))


def _iceberg_type(kind: pa.DataType) -> PrimitiveType:
    from pyiceberg import types

    return {
        pa.string(): types.StringType(),
        pa.int32(): types.IntegerType(),
        pa.int64(): types.LongType(),
        pa.date32(): types.DateType(),
        pa.timestamp("us", "UTC"): types.TimestamptzType(),
    }[kind]


def _transform(part: Partition) -> Transform[Any, Any]:
    from pyiceberg import transforms

    if part.kind in ("bucket", "truncate"):
        return transforms.parse_transform(f"{part.kind}[{part.size}]")
    return transforms.parse_transform(part.kind.removesuffix("s") or "identity")


def _part(column: str, transform: Transform[Any, Any]) -> Partition:
    kind, _, size = str(transform).rstrip("]").partition("[")
    if kind == "identity":
        return Partition(column)
    return Partition(column, kind, int(size)) if size else Partition(column, f"{kind}s")
