"""Staged rows between steps: frames as Parquet files, and a report beside them that is written last.

A step's frames count only with their report, and the report names what they were made from.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from estat_dagster.domains import Domain
from estat_dagster.errors import DataError
from estat_dagster.lake import paths
from estat_dagster.lake.store import Store

REPORT = "report.json"


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
        """Return the report of the frames that count, or None where there are none."""
        path = f"{self._folder}/{REPORT}"
        if not self._store.exists(path):
            return None
        report: dict[str, Any] = msgspec.json.decode(self._store.read(path))
        return report

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

    def files(self) -> list[str]:
        """Return the paths of the frames that count, for readers of the store's file system."""
        return [self._store.full(f"{self._folder}/{name}") for name in self.require_report()["files"]]

    def __iter__(self) -> Iterator[pa.Table]:
        for path in self.files():
            yield pq.read_table(path, filesystem=self._store.filesystem)

    def column_names(self) -> list[str]:
        """Return the names of the columns that any frame has, in order."""
        names: dict[str, None] = {}
        for path in self.files():
            names |= dict.fromkeys(pq.read_schema(path, filesystem=self._store.filesystem).names)
        return list(names)

    def writer(self) -> FrameWriter:
        """Return a writer whose frames replace these when it is finished."""
        return FrameWriter(self._store, self._folder)


class FrameWriter:
    """Writes frames file by file; `finish` makes them count and removes those before."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store, self._folder, self._version = store, folder, uuid.uuid4().hex[:12]
        self._files: list[str] = []
        self._finished = False

    def __enter__(self) -> FrameWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            for name in self._files:
                self._store.remove(f"{self._folder}/{name}")

    def write(self, frame: pa.Table) -> None:
        """Store one frame."""
        name = f"{self._version}-{len(self._files) + 1:05d}.parquet"
        self._files.append(name)
        with self._store.writing(f"{self._folder}/{name}") as stream:
            pq.write_table(frame, stream, compression="lz4")

    def finish(self, report: dict[str, Any]) -> None:
        """Store the report, which makes the frames count."""
        body = msgspec.json.format(msgspec.json.encode({**report, "files": self._files}), indent=2)
        self._store.write(f"{self._folder}/{REPORT}", body)
        self._finished = True
        for name in self._store.names(self._folder):
            if name != REPORT and name not in self._files:
                self._store.remove(f"{self._folder}/{name}")
