"""Staged rows between steps: frames as Arrow files, and a report beside them that is written last.

A step's frames count only with their report, and the report names what they were made from.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import resource
import uuid
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from estat_dagster.domains import Domain
from estat_dagster.errors import DataError
from estat_dagster.lake import paths
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.store import Store
from estat_dagster.telemetry import log

REPORT = "report.json"
MOST_OPEN = 500
BATCH = 2_048  # rows that are read together, where only a part of a frame is wanted


class Frames:
    """The frames of one step of one dataset; iterating reads one at a time, again and again."""

    def __init__(self, store: Store, domain: Domain, dataset_id: str, step: str) -> None:
        self._store, self._folder, self._step = store, paths.staging(domain, dataset_id, step), step
        self._dataset_id = dataset_id

    @property
    def uri(self) -> str:
        """Where the frames are."""
        return self._store.uri(self._folder)

    def report(self) -> dict[str, Any] | None:
        """Return the report of the frames that count; None where there is none that can be read, or of today's form."""
        path = f"{self._folder}/{REPORT}"
        if not self._store.exists(path):
            return None
        try:
            report: dict[str, Any] = msgspec.json.decode(self._store.read(path), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._warn(f"{self._store.uri(path)} is damaged: {error}.")
            return None
        return report if "frames" in report else None

    def are_whole(self, report: dict[str, Any]) -> bool:
        """Whether every frame of a report is there with as many bytes as were written."""
        sizes = {file.path.rpartition("/")[2]: file.size for file in self._store.walk(self._folder)}
        if lost := [each["file"] for each in report["frames"] if sizes.get(each["file"]) != each.get("bytes")]:
            self._warn(f"In {self.uri} {', '.join(lost)} are gone, cut, or of an earlier version.")
        return not lost

    def _warn(self, words: str) -> None:
        message = f"{words} The {self._step} rows are made again."
        log("staging", message, dataset_id=self._dataset_id, level=logging.WARNING)

    def require_report(self) -> dict[str, Any]:
        """Return the report.

        Raises:
            DataError: the step was not run yet.
        """
        report = self.report()
        if report is None:
            raise DataError(
                f"{self._dataset_id} has no {self._step} rows yet.",
                hint="Materialize the layer before this one first.",
                dataset_id=self._dataset_id,
            )
        return report

    def runs(self, *, kept_open: bool = False) -> list[Frame]:
        """Return the frames that count, each to be read where it is wanted.

        Args:
            kept_open: whether they will be read again and again; so many as there can be are kept open then.
        """
        entries = self.require_report()["frames"]
        most = _most_open() if kept_open else 0
        return [
            Frame(self._store, f"{self._folder}/{entry['file']}", entry["rows"], kept_open=place < most)
            for place, entry in enumerate(entries)
        ]

    def __iter__(self) -> Iterator[pa.Table]:
        for frame in self.runs():
            yield frame.slice(0, frame.num_rows)

    def count(self) -> int:
        """Return the number of rows of all frames."""
        return sum(frame.num_rows for frame in self.runs())

    def column_names(self) -> list[str]:
        """Return the names of the columns that any frame has, in order."""
        return names_of(self.runs())

    def writer(self) -> FrameWriter:
        """Return a writer whose frames replace these when it is finished."""
        return FrameWriter(self._store, self._folder)


class Frame:
    """One stored frame, of which columns or rows can be read without the others.

    One that is kept open has its dictionaries in memory, and none of its rows.
    """

    def __init__(self, store: Store, path: str, num_rows: int, *, kept_open: bool = False) -> None:
        self._store, self._path, self.num_rows, self._kept_open = store, path, num_rows, kept_open
        self._idle: list[Any] = []

    @functools.cached_property
    def column_names(self) -> list[str]:
        """Names of the columns."""
        with self._open() as reader:
            return list(reader.schema.names)

    def distinct(self, columns: Sequence[str]) -> dict[str, pa.Array]:
        """Return the different values of some columns; of texts, the dictionary that the whole frame shares."""
        head = self.slice(0, 1)
        texts = [name for name in columns if pa.types.is_dictionary(head.schema.field(name).type)]
        others = self.select([name for name in columns if name not in texts])
        return {name: _dictionary(head.column(name)) for name in texts} | {
            name: pc.unique(others.column(name)) for name in others.column_names
        }

    def select(self, columns: Sequence[str]) -> pa.Table:
        """Return some columns of all rows."""
        with self._file() as file:
            reader = _reader(file, sorted(self.column_names.index(name) for name in columns))
            return reader.read_all().select(list(columns))

    def slice(self, offset: int, length: int) -> pa.Table:
        """Return all columns of some rows."""
        first, last = offset // BATCH, -(-(offset + length) // BATCH)
        with self._open() as reader:
            batches = [reader.get_batch(number) for number in range(first, min(last, reader.num_record_batches))]
            return pa.Table.from_batches(batches, reader.schema).slice(offset - first * BATCH, length)

    @contextlib.contextmanager
    def _open(self) -> Iterator[Any]:
        """Give a reader that no other thread uses meanwhile."""
        with self._file() as file:
            try:
                reader = self._idle.pop()
            except IndexError:
                reader = _reader(file)
            yield reader
            if self._kept_open:
                self._idle.append(reader)

    @contextlib.contextmanager
    def _file(self) -> Iterator[Any]:
        with explaining(f"{self._store.uri(self._path)} could not be read", reading=True):
            if self._kept_open:
                yield self._kept
            else:
                with self._store.open_whole(self._path) as file:
                    yield file

    @functools.cached_property
    def _kept(self) -> Any:
        return self._store.open_whole(self._path)


def names_of(runs: Sequence[Frame]) -> list[str]:
    """Return the names of the columns that any of some frames has, in order."""
    return list(dict.fromkeys(name for frame in runs for name in frame.column_names))


def _reader(file: Any, fields: list[int] | None = None) -> Any:
    return ipc.open_file(file, options=ipc.IpcReadOptions(included_fields=fields or [], use_threads=False))


def _most_open() -> int:
    """Return how many frames can be kept open: half of the files that the process may have open, and not too many."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_OPEN if files == resource.RLIM_INFINITY else min(MOST_OPEN, files // 2)


def _dictionary(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0).dictionary if column.num_chunks else pa.array([], pa.string())


class FrameWriter:
    """Writes frames file by file, side by side if need be; `finish` makes them count and removes those before."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder, self._version = store, folder, uuid.uuid4().hex[:12]
        self._written: dict[str, dict[str, int]] = {}
        self._finished = False

    def __enter__(self) -> FrameWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            self.clear()

    def write(self, number: int, frame: pa.Table) -> None:
        """Store the frame of a number; frames are read in the order of their numbers."""
        name = f"{self._version}-{number:05d}.arrow"
        self._written[name] = {"rows": len(frame)}
        options = ipc.IpcWriteOptions(compression="lz4", use_threads=False)
        with self._store.writing(f"{self._folder}/{name}") as stream:
            with ipc.new_file(stream, frame.schema, options=options) as writer:
                writer.write_table(frame.unify_dictionaries().combine_chunks(), max_chunksize=BATCH)
            self._written[name]["bytes"] = stream.tell()

    def clear(self) -> None:
        """Take back the frames that were written."""
        for name in self._written:
            self._store.remove(f"{self._folder}/{name}")
        self._written.clear()

    def finish(self, report: dict[str, Any]) -> None:
        """Store the report, which makes the frames count."""
        entries = [{"file": name, **facts} for name, facts in sorted(self._written.items())]
        body = msgspec.json.format(msgspec.json.encode({**report, "frames": entries}), indent=2)
        self._store.write(f"{self._folder}/{REPORT}", body)
        self._finished = True
        for name in self._store.names(self._folder):
            if name != REPORT and name not in self._written:
                self._store.remove(f"{self._folder}/{name}")
