"""Data files of an Iceberg table: one for each partition of a dataset, in sort order, with the table's field ids."""

from __future__ import annotations

import contextlib
import itertools
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from estat_dagster.lake.rowgroups import compact, open_writer
from estat_dagster.lake.store import Store

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.typedef import Record

TARGET_BYTES = 128 * 1024 * 1024
AHEAD = 2  # row groups that wait for each file's thread; a file is found to be full as many later


class Written(NamedTuple):
    """A data file that was stored, and what its rows have in the partition columns."""

    path: str
    key: tuple[Any, ...]


def write_data_files(
    store: Store, folder: str, name: str, groups: Iterable[pa.Table], partition_by: Sequence[str]
) -> list[Written]:
    """Store rows that are ordered by their partition columns as data files and return these.

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
    return writer.files


def entries(store: Store, io: FileIO, metadata: TableMetadata, files: Sequence[Written]) -> Iterator[DataFile]:
    """Return what a manifest says of data files: place, size, partition, and metrics from their footers.

    As PyIceberg's `parquet_file_to_data_file` does for a file that it knows nothing of; these were made with the
    table's schema, what is the same for all is asked once, and the partition is that of the rows: metrics cut long
    texts off, and there are none of names.
    """
    from pyiceberg.io.pyarrow import compute_statistics_plan, data_file_statistics_from_parquet_metadata
    from pyiceberg.io.pyarrow import parquet_path_to_id_mapping as column_ids
    from pyiceberg.manifest import DataFile, DataFileContent, FileFormat

    schema = metadata.schema()
    plan, ids = compute_statistics_plan(schema, metadata.properties), column_ids(schema)
    for written in files:
        uri = store.uri(written.path)
        file = io.new_input(uri)
        with file.open() as stream:
            metrics = data_file_statistics_from_parquet_metadata(pq.read_metadata(stream), plan, ids)
        yield DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=uri,
            file_format=FileFormat.PARQUET,
            partition=_partition(metadata, written.key),
            file_size_in_bytes=len(file),
            sort_order_id=None,
            spec_id=metadata.default_spec_id,
            equality_ids=None,
            key_metadata=None,
            **metrics.to_serialized_dict(),
        )


def _partition(metadata: TableMetadata, key: tuple[Any, ...]) -> Record:
    from pyiceberg.partitioning import partition_record_value
    from pyiceberg.typedef import Record

    schema, fields = metadata.schema(), metadata.spec().fields
    return Record(*(partition_record_value(field, value, schema) for field, value in zip(fields, key, strict=True)))


class _Rolling:
    """Begins a file for another key or after a full one; files are written side by side, each by one thread."""

    def __init__(self, store: Store, stem: str) -> None:
        self._store, self._stem = store, stem
        self._lanes = [ThreadPoolExecutor(max_workers=1) for _ in range(os.cpu_count() or 1)]
        self._waiting: list[deque[Future[None]]] = [deque() for _ in self._lanes]
        self._key: tuple[Any, ...] | None = None
        self._file: _DataFile | None = None
        self._drafts: list[_DataFile] = []
        self.files: list[Written] = []

    def write(self, key: tuple[Any, ...], run: pa.Table) -> None:
        if self._file is None or key != self._key or self._file.is_full:
            self._end()
            path = f"{self._stem}-{len(self.files) + 1:05d}.parquet"
            self.files.append(Written(path, key))
            self._file = _DataFile(self._store, path, run.schema)
            self._drafts.append(self._file)
        self._key = key
        self._submit(self._file.write, run)

    def close(self) -> None:
        """Wait until every file is whole."""
        self._end()
        for future in itertools.chain.from_iterable(self._waiting):
            future.result()
        self._stop()

    def abandon(self) -> None:
        """Remove every file, also those that are not whole."""
        self._stop()
        for file in self._drafts:
            with contextlib.suppress(Exception):
                file.close()
        for written in self.files:
            self._store.remove(written.path)

    def _end(self) -> None:
        if self._file:
            self._submit(self._file.close)
            self._file = None

    def _submit(self, work: Callable[..., None], *arguments: Any) -> None:
        lane = len(self.files) % len(self._lanes)
        self._waiting[lane].append(self._lanes[lane].submit(work, *arguments))
        if len(self._waiting[lane]) > AHEAD:
            self._waiting[lane].popleft().result()

    def _stop(self) -> None:
        for lane in self._lanes:
            lane.shutdown(cancel_futures=True)


class _DataFile:
    """One file that is being written; it appears under its name when it is closed."""

    def __init__(self, store: Store, path: str, schema: pa.Schema) -> None:
        self._store, self._path, self._schema = store, path, schema
        self._open = contextlib.ExitStack()
        self._stream: Any = None
        self._writer: Any = None
        self.is_full = False

    def write(self, run: pa.Table) -> None:
        """Write a row group.

        Raises:
            StorageError: the lake cannot be written; the file is gone.
        """
        with contextlib.ExitStack() as unless_written:
            unless_written.push(self._open)
            if self._writer is None:
                self._stream = self._open.enter_context(self._store.writing(self._path))
                self._writer = self._open.enter_context(open_writer(self._stream, self._schema))
            self._writer.write_table(compact(run))
            self.is_full = self._stream.tell() >= TARGET_BYTES
            unless_written.pop_all()

    def close(self) -> None:
        self._open.close()


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
