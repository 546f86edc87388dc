"""The Parquet file of a dataset: its rows in the table's order, as one file that replaces the one before."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from estat_dagster.columns import encoded
from estat_dagster.errors import DamagedError, StorageError
from estat_dagster.lake import rowgroups
from estat_dagster.lake.frames import Frame
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.store import Store
from estat_dagster.parallel import side_by_side
from estat_dagster.telemetry import log

VERSION_KEY = "estat.version"
LOADED_AT = "updated_at"


def stamped(frames: Sequence[Frame], schema: pa.Schema, loaded_at: datetime) -> Iterator[pa.Table]:
    """Return frames as row groups under the schema's columns, with the moment of the load."""
    moment = pa.scalar(loaded_at.astimezone(UTC), pa.timestamp("us", "UTC"))

    def prepare(frame: Frame) -> list[pa.Table]:
        made = {LOADED_AT: pa.repeat(moment, frame.num_rows)}
        return rowgroups.cut(rowgroups.under(frame.slice(0, frame.num_rows), schema, **made))

    return itertools.chain.from_iterable(side_by_side(prepare, frames))


def write_parquet(store: Store, path: str, groups: Iterable[pa.Table], schema: pa.Schema, version: str) -> int:
    """Store row groups as one file in place of what was there, and return its number of rows."""
    rows = 0
    with store.writing(path) as stream, rowgroups.open_writer(stream, encoded(schema)) as writer:
        writer.add_key_value_metadata({VERSION_KEY: version})
        for group in groups:
            writer.write_table(group)
            rows += len(group)
    return rows


def read_version(store: Store, path: str) -> str | None:
    """Return what a stored file was made from, or None where there is no such file, or it is damaged."""
    if not store.exists(path):
        return None
    try:
        with store.reading(path) as file:
            metadata = pq.read_metadata(file).metadata or {}
    except DamagedError as damage:
        log("parquet", f"{damage.message} It counts as not written.", level=logging.WARNING)
        return None
    return str(metadata.get(VERSION_KEY.encode(), b"").decode())


def read_groups(store: Store, path: str, schema: pa.Schema) -> Iterator[pa.Table]:
    """Return the rows of a stored file, row group by row group, under the schema's columns.

    Raises:
        StorageError: it cannot be read, or another load put its file in place of it meanwhile.
    """
    with store.open(path) as file:
        metadata = pq.read_metadata(file)

    def read(number: int) -> pa.Table:
        with store.open(path) as file:
            return rowgroups.read_row_group(file, metadata, number, schema)

    try:
        with explaining(f"{store.uri(path)} could not be read", reading=True):
            yield from side_by_side(read, range(metadata.num_row_groups))
    except DamagedError:
        _see_that_it_stayed(store, path, metadata)
        raise
    _see_that_it_stayed(store, path, metadata)


def _see_that_it_stayed(store: Store, path: str, metadata: pq.FileMetaData) -> None:
    with store.open(path) as file:
        if not pq.read_metadata(file).equals(metadata):
            raise StorageError(
                f"{store.uri(path)} was replaced while it was being read.",
                hint="Another load of the dataset ran at the same time; load it again.",
            )
