"""Athena's results as Arrow: each cell comes as text, or without any where it is NULL.

Types whose text form Athena does not let one read back exactly (arrays, maps and rows, of which it names neither the
elements nor their quotes) stay text, and their column says what they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from estat_dagster.errors import DataError
from estat_dagster.query.types import ATHENA_TYPE

_TRUTH = {"true": True, "false": False}
_ARROW: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "real": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "string": pa.string(),
    "varbinary": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}


def schema(columns: Sequence[Mapping[str, Any]]) -> pa.Schema:
    """Return the Arrow schema of a result from Athena's ColumnInfo."""
    return pa.schema([_field(column) for column in columns])


def batch(rows: Sequence[Sequence[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    """Return rows of texts as a batch of the schema's types.

    Raises:
        DataError: a text is not of its column's type.
    """
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    return pa.RecordBatch.from_arrays(
        [_array(texts, field) for texts, field in zip(columns, schema, strict=True)], schema=schema
    )


def _field(column: Mapping[str, Any]) -> pa.Field:
    name, kind = column.get("Label") or column["Name"], column["Type"].lower()
    if kind == "decimal":
        return pa.field(name, pa.decimal128(column["Precision"], column["Scale"]))
    if kind in _ARROW:
        return pa.field(name, _ARROW[kind])
    return pa.field(name, pa.string(), metadata={ATHENA_TYPE: kind})


def _array(texts: Sequence[str | None], field: pa.Field) -> pa.Array:
    read = _reader(field.type)
    try:
        return pa.array([None if text is None else read(text) for text in texts], field.type)
    except (ValueError, KeyError, InvalidOperation, ZoneInfoNotFoundError, pa.ArrowInvalid) as error:
        raise DataError(
            f"Athena gave a value of the column {field.name} that is not of its type, {field.type}.",
            hint="CAST the column to VARCHAR to see its text.",
        ) from error


def _reader(kind: pa.DataType) -> Callable[[str], Any]:
    if pa.types.is_boolean(kind):
        return _TRUTH.__getitem__
    if pa.types.is_integer(kind):
        return int
    if pa.types.is_floating(kind):
        return float
    if pa.types.is_decimal(kind):
        return Decimal
    if pa.types.is_date(kind):
        return dt.date.fromisoformat
    if pa.types.is_time(kind):
        return lambda text: dt.time.fromisoformat(_microseconds(text))
    if pa.types.is_timestamp(kind):
        return _instant if kind.tz else lambda text: dt.datetime.fromisoformat(_microseconds(text))
    return bytes.fromhex if pa.types.is_binary(kind) else str


def _instant(text: str) -> dt.datetime:
    """Read `2020-04-01 09:00:00.000 Asia/Tokyo`, or an offset or UTC in the zone's place."""
    moment, _, zone = text.rpartition(" ")
    local = dt.datetime.fromisoformat(_microseconds(moment))
    if zone[0] in "+-":
        return dt.datetime.fromisoformat(f"{local.isoformat()}{zone}")
    return local.replace(tzinfo=ZoneInfo(zone))


def _microseconds(text: str) -> str:
    """Return a time with six digits of its second at most; finer ones would be lost."""
    whole, point, digits = text.partition(".")
    if digits[6:].strip("0"):
        raise ValueError(text)
    return f"{whole}{point}{digits[:6]}"
