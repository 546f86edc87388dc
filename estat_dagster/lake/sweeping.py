"""Snapshots that are no longer kept, and files that no snapshot names any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from estat_dagster.errors import ValidationError
from estat_dagster.lake import paths
from estat_dagster.lake.catalog import again_after
from estat_dagster.lake.iceberg import IcebergTableManager
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.replacing import path_in
from estat_dagster.lake.store import DRAFT, Store, StoredFile

if TYPE_CHECKING:
    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table

KEEP = 20
SAFE_AGE = timedelta(days=1)
"""No load takes longer; a younger file may be of a commit that is still to come."""
LONGEST_DAYS = 36_500


@dataclass(frozen=True)
class Expired:
    """Which snapshots of a table were expired, or would be: their files go with the orphans."""

    table_name: str
    snapshot_ids: tuple[int, ...]
    kept: int


@dataclass(frozen=True)
class Orphans:
    """Which files below a table's folder were removed, or would be; `table_name` "" is the rest of the lake."""

    table_name: str
    files: tuple[StoredFile, ...]

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(file.size for file in self.files)


def age(days: float) -> timedelta:
    """Return an age.

    Raises:
        ValidationError: that is no number of days that dates can be counted back.
    """
    if not 0 <= days <= LONGEST_DAYS:
        raise ValidationError(f"{days} is no age in days.", hint=f"Take --older-than 0 to {LONGEST_DAYS:,}.")
    return timedelta(days=days)


def check_age(older_than: timedelta) -> None:
    """Refuse an age at which a file may be of a load that runs.

    Raises:
        ValidationError: it is less than `SAFE_AGE`.
    """
    if older_than < SAFE_AGE:
        raise ValidationError(
            f"Files younger than {SAFE_AGE.days} day may belong to a load that still runs.",
            hint=f"Take --older-than {SAFE_AGE.days} or more.",
        )


def expire_snapshots(
    tables: IcebergTableManager, name: str, older_than: timedelta, *, keep: int = KEEP, dry_run: bool = False
) -> Expired:
    """Expire a table's snapshots of more than an age, but never the current one, the newest few, or a named one.

    Args:
        tables: the lake's tables.
        name: the table.
        older_than: the age.
        keep: how many of the newest stay, however old.
        dry_run: only say which.

    Raises:
        StorageError: the table cannot be written.
    """
    from pyiceberg.exceptions import CommitFailedException

    before = round((datetime.now(UTC) - older_than).timestamp() * 1000)

    def expire() -> Expired:
        table = tables.load(name)
        newest = sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number or 0, reverse=True)
        named = {ref.snapshot_id for ref in table.refs().values()}
        old = [s.snapshot_id for s in newest[max(keep, 1) :] if s.timestamp_ms < before and s.snapshot_id not in named]
        if old and not dry_run:
            table.maintenance.expire_snapshots().by_ids(old).commit()
        return Expired(name, tuple(old), len(newest) - len(old))

    with explaining(f"The snapshots of {name} could not be expired"):
        # PyIceberg says ValueError of a snapshot that another maintenance expired first.
        return again_after(expire, (CommitFailedException, ValueError))


def remove_orphans(
    tables: IcebergTableManager,
    name: str,
    older_than: timedelta,
    *,
    now: datetime | None = None,
    dry_run: bool = False,
) -> Orphans:
    """Remove the files below a table's folder that are of more than an age and that no kept snapshot names.

    They are listed before the table is read: what a commit took up in between is seen to be in use.

    Args:
        tables: the lake's tables.
        name: the table.
        older_than: the age.
        now: from when on it is counted back; None is this moment.
        dry_run: only say which.

    Raises:
        ValidationError: the age is less than `SAFE_AGE`.
        StorageError: the table cannot be read, or a file cannot be removed.
    """
    before = _before(older_than, now)
    store, table = tables.store, tables.load(name)
    listed = [file for file in store.walk(path_in(store, table.location())) if file.written_at < before]
    with explaining(f"The table {name} could not be read"):
        used = set(_used(store, tables.load(name)))
    return _remove(store, name, [file for file in listed if file.path not in used], dry_run)


def remove_drafts(
    store: Store, older_than: timedelta, *, now: datetime | None = None, dry_run: bool = False
) -> Orphans:
    """Remove what killed processes left half-written outside the tables, as `remove_orphans` does.

    Raises:
        ValidationError: the age is less than `SAFE_AGE`.
    """
    before = _before(older_than, now)
    files = (file for folder in paths.TOPS for file in store.walk(folder))
    drafts = [file for file in files if file.path.endswith(DRAFT) and file.written_at < before]
    return _remove(store, "", drafts, dry_run)


def _before(older_than: timedelta, now: datetime | None) -> datetime:
    check_age(older_than)
    return (now or datetime.now(UTC)) - older_than


def _remove(store: Store, name: str, files: list[StoredFile], dry_run: bool) -> Orphans:
    if not dry_run:
        for file in files:
            store.remove(file.path)
    return Orphans(name, tuple(files))


def _used(store: Store, table: Table) -> Iterator[str]:
    """Return the paths of every file that a table's metadata name."""
    metadata = table.metadata
    uris = {table.metadata_location, *(entry.metadata_file for entry in metadata.metadata_log)}
    uris |= {file.statistics_path for file in (*metadata.statistics, *metadata.partition_statistics)}
    manifests: dict[str, ManifestFile] = {}
    for snapshot in metadata.snapshots:
        uris.add(snapshot.manifest_list)
        manifests |= {manifest.manifest_path: manifest for manifest in snapshot.manifests(table.io)}
    for manifest in manifests.values():
        uris.add(manifest.manifest_path)
        uris |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
    for uri in uris:
        if path := store.path_of(uri):
            yield path
