"""The VALUE array of a page as Arrow columns of text, one per attribute, each over the distinct texts of the page.

Records that are written alike, as e-Stat's are, are cut by `uniform`, which proves what it cuts. Others are given to
Arrow's JSON reader as one nested value, so a cell may hold `},{`, quotes or a newline. What Arrow does not read with
the attributes expected (one that CLASS_INF does not name, a number that was not quoted) is read slowly, one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.json

from estat_dagster.errors import DataError
from estat_dagster.records.texts import encode
from estat_dagster.records.uniform import VALUE, read_uniform

UNIT = "@unit"
ANNOTATION = "@annotation"
ANNOTATION_VARIANT = "@anotation"  # the specification spells it so in one place
# A number that is not quoted stays as it is written: as a float it could become 0.
_RECORDS = msgspec.json.Decoder(list[dict[str, Any]], float_hook=str)
PLAIN = (UNIT, ANNOTATION, ANNOTATION_VARIANT, VALUE)


def decode_values(values: bytes, axes: Sequence[str]) -> pa.Table:
    """Return the records of a VALUE element as a table of texts, dictionary-encoded but for `$`.

    Columns: one for each attribute, named as in the JSON (`@tab`, `@cat01`, `@unit`, `$`, ...). Attributes outside
    `axes` appear only where a record has them. Absent attributes are null.

    Raises:
        DataError: the element is not an array of flat objects.
    """
    array = values if values.lstrip().startswith(b"[") else b"[" + values + b"]"
    expected = [*(f"@{axis}" for axis in axes), *PLAIN]
    if columns := read_uniform(array):
        return _table(columns, expected)
    try:
        return _decode_columns(array, expected)
    except pa.ArrowInvalid:
        return _decode_slowly(array, expected)


def _table(columns: Mapping[str, pa.Array], expected: Sequence[str]) -> pa.Table:
    """Return the columns: the expected ones first, null where there are none, then the others."""
    rows = len(next(iter(columns.values()), []))
    whole = {name: columns[name] if name in columns else pa.nulls(rows, pa.string()) for name in (*expected, *columns)}
    return pa.table({name: column if name == VALUE else encode(column) for name, column in whole.items()})


def _decode_columns(array: bytes, expected: Sequence[str]) -> pa.Table:
    body = b'{"VALUE":' + array + b"}"
    record = pa.struct([pa.field(name, pa.string()) for name in expected])
    table = pyarrow.json.read_json(
        pa.BufferReader(body),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pa.schema([("VALUE", pa.list_(record))]),
            newlines_in_values=True,
            unexpected_field_behavior="error",
        ),
    )
    records = table.column(0).chunk(0).flatten()
    if records.null_count:
        raise pa.ArrowInvalid("a record is null")
    return _table(dict(zip(expected, records.flatten(), strict=True)), expected)


def _decode_slowly(array: bytes, expected: Sequence[str]) -> pa.Table:
    try:
        records = _RECORDS.decode(array)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"The VALUE of a page is not an array of records: {error}.") from error
    found = dict.fromkeys(expected) | dict.fromkeys(name for record in records for name in record)
    return _table({name: pa.array([_text(r.get(name)) for r in records], pa.string()) for name in found}, expected)


def _text(node: Any) -> str | None:
    if node is None or isinstance(node, str):
        return node
    if isinstance(node, bool | dict | list):
        raise DataError(f"A record of a page holds {node!r} where a text belongs.")
    return str(node)
