"""Names of types: Iceberg's and Arrow's in Athena's words, Iceberg's in DuckDB's. No values are converted here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.types import IcebergType

ATHENA_TYPE = b"athena_type"
"""Metadata of an Arrow field whose values are the text form of a type that Arrow cannot hold exactly: its name."""

_ATHENA_FROM_ICEBERG = {
    "int": "integer",
    "long": "bigint",
    "float": "real",
    "string": "varchar",
    "binary": "varbinary",
    "time": "time(6)",
    "timestamp": "timestamp(6)",
    "timestamptz": "timestamp(6) with time zone",
}
_ATHENA_FROM_ARROW = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "float": "real",
    "string": "varchar",
    "large_string": "varchar",
    "binary": "varbinary",
    "large_binary": "varbinary",
    "date32[day]": "date",
    "null": "unknown",
    "month_day_nano_interval": "interval",
}
_DUCKDB_FROM_ICEBERG = {
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "string": "VARCHAR",
    "uuid": "UUID",
    "binary": "BLOB",
}


def iceberg_type_name(kind: IcebergType) -> str:
    """Return the name that Athena's DESCRIBE gives an Iceberg type."""
    from pyiceberg.types import DecimalType, ListType, MapType, StructType

    if isinstance(kind, ListType):
        return f"array({iceberg_type_name(kind.element_type)})"
    if isinstance(kind, MapType):
        return f"map({iceberg_type_name(kind.key_type)}, {iceberg_type_name(kind.value_type)})"
    if isinstance(kind, StructType):
        return f"row({', '.join(f'{field.name} {iceberg_type_name(field.field_type)}' for field in kind.fields)})"
    if isinstance(kind, DecimalType):
        return f"decimal({kind.precision},{kind.scale})"
    return _ATHENA_FROM_ICEBERG.get(str(kind), str(kind))


def column_type_name(field: pa.Field) -> str:
    """Return the name that Athena gives the type of a result's column."""
    named: bytes | None = (field.metadata or {}).get(ATHENA_TYPE)
    return named.decode() if named else arrow_type_name(field.type)


def arrow_type_name(kind: pa.DataType) -> str:
    """Return the name that Athena gives the type of a result's column."""
    import pyarrow.types as at

    if at.is_list(kind) or at.is_large_list(kind):
        return f"array({arrow_type_name(kind.value_type)})"
    if at.is_map(kind):
        return f"map({arrow_type_name(kind.key_type)}, {arrow_type_name(kind.item_type)})"
    if at.is_struct(kind):
        return f"row({', '.join(f'{field.name} {arrow_type_name(field.type)}' for field in kind)})"
    if at.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if at.is_timestamp(kind):
        precision = {"s": 0, "ms": 3, "us": 6, "ns": 9}[kind.unit]
        return f"timestamp({precision})" + (" with time zone" if kind.tz else "")
    if at.is_time(kind):
        return "time(6)"
    return _ATHENA_FROM_ARROW.get(str(kind), str(kind))


def duckdb_type_name(kind: IcebergType) -> str | None:
    """Return DuckDB's type for an Iceberg type, None for those that are not read from the files directly."""
    from pyiceberg.types import DecimalType

    if isinstance(kind, DecimalType):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _DUCKDB_FROM_ICEBERG.get(str(kind))
