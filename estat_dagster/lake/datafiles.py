"""Data files of an Iceberg table: one for each partition of a dataset, in sort order, with the table's field ids."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.lake.rowgroups import compact, open_writer
from estat_dagster.lake.store import Store

TARGET_BYTES = 128 * 1024 * 1024


def write_data_files(
    store: Store, folder: str, name: str, groups: Iterable[pa.Table], partition_by: Sequence[str]
) -> list[str]:
    """Store rows that are ordered by their partition columns as data files and return their paths.

    A file holds rows of one partition, and a new one begins after 128 MB. Nothing stays behind after an error.
    """
    writer = _Rolling(store, f"{folder}/{name}-{uuid.uuid4().hex[:12]}")
    try:
        for group in groups:
            for key, run in _runs(group, partition_by):
                writer.write(key, run)
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    return writer.paths


class _Rolling:
    """One open file at a time; another key or a full file begins the next."""

    def __init__(self, store: Store, stem: str) -> None:
        self._store, self._stem = store, stem
        self._key: tuple[Any, ...] | None = None
        self._open: contextlib.ExitStack | None = None
        self._writer: Any = None
        self._stream: Any = None
        self.paths: list[str] = []

    def write(self, key: tuple[Any, ...], run: pa.Table) -> None:
        if self._open is None or key != self._key or self._stream.tell() >= TARGET_BYTES:
            self.close()
            self._begin(run.schema)
        self._key = key
        self._writer.write_table(compact(run))

    def _begin(self, schema: pa.Schema) -> None:
        path = f"{self._stem}-{len(self.paths) + 1:05d}.parquet"
        self._open = contextlib.ExitStack()
        self._stream = self._open.enter_context(self._store.writing(path))
        self._writer = self._open.enter_context(open_writer(self._stream, schema))
        self.paths.append(path)

    def close(self) -> None:
        if self._open:
            self._open.close()
            self._open = None

    def abandon(self) -> None:
        with contextlib.suppress(Exception):
            self.close()
        for path in self.paths:
            self._store.remove(path)


def _runs(rows: pa.Table, columns: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], pa.Table]]:
    """Cut rows where the value of a partition column changes."""
    changes = np.zeros(len(rows), dtype=bool)
    for name in columns:
        places = pc.dictionary_encode(rows.column(name).combine_chunks()).indices.fill_null(-1).to_numpy()
        changes[1:] |= places[1:] != places[:-1]
    starts = [0, *np.flatnonzero(changes).tolist(), len(rows)]
    for start, end in itertools.pairwise(starts):
        if end > start:
            key = tuple(rows.column(name)[start].as_py() for name in columns)
            yield key, rows.slice(start, end - start)
