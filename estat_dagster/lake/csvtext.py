"""Arrow batches as CSV (RFC 4180, UTF-8), column by column, with NULL told from the empty text.

NULL is nothing between two commas, an empty text is "", and every text stands in quotation marks: so PostgreSQL,
DuckDB, Polars and Arrow read them apart, and no program takes an absent number for 0.
"""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.errors import ValidationError

END = "\r\n"
QUOTE, COMMA, NOTHING = (pa.scalar(text, pa.large_string()) for text in ('"', ",", ""))
MOMENT = "%Y-%m-%dT%H:%M:%S"


class CsvWriter:
    """Writes a header, then batches.

    Raises:
        ValidationError: a column holds lists or records.
    """

    def __init__(self, stream: BinaryIO, schema: pa.Schema) -> None:
        self._stream = stream
        for field in schema:
            if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
                raise ValidationError(
                    f"The column {field.name} holds {field.type}, which CSV cannot.",
                    hint="CAST it to varchar in the SQL, or export with --as parquet.",
                )
        stream.write((",".join(_quote(name) for name in schema.names) + END).encode())

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""
        if len(batch) == 0:
            return
        columns = [_rendered(column) for column in batch.columns]
        lines = pc.binary_join_element_wise(*columns, COMMA)
        self._stream.write((END.join(lines.to_pylist()) + END).encode())


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rendered(column: pa.Array) -> pa.Array:
    type_ = column.type
    if pa.types.is_dictionary(type_):
        return _rendered(column.dictionary_decode())
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        escaped = pc.replace_substring(column.cast(pa.large_string()), '"', '""')
        texts = pc.binary_join_element_wise(QUOTE, escaped, QUOTE, NOTHING)
    elif pa.types.is_timestamp(type_):
        texts = pc.strftime(column, MOMENT + ("Z" if type_.tz else "")).cast(pa.large_string())
    elif pa.types.is_floating(type_):
        texts = column.cast(pa.large_string())
        for word, written in (("nan", "NaN"), ("inf", "INF")):  # as Table Schema writes them
            texts = pc.replace_substring(texts, word, written)
    else:
        texts = column.cast(pa.large_string())
    return pc.fill_null(texts, NOTHING)
