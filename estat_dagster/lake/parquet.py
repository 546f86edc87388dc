"""The Parquet file of a dataset: its rows in the table's order, as one file that replaces the one before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from estat_dagster.lake import rowgroups
from estat_dagster.lake.store import Store

VERSION_KEY = b"estat.version"
LOADED_AT = "updated_at"


def stamped(frames: Iterable[pa.Table], schema: pa.Schema, loaded_at: datetime) -> Iterator[pa.Table]:
    """Return frames as row groups under the schema's columns, with the moment of the load."""
    moment = pa.scalar(loaded_at.astimezone(UTC), pa.timestamp("us", "UTC"))
    for part in rowgroups.cut(frames):
        yield rowgroups.compact(rowgroups.under(part, schema, **{LOADED_AT: pa.repeat(moment, len(part))}))


def write_parquet(store: Store, path: str, groups: Iterable[pa.Table], schema: pa.Schema, version: str) -> int:
    """Store row groups as one file in place of what was there, and return its number of rows."""
    rows = 0
    schema = rowgroups.encoded(schema).with_metadata({VERSION_KEY: version.encode()})
    with store.writing(path) as stream, rowgroups.open_writer(stream, schema) as writer:
        for group in groups:
            writer.write_table(group.replace_schema_metadata(schema.metadata))
            rows += len(group)
    return rows


def read_version(store: Store, path: str) -> str | None:
    """Return what a stored file was made from, or None where there is no such file."""
    if not store.exists(path):
        return None
    with store.open(path) as file:
        metadata = pq.read_metadata(file).metadata or {}
    return str(metadata.get(VERSION_KEY, b"").decode())


def read_groups(store: Store, path: str, schema: pa.Schema) -> Iterator[pa.Table]:
    """Return the rows of a stored file, row group by row group, under the schema's columns."""
    with store.open(path) as file:
        yield from rowgroups.read_row_groups(file, schema)
