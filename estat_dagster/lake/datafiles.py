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
import pyarrow.parquet as pq

from estat_dagster.lake.partitions import keys
from estat_dagster.lake.rowgroups import compact, open_writer
from estat_dagster.lake.store import Store
from estat_dagster.partitioning import Partition, parse

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

    A file holds rows of one partition, and a new one begins after 128 MB. Where the order of rows says nothing of
    their partition, as with buckets, the files of these stay open side by side. Nothing stays behind after an error.
    """
    fields = [parse(field) for field in partition_by]
    ordered = _ordered(fields)
    writer = _Rolling(store, f"{folder}/{name}-{uuid.uuid4().hex[:12]}", ordered)
    try:
        for group in groups:
            for key, run in _runs(group, fields):
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
    """Begins a file for another key or after a full one; files are written side by side, each by one thread.

    Args:
        store: where they are written.
        stem: how their paths begin.
        ordered: how many values of a key the rows are ordered by; files end where these change.
    """

    def __init__(self, store: Store, stem: str, ordered: int) -> None:
        self._store, self._stem, self._ordered = store, stem, ordered
        self._lanes = [ThreadPoolExecutor(max_workers=1) for _ in range(os.cpu_count() or 1)]
        self._waiting: list[deque[Future[None]]] = [deque() for _ in self._lanes]
        self._open: dict[tuple[Any, ...], _DataFile] = {}
        self._drafts: list[_DataFile] = []
        self.files: list[Written] = []

    def write(self, key: tuple[Any, ...], run: pa.Table) -> None:
        for other in list(self._open):
            if other[: self._ordered] != key[: self._ordered] or (other == key and self._open[key].is_full):
                self._end(other)
        if key not in self._open:
            path = f"{self._stem}-{len(self.files) + 1:05d}.parquet"
            self.files.append(Written(path, key))
            self._open[key] = _DataFile(self._store, path, run.schema, len(self.files) % len(self._lanes))
            self._drafts.append(self._open[key])
        self._submit(self._open[key].lane, self._open[key].write, run)

    def close(self) -> None:
        """Wait until every file is whole."""
        for key in list(self._open):
            self._end(key)
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

    def _end(self, key: tuple[Any, ...]) -> None:
        file = self._open.pop(key)
        self._submit(file.lane, file.close)

    def _submit(self, lane: int, work: Callable[..., None], *arguments: Any) -> None:
        self._waiting[lane].append(self._lanes[lane].submit(work, *arguments))
        if len(self._waiting[lane]) > AHEAD:
            self._waiting[lane].popleft().result()

    def _stop(self) -> None:
        for lane in self._lanes:
            lane.shutdown(cancel_futures=True)


class _DataFile:
    """One file that is being written; it appears under its name when it is closed."""

    def __init__(self, store: Store, path: str, schema: pa.Schema, lane: int) -> None:
        self._store, self._path, self._schema, self.lane = store, path, schema, lane
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


def _ordered(fields: Sequence[Partition]) -> int:
    """Return by how many of the fields rows are ordered: within a part of a column, others come in any order."""
    whole = sum(1 for _ in itertools.takewhile(lambda field: not field.kind, fields))
    return whole + (whole < len(fields) and fields[whole].keeps_order)


def _runs(rows: pa.Table, fields: Sequence[Partition]) -> Iterator[tuple[tuple[Any, ...], pa.Table]]:
    """Cut rows where a partition value changes; where the order of rows says nothing of it, they are ordered first."""
    found = [keys(rows, field) for field in fields]
    if _ordered(fields) < len(fields):
        order = np.lexsort([places for places, _ in reversed(found)])
        rows = rows.take(pa.array(order))
        found = [(places[order], values) for places, values in found]
    changes = np.zeros(len(rows), dtype=bool)
    for places, _ in found:
        changes[1:] |= places[1:] != places[:-1]
    starts = [0, *np.flatnonzero(changes).tolist(), len(rows)]
    for start, end in itertools.pairwise(starts):
        if end > start:
            yield tuple(values[places[start]] for places, values in found), rows.slice(start, end - start)
