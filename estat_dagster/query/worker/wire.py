"""What goes between a query's process and the one that asks: messages of bytes, whose first byte says what they are.

The one that asks sends a question and the rows it brings, then NEXT for each batch, and DONE at the end, whatever was
answered. It unpacks no Python objects, so that what a query could make of its process stays there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from enum import Enum

import pyarrow as pa

from estat_dagster.query.worker.sql import Question

NEXT, DONE = b"next", b"done"
_TYPES = b"duckdb_types"


class Kind(bytes, Enum):
    """What a message of a query's process is: its first byte."""

    READY = b"r"
    SCHEMA = b"s"
    BATCH = b"b"
    END = b"."
    PLAN = b"p"
    FAILED = b"x"


def question(asked: Question, tables: Sequence[str]) -> bytes:
    """Return a question's message; the tables it brings follow, each in a message of its own."""
    return json.dumps([dataclasses.asdict(asked), list(tables)]).encode()


def read_question(message: bytes) -> tuple[Question, list[str]]:
    """Return a question, and the names of the tables that follow."""
    fields, tables = json.loads(message)
    return Question(**fields), tables


def table(rows: pa.Table) -> bytes:
    """Return rows as a message."""
    return _stream(rows.schema, rows.to_batches())


def read_table(message: bytes) -> pa.Table:
    """Return the rows of a message."""
    return pa.ipc.open_stream(message).read_all()


def schema(kind: pa.Schema, types: Sequence[str]) -> bytes:
    """Return the message that comes before the rows: their schema, and the types that DuckDB calls them."""
    return Kind.SCHEMA + _stream(kind.with_metadata({_TYPES: json.dumps(types)}), [])


def read_schema(body: bytes) -> tuple[pa.Schema, list[str]]:
    """Return a schema, and DuckDB's names of its types."""
    found = pa.ipc.open_stream(body).schema
    return found.remove_metadata(), json.loads(found.metadata[_TYPES])


def batch(rows: pa.RecordBatch) -> bytes:
    """Return some rows of the answer as a message."""
    return Kind.BATCH + _stream(rows.schema, [rows])


def read_batch(body: bytes) -> pa.RecordBatch:
    """Return some rows of the answer."""
    return pa.ipc.open_stream(body).read_next_batch()


def failed(error: str, message: str, hint: str = "") -> bytes:
    """Return the message of an error: the name of its class, its words, and what to do."""
    return Kind.FAILED + json.dumps([error, message, hint]).encode()


def _stream(kind: pa.Schema, batches: Sequence[pa.RecordBatch]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, kind) as writer:
        for one in batches:
            writer.write_batch(one)
    return bytes(sink.getvalue())
