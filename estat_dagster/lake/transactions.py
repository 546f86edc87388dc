"""Changes of a table whose cost does not grow with all that was done to the table before.

PyIceberg 0.12 copies the table's metadata, with every snapshot in them, each time that a step of a commit asks for one
of their facts: about fifteen times a commit. Its steps only read the copy, so one for each change is enough. And its
overwrites leave a manifest or two each, which every later commit and query has to open; its appends merge them.
"""

from __future__ import annotations

from typing import Any, Self

from pyiceberg import table
from pyiceberg.manifest import ManifestContent, ManifestEntry, ManifestFile
from pyiceberg.table import TableProperties
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _ManifestMergeManager, _OverwriteFiles

from estat_dagster.lake import schemas


class Transaction(table.Transaction):
    """A transaction that copies the metadata only after they changed."""

    _copied_of: tuple[Any, Any] = (None, None)

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    @property
    def table_metadata(self) -> TableMetadata:
        """The metadata as they would be if the transaction were committed now; not to be changed."""
        base, updates = self._table.metadata, self._updates
        if self._copied_of[0] is not base or self._copied_of[1] is not updates:
            self._copy = super().table_metadata
            self._copied_of = base, updates
        return self._copy

    def replace_files(self, properties: dict[str, str]) -> Overwrite:
        """Return a snapshot that puts files in the place of others, made when it is left as a context.

        Args:
            properties: of the snapshot.
        """
        known = self.table_metadata.current_snapshot() is not None
        operation = Operation.OVERWRITE if known else Operation.APPEND
        return Overwrite(operation, self, self._table.io, snapshot_properties=properties)


class Overwrite(_OverwriteFiles):
    """An overwrite that merges the table's manifests where they are many, and opens none to take nothing out."""

    def _deleted_entries(self) -> list[ManifestEntry]:
        return super()._deleted_entries() if self._deleted_data_files else []

    def _existing_manifests(self) -> list[ManifestFile]:
        if self._deleted_data_files:
            return super()._existing_manifests()
        snapshot = self._transaction.table_metadata.snapshot_by_name(self._target_branch)
        return snapshot.manifests(self._io) if snapshot else []

    def _process_manifests(self, manifests: list[ManifestFile]) -> list[ManifestFile]:
        wanted = schemas.MANIFESTS | self._transaction.table_metadata.properties
        merging = _ManifestMergeManager(
            int(wanted[TableProperties.MANIFEST_TARGET_SIZE_BYTES]),
            int(wanted[TableProperties.MANIFEST_MIN_MERGE_COUNT]),
            wanted[TableProperties.MANIFEST_MERGE_ENABLED] == "true",
            self,
        )
        data = [manifest for manifest in manifests if manifest.content == ManifestContent.DATA]
        return merging.merge_manifests(data) + [one for one in manifests if one.content != ManifestContent.DATA]
