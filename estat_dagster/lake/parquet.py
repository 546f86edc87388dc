"""Sorted Parquet: frames in any order become one file in the table's order, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from estat_dagster.lake.store import Store

ROW_GROUP = 131_072  # rows: small enough that statistics on region_code leave most of a year unread
MEMORY = "1GB"
VERSION_KEY = b"estat.version"
LOADED_AT = "updated_at"


def sorted_batches(
    frames: Iterable[pa.Table], schema: pa.Schema, order: Sequence[str], loaded_at: datetime
) -> Iterator[pa.RecordBatch]:
    """Return the rows of all frames with the schema's columns, in order; columns that no frame has are null.

    DuckDB sorts, and spills to disk what does not fit.
    """
    held = pa.schema([field for field in schema if field.name != LOADED_AT])
    reader = pa.RecordBatchReader.from_batches(
        held, (_under(batch, held, {}) for frame in frames for batch in frame.to_batches())
    )
    columns = ", ".join(f'"{name}"' for name in held.names)
    ordering = ", ".join(f'"{name}" NULLS LAST' for name in order)
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        connection.register("frames", reader)
        ordered: Any = connection.sql(f"SELECT {columns} FROM frames ORDER BY {ordering}")  # noqa: S608
        for batch in ordered.to_arrow_reader(ROW_GROUP):
            yield _under(batch, schema, {LOADED_AT: pa.repeat(pa.scalar(loaded_at.astimezone(UTC)), len(batch))})


def write_parquet(store: Store, path: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema, version: str) -> int:
    """Store the batches as one file in place of what was there, and return its number of rows."""
    rows = 0
    with (
        store.writing(path) as stream,
        pq.ParquetWriter(stream, schema.with_metadata({VERSION_KEY: version.encode()}), compression="zstd") as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)
            rows += len(batch)
    return rows


def read_version(store: Store, path: str) -> str | None:
    """Return what a stored file was made from, or None where there is no such file."""
    if not store.exists(path):
        return None
    with store.open(path) as file:
        metadata = pq.read_metadata(file).metadata or {}
    return str(metadata.get(VERSION_KEY, b"").decode())


def read_batches(store: Store, path: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Return the rows of a stored file, batch by batch, under the schema's columns."""
    with store.open(path) as file:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=ROW_GROUP):
            yield _under(batch, schema, {})


def _under(batch: pa.RecordBatch, schema: pa.Schema, made: dict[str, pa.Array]) -> pa.RecordBatch:
    """Return the batch under the schema's columns: its own, those that were made, and null for the rest."""
    held = {name: batch.column(name) for name in batch.schema.names} | made
    columns = [held.get(field.name, pa.nulls(len(batch))).cast(field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
