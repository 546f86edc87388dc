"""Row groups under a table's columns, with each text column over just the texts that it holds.

Texts stay dictionary-encoded from the staged frames to the file, where Parquet writes them the same way; the file says
nothing of it, and reads back as plain texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP = 131_072  # rows: small enough that statistics on region_code leave most of a year unread
TEXTS = pa.dictionary(pa.int32(), pa.string())


def encoded(schema: pa.Schema) -> pa.Schema:
    """Return the schema of row groups: the table's, with texts dictionary-encoded."""
    return pa.schema([f.with_type(TEXTS) if f.type == pa.string() else f for f in schema], schema.metadata)


def cut(frames: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Return the frames in parts of about a row group each, all of a frame's as large as one another."""
    for frame in frames:
        parts = max(1, round(len(frame) / ROW_GROUP))
        size = max(1, -(-len(frame) // parts))
        yield from (frame.slice(start, size) for start in range(0, len(frame), size))


def under(rows: pa.Table, schema: pa.Schema, **made: pa.Array) -> pa.Table:
    """Return rows under a schema's columns: their own, those that were made, and null for the rest."""
    held = {name: rows.column(name).combine_chunks() for name in rows.column_names} | made
    target = encoded(schema)
    columns = [_as(held[f.name], f.type) if f.name in held else pa.nulls(len(rows), f.type) for f in target]
    return pa.Table.from_arrays(columns, schema=target)


def compact(rows: pa.Table) -> pa.Table:
    """Return rows whose text columns hold no text that no row has."""
    columns = [_compact(c.combine_chunks()) if pa.types.is_dictionary(c.type) else c for c in rows.columns]
    return pa.Table.from_arrays(columns, schema=rows.schema)


def open_writer(stream: Any, schema: pa.Schema) -> pq.ParquetWriter:
    """Return a writer of row groups with this schema."""
    return pq.ParquetWriter(stream, schema, compression="zstd", store_schema=False)


def read_row_groups(file: Any, schema: pa.Schema) -> Iterator[pa.Table]:
    """Return the row groups of a Parquet file under a schema's columns."""
    texts = [f.name for f in schema if f.type == pa.string()]
    reader = pq.ParquetFile(file, read_dictionary=texts)
    for number in range(reader.num_row_groups):
        yield under(reader.read_row_group(number).unify_dictionaries(), schema)


def _as(column: pa.Array, type_: pa.DataType) -> pa.Array:
    if column.type == pa.string() and type_ == TEXTS:
        return pc.dictionary_encode(column)
    return column if column.type == type_ else column.cast(type_)


def _compact(column: pa.DictionaryArray) -> pa.DictionaryArray:
    used = np.zeros(len(column.dictionary), bool)
    used[column.indices.drop_null().to_numpy()] = True
    if used.all():
        return column
    places = pa.array(np.cumsum(used, dtype=np.int32) - 1).cast(pa.int32())
    return pa.DictionaryArray.from_arrays(places.take(column.indices), column.dictionary.filter(pa.array(used)))
