"""Columns of few different texts: each is a dictionary of the texts and, for each row, the place of its own.

What is asked of a text is asked once for each different one, never once a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TEXTS = pa.dictionary(pa.int32(), pa.string())


def encode(texts: pa.Array) -> pa.DictionaryArray:
    """Return texts, encoded or not, as a dictionary of different ones without null."""
    return texts if pa.types.is_dictionary(texts.type) else pc.dictionary_encode(texts)


def decode(texts: pa.Array) -> pa.StringArray:
    """Return texts, encoded or not, one after another."""
    return texts.dictionary_decode() if pa.types.is_dictionary(texts.type) else texts


def absent(rows: int) -> pa.DictionaryArray:
    """Return a column without any text."""
    return pa.nulls(rows, TEXTS)


def constant(text: str, rows: int) -> pa.DictionaryArray:
    """Return a column that holds the same text everywhere."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))


def distinct(column: pa.DictionaryArray) -> list[str]:
    """Return the different texts of a column."""
    texts: list[str] = column.dictionary.to_pylist()
    return texts


def ask(column: pa.DictionaryArray, find: Callable[[str], str | None]) -> pa.DictionaryArray:
    """Return for each row what `find` gives for its text; null where it gives None, and for null."""
    return spread(column, pa.array([find(text) for text in distinct(column)], pa.string()))


def spread(column: pa.DictionaryArray, texts: pa.Array) -> pa.DictionaryArray:
    """Return for each row the text that `texts` holds at the place of the row's own."""
    found = encode(texts)
    return pa.DictionaryArray.from_arrays(found.indices.take(column.indices), found.dictionary)


def pick(column: pa.DictionaryArray, values: Sequence[object], type_: pa.DataType, otherwise: object) -> pa.Array:
    """Return for each row the value at the place of its text, `otherwise` for null."""
    places = column.indices.fill_null(len(column.dictionary))
    return pa.array([*values, otherwise], type_).take(places)


def first_of(columns: Sequence[pa.DictionaryArray]) -> pa.DictionaryArray:
    """Return for each row the first text that any of the columns has."""
    [first, *others] = [column for column in columns if column.null_count < len(column)] or columns[:1]
    if not others or not first.null_count:
        return first
    return encode(pc.coalesce(*(decode(column) for column in (first, *others))))


def choose(own: pa.BooleanArray, texts: pa.DictionaryArray, others: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return for each row its own text where `own` says so, else the other one."""
    return encode(pc.if_else(own, decode(texts), decode(others)))


def take(rows: pa.Table, order: pa.Array) -> pa.Table:
    """Return the rows in an order; what is the same in every row stays as it is."""
    return pa.Table.from_arrays(
        [column if _is_constant(column) else column.take(order) for column in rows.columns], schema=rows.schema
    )


def _is_constant(column: pa.ChunkedArray) -> bool:
    if column.null_count == len(column):
        return True
    texts = pa.types.is_dictionary(column.type) and column.num_chunks == 1
    return texts and column.null_count == 0 and len(column.chunk(0).dictionary) == 1


def counts(column: pa.DictionaryArray) -> list[tuple[str, int]]:
    """Return each text with the number of its rows; null is not counted."""
    rows = np.bincount(column.indices.drop_null().to_numpy(), minlength=len(column.dictionary))
    return [(text, int(n)) for text, n in zip(distinct(column), rows, strict=True) if n]
