"""The raw layer: pages as e-Stat sent them, and the manifest that makes them a fetch."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from estat_dagster.errors import DataError
from estat_dagster.lake import paths
from estat_dagster.lake.store import Store

MANIFEST_ENDING = ".manifest.json"


class Page(Protocol):
    """A manifest's entry of a page."""

    @property
    def file(self) -> str:
        """Name of the file."""

    @property
    def sha256(self) -> str:
        """Hash of its bytes."""


P = TypeVar("P")


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

    def read_page(self, name: str) -> P:
        """Return a stored page."""
        return self._read(gzip.decompress(self._store.read(paths.raw(self._dataset_id, name))))

    def read_checked(self, page: Page) -> P:
        """Return a stored page whose bytes are those of the manifest.

        Raises:
            DataError: the file was changed since it was fetched.
        """
        wire = self._store.read(paths.raw(self._dataset_id, page.file))
        if hashlib.sha256(wire).hexdigest() != page.sha256:
            raise DataError(
                f"The raw page {page.file} is not the one that was fetched: its SHA-256 differs from the manifest's.",
                hint=f"Fetch it again: `estat load {self._dataset_id} --force`.",
                dataset_id=self._dataset_id,
            )
        return self._read(gzip.decompress(wire))

    def publish(self, first_page: str, manifest: bytes) -> str:
        """Store the manifest, which makes the fetch count, and return where it is."""
        stem = first_page.removesuffix(".json.gz").replace("_chunk_001", "")
        path = paths.raw(self._dataset_id, f"{stem}{MANIFEST_ENDING}")
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
