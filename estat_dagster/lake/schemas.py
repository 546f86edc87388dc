"""Iceberg schemas, partition specs and properties of the lake's tables, from their declared columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from estat_dagster.columns import Column, arrow_type

if TYPE_CHECKING:
    from pyiceberg.schema import Schema
    from pyiceberg.table.sorting import SortOrder
    from pyiceberg.types import PrimitiveType

FIELD_ID = b"PARQUET:field_id"
CREDIT = "政府統計の総合窓口(e-Stat) https://www.e-stat.go.jp/"
MANIFESTS = {
    # Every commit and query reads all manifests, and a load leaves one or two: they are merged from this number on.
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    "commit.manifest.target-size-bytes": "8388608",
}
PROPERTIES = {
    **MANIFESTS,
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    # PyIceberg's waits are the same in every process, so that those who met meet again; ours after these are not.
    "commit.retry.num-retries": "2",
    "commit.retry.min-wait-ms": "50",
    "commit.retry.max-wait-ms": "2000",
    "commit.retry.total-timeout-ms": "120000",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
    "credit": CREDIT,
}


NAMES_AND_WORDS = re.compile(r".*_name|unit|value_text|missing_reason|annotation")


def has_statistics(column: str) -> bool:
    """Whether least and greatest values of a column are kept.

    Rows are ordered by codes, so that the least and the greatest name exclude nothing, and counting them takes a third
    of the time of writing.
    """
    return NAMES_AND_WORDS.fullmatch(column) is None


def properties(columns: Iterable[Column]) -> dict[str, str]:
    """Return the properties that say of which columns a table keeps no metrics."""
    return {f"write.metadata.metrics.column.{c.name}": "none" for c in columns if not has_statistics(c.name)}


def iceberg_type(column: Column) -> PrimitiveType:
    """Return the Iceberg type of a column."""
    from pyiceberg import types

    return {
        "string": types.StringType(),
        "int": types.IntegerType(),
        "long": types.LongType(),
        "double": types.DoubleType(),
        "date": types.DateType(),
        "timestamptz": types.TimestamptzType(),
    }[column.type]


def iceberg_schema(columns: Iterable[Column]) -> Schema:
    """Return the Iceberg schema that a table is created with."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    fields = [
        NestedField(number, c.name, iceberg_type(c), required=c.required, doc=c.comment)
        for number, c in enumerate(columns, start=1)
    ]
    return Schema(*fields)


def sort_order(schema: Schema, columns: Sequence[str]) -> SortOrder:
    """Return the order in which the rows of a file stand."""
    from pyiceberg.table.sorting import SortField, SortOrder
    from pyiceberg.transforms import IdentityTransform

    return SortOrder(*(SortField(schema.find_field(name).field_id, IdentityTransform()) for name in columns))


def file_schema(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of the table's data files: its columns in their order, with their field ids."""
    return pa.schema(
        [
            pa.field(f.name, arrow_type(str(f.field_type)), not f.required, {FIELD_ID: str(f.field_id).encode()})
            for f in schema.fields
        ]
    )
