"""A dataset taken out of the lake: its rows, its files, its rows about it, and last its entry in the registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from estat_dagster.domains import DOMAINS, check_dataset_id
from estat_dagster.errors import DataError
from estat_dagster.lake import about, inventory, paths
from estat_dagster.lake.iceberg import IcebergTableManager
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.registry import FAILED, DatasetEntry
from estat_dagster.lake.replacing import files_of, rows_of
from estat_dagster.lake.store import StoredFile

INTERRUPTED = "Its deletion was not finished; run `estat delete` again, or load it to keep it."


@dataclass(frozen=True)
class Holdings:
    """What the lake holds of a dataset: rows by table, files by folder, and its entry, if any."""

    dataset_id: str
    entry: DatasetEntry | None
    rows: dict[str, int]
    files: dict[str, list[StoredFile]]

    @property
    def is_empty(self) -> bool:
        """Whether the lake holds nothing of it."""
        return self.entry is None and not self.rows and not self.files


def holdings(lake: Lake, dataset_id: str, *, keep_raw: bool = False) -> Holdings:
    """Return what the lake holds of a dataset and a deletion would take out.

    Raises:
        ValidationError: the id is none.
    """
    check_dataset_id(dataset_id)
    names = [domain.table_name for domain in DOMAINS.values()] + [about.INVENTORY, about.DIMENSIONS]
    held = {name: _rows(lake.tables, name, dataset_id) for name in names if name in set(lake.tables.names())}
    files = {top: _files(lake, folders) for top, folders in _folders(dataset_id, keep_raw).items()}
    return Holdings(
        dataset_id,
        lake.registry.find(dataset_id),
        {name: rows for name, rows in held.items() if rows},
        {top: found for top, found in files.items() if found},
    )


def delete(lake: Lake, dataset_id: str, locks_home: Path, *, keep_raw: bool = False) -> Holdings:
    """Take a dataset out of the lake, and return what was taken out; snapshots keep its rows until they expire.

    The registry's entry goes last, so that what was interrupted can be run again. The raw pages are held alone the
    while: a fetch on this machine ends first.

    Raises:
        DataError: the lake holds nothing of it.
        StorageError: something could not be removed.
    """
    with lake.raw(dataset_id, bytes).alone(locks_home):
        found = holdings(lake, dataset_id, keep_raw=keep_raw)
        if found.is_empty:
            raise DataError(
                f"The lake holds nothing of {dataset_id}.",
                hint="`estat status` lists its datasets.",
                dataset_id=dataset_id,
            )
        if found.entry:
            lake.registry.update_status(dataset_id, FAILED, error=INTERRUPTED, loaded_version=None)
        for name in found.rows:
            inventory.take_out(lake.tables, name, dataset_id)
        for folders in _folders(dataset_id, keep_raw).values():
            for folder in folders:
                lake.store.remove_below(folder)
        lake.registry.remove(dataset_id)
    return found


def _rows(tables: IcebergTableManager, name: str, dataset_id: str) -> int:
    table = tables.load(name)
    if not files_of(table, dataset_id):
        return 0
    with explaining(f"The rows of {dataset_id} in {name} could not be counted", reading=True):
        return int(table.scan(row_filter=rows_of(dataset_id)).count())


def _folders(dataset_id: str, keep_raw: bool) -> dict[str, list[str]]:
    """Return where a dataset's files are, in any domain: folders, and names of single files."""
    domains = DOMAINS.values()
    return {
        "parquet": [paths.parquet(domain, dataset_id) for domain in domains],
        "quarantine": [paths.quarantine(domain, dataset_id) for domain in domains],
        "staging": [paths.staging(domain, dataset_id) for domain in domains],
        **({} if keep_raw else {"raw": [paths.raw(dataset_id)]}),
    }


def _files(lake: Lake, folders: list[str]) -> list[StoredFile]:
    return [file for folder in folders for file in lake.store.walk(folder)]
