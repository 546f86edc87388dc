"""Row groups under a table's columns, with each text column over just the texts that it holds.

Texts stay dictionary-encoded from the staged frames to the file, where Parquet writes them the same way; the file says
nothing of it, and reads back as plain texts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from estat_dagster.columns import encoded
from estat_dagster.lake.schemas import has_statistics

ROW_GROUP = 131_072  # rows: small enough that statistics on region_code leave most of a year unread
VALUE = "value"
BATCH = 16_384  # rows; with the default of 1,024, statistics of texts take half the time of writing


def cut(rows: pa.Table) -> list[pa.Table]:
    """Return rows in parts of about a row group each, all as large as one another."""
    parts = max(1, round(len(rows) / ROW_GROUP))
    size = max(1, -(-len(rows) // parts))
    return [compact(rows.slice(start, size)) for start in range(0, len(rows), size)]


def under(rows: pa.Table, schema: pa.Schema, **made: pa.Array) -> pa.Table:
    """Return rows under a schema's columns: their own, those that were made, and null for the rest."""
    held = {name: _whole(rows.column(name)) for name in rows.column_names} | made
    target = encoded(schema)
    columns = [_as(held[f.name], f.type) if f.name in held else pa.nulls(len(rows), f.type) for f in target]
    return pa.Table.from_arrays(columns, schema=target)


def compact(rows: pa.Table) -> pa.Table:
    """Return rows whose text columns hold no text that no row has."""
    whole = [_whole(column) for column in rows.columns]
    columns = [_compact(column) if pa.types.is_dictionary(column.type) else column for column in whole]
    return pa.Table.from_arrays(columns, schema=rows.schema)


def open_writer(stream: Any, schema: pa.Schema) -> pq.ParquetWriter:
    """Return a writer of row groups with this schema; values are too different from one another for a dictionary."""
    names = [f.name for f in schema]
    return pq.ParquetWriter(
        stream,
        schema,
        compression="zstd",
        store_schema=False,
        use_dictionary=[name for name in names if name != VALUE],
        write_statistics=[name for name in names if has_statistics(name)],
        write_batch_size=BATCH,
        write_page_checksum=True,
    )


def read_row_group(file: Any, metadata: pq.FileMetaData, number: int, schema: pa.Schema) -> pa.Table:
    """Return a row group under a schema's columns, texts dictionary-encoded; the file may lack the newer ones.

    Raises:
        OSError: the file is damaged; so every page's checksum says that has one.
    """
    texts = {f.name for f in schema if f.type == pa.string()} & set(metadata.schema.names)
    reader = pq.ParquetFile(file, metadata=metadata, read_dictionary=sorted(texts), page_checksum_verification=True)
    return under(reader.read_row_group(number).unify_dictionaries(), schema)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _as(column: pa.Array, type_: pa.DataType) -> pa.Array:
    if column.type == pa.string() and pa.types.is_dictionary(type_):
        return pc.dictionary_encode(column)
    return column if column.type == type_ else column.cast(type_)


def _compact(column: pa.DictionaryArray) -> pa.DictionaryArray:
    if len(column.dictionary) <= 1:
        return column
    used = np.zeros(len(column.dictionary), bool)
    used[column.indices.drop_null().to_numpy()] = True
    if used.all():
        return column
    places = pa.array(np.cumsum(used, dtype=np.int32) - 1).cast(pa.int32())
    return pa.DictionaryArray.from_arrays(places.take(column.indices), column.dictionary.filter(pa.array(used)))
