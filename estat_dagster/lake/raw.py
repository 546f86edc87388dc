"""The raw layer: pages as e-Stat sent them, and the manifest that makes them a fetch."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from filelock import FileLock, Timeout
from isal import igzip

from estat_dagster.errors import DataError, StorageError
from estat_dagster.lake import paths
from estat_dagster.lake.store import Store
from estat_dagster.telemetry import log

LOCKS_HINT = "Check that the folder can be written and has space."
MANIFEST_ENDING = ".manifest.json"
RECORD = "unfinished.json"


class Page(Protocol):
    """A manifest's entry of a page."""

    @property
    def file(self) -> str:
        """Name of the file."""

    @property
    def sha256(self) -> str:
        """Hash of its bytes."""


P = TypeVar("P")


def _lock(path: Path, dataset_id: str) -> FileLock:
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        log("fetch", "Another process fetches this dataset; waiting for it.", dataset_id=dataset_id)
        lock.acquire()
    return lock


class RawPages(Generic[P]):
    """The raw files of one dataset.

    Args:
        read: makes a page of a body; the lake does not know what e-Stat writes.
    """

    def __init__(self, store: Store, dataset_id: str, read: Callable[[bytes], P]) -> None:
        self._store, self._dataset_id, self._read = store, dataset_id, read

    def write(self, name: str, wire: bytes) -> None:
        """Store a page's gzip bytes as they came."""
        self._store.write(paths.raw(self._dataset_id, name), wire)

    def remove(self, name: str) -> None:
        """Remove a page."""
        self._store.remove(paths.raw(self._dataset_id, name))

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a page, None where it is not there."""
        path = paths.raw(self._dataset_id, name)
        return self._store.read(path) if self._store.exists(path) else None

    def names(self, containing: str) -> list[str]:
        """Return the names of the files that contain a text, also of unfinished ones, but never of a manifest."""
        found = self._store.names(paths.raw(self._dataset_id))
        return [name for name in found if containing in name and not name.endswith(MANIFEST_ENDING)]

    def write_record(self, record: bytes | None) -> None:
        """Store the record of a fetch that is not finished, or take it away. It is no manifest, and never counts."""
        path = paths.raw(self._dataset_id, RECORD)
        if record is None:
            self._store.remove(path)
        else:
            self._store.write(path, record)

    def read_record(self) -> bytes | None:
        """Return the record of a fetch that was not finished, None where there is none."""
        return self.read(RECORD)

    def read_page(self, name: str) -> P:
        """Return a stored page."""
        return self._read(igzip.decompress(self._store.read(paths.raw(self._dataset_id, name))))

    def read_checked(self, page: Page) -> P:
        """Return a stored page whose bytes are those of the manifest.

        Raises:
            DataError: the file was changed since it was fetched.
        """
        wire = self._store.read(paths.raw(self._dataset_id, page.file))
        if hashlib.sha256(wire).hexdigest() != page.sha256:
            raise DataError(
                f"The raw page {page.file} is not the one that was fetched: its SHA-256 differs from the manifest's.",
                hint=f"Fetch it again: `estat load {self._dataset_id}`.",
                dataset_id=self._dataset_id,
            )
        return self._read(igzip.decompress(wire))

    @contextlib.contextmanager
    def alone(self, locks_home: Path) -> Iterator[None]:
        """Hold the dataset's raw pages alone on this machine; wait while another process fetches it too."""
        path = locks_home / "raw" / f"{self._dataset_id}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = _lock(path, self._dataset_id)
        except OSError as error:
            raise StorageError(f"{path} cannot be locked: {error.strerror or error}.", hint=LOCKS_HINT) from error
        try:
            yield
        finally:
            lock.release()

    def publish(self, name: str, manifest: bytes) -> str:
        """Store the manifest under its name, which makes the fetch count, and return where it is."""
        path = paths.raw(self._dataset_id, f"{name}{MANIFEST_ENDING}")
        self._store.write(path, manifest)
        return self._store.uri(path)

    def latest(self) -> tuple[str, bytes] | None:
        """Return where the newest manifest is and its bytes, or None where nothing was fetched yet."""
        folder = paths.raw(self._dataset_id)
        manifests = [name for name in self._store.names(folder) if name.endswith(MANIFEST_ENDING)]
        if not manifests:
            return None
        path = f"{folder}/{manifests[-1]}"
        return self._store.uri(path), self._store.read(path)
