"""A table whose data files are gone or damaged: they are taken out, and their rows come back from `parquet/`.

A dataset of it is whole again or not there at all: where its Parquet file is not that of its last load, all of its rows
are taken out, and the registry says that it is to be loaded again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import pyarrow.parquet as pq

from estat_dagster.domains import get_domain
from estat_dagster.errors import DamagedError, StorageError
from estat_dagster.lake import about, inventory, paths, schemas, summary
from estat_dagster.lake.datafiles import Written, write_data_files
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.parquet import read_groups, read_version
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.registry import FAILED, DatasetEntry
from estat_dagster.lake.replacing import DATASET_ID, bounds_of, data_folder, partition_columns, path_in, replace
from estat_dagster.lake.store import Store
from estat_dagster.parallel import side_by_side

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

GONE, DAMAGED = "gone", "damaged"
LOST = "A data file with its rows was lost; load it again."


@dataclass(frozen=True)
class Repaired:
    """What was lost of a table, and what became of it, or would.

    `gone` and `damaged` are the addresses of the files, `bytes` their size. `mended` are datasets whose rows are back,
    `load_again` those that have none now. `unknown_rows` stood in the files, and no dataset of the registry lacks them.
    """

    table_name: str
    gone: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    bytes: int = 0
    mended: tuple[str, ...] = ()
    load_again: tuple[str, ...] = ()
    unknown_rows: int = 0


def repair(lake: Lake, name: str, *, dry_run: bool = False) -> Repaired:
    """Take the data files that are gone or damaged out of a table, and put their datasets' rows back, in one commit.

    Every data file of the table is read whole, to find the damaged ones.

    Raises:
        ValidationError: there is no such table.
        StorageError: the lake cannot be read or written, or other commits came between: run it again.
    """
    table = lake.tables.load(name)
    with explaining(f"The table {name} could not be read"):
        files = [task.file for task in table.scan().plan_files()]
    states = dict(zip(files, side_by_side(partial(_state, lake.store), files), strict=True))
    lost = [file for file, state in states.items() if state]
    if not lost:
        return Repaired(name)
    left = _rows_left(lake.store, table, [file for file in files if file not in lost])
    lacking = [(entry, missing) for entry in lake.registry if (missing := _missing(entry, name, left)) > 0]
    whole = [entry for entry, _ in lacking if _can_be_mended(lake, name, entry)]
    others = [entry for entry, _ in lacking if entry not in whole]
    if not dry_run:
        _mend(lake, table, lost, whole, others)
    unknown = sum(file.record_count for file in lost) - sum(missing for _, missing in lacking)
    return Repaired(
        name,
        tuple(file.file_path for file in lost if states[file] == GONE),
        tuple(file.file_path for file in lost if states[file] == DAMAGED),
        sum(file.file_size_in_bytes for file in lost),
        tuple(entry.dataset_id for entry in whole),
        tuple(entry.dataset_id for entry in others),
        0 if name == about.DIMENSIONS else max(0, unknown),
    )


def _state(store: Store, file: DataFile) -> str:
    """Return whether a data file is GONE or DAMAGED, by reading it whole; "" where it is right."""
    path = path_in(store, file.file_path)
    if not store.exists(path):
        return GONE
    try:
        with store.reading(path) as stream:
            reader = pq.ParquetFile(stream, page_checksum_verification=True)
            for number in range(reader.num_row_groups):
                reader.read_row_group(number, use_threads=False)
    except DamagedError:
        return DAMAGED
    return ""


def _rows_left(store: Store, table: Table, files: Sequence[DataFile]) -> Counter[str]:
    """Return how many rows each dataset has in files that are there."""
    counts: Counter[str] = Counter()
    for file in files:
        least, greatest = bounds_of(file, table)
        if least == greatest:
            counts[least] += file.record_count
        else:
            with store.open(path_in(store, file.file_path)) as stream:
                counts.update(pq.read_table(stream, columns=[DATASET_ID]).column(DATASET_ID).to_pylist())
    return counts


def _missing(entry: DatasetEntry, name: str, left: Counter[str]) -> int:
    """Return how many rows of a dataset are missing from a table; of its classes only whether all are."""
    if name == about.INVENTORY:
        return 1 - left[entry.dataset_id]
    if entry.snapshot_id is None:
        return 0
    if name == about.DIMENSIONS:
        return int(left[entry.dataset_id] == 0)
    return (entry.valid_count or 0) - left[entry.dataset_id] if entry.table_name == name else 0


def _can_be_mended(lake: Lake, name: str, entry: DatasetEntry) -> bool:
    """Whether the rows of a dataset's last load are kept elsewhere: in its Parquet file, or in the registry."""
    if name in (about.INVENTORY, about.DIMENSIONS):
        return name == about.INVENTORY
    path = paths.parquet(get_domain(entry.domain), entry.dataset_id)
    version = read_version(lake.store, path)
    if version is None or entry.loaded_version not in (None, version):
        return False
    with lake.store.open(path) as file:
        return bool(pq.read_metadata(file).num_rows == entry.valid_count)


def _mend(
    lake: Lake, table: Table, lost: list[DataFile], whole: list[DatasetEntry], others: list[DatasetEntry]
) -> None:
    name = table.name()[-1]
    if name in (about.INVENTORY, about.DIMENSIONS):
        _commit(lake, table, lost, [], [])
        for entry in whole:
            inventory.put_inventory(lake.tables, entry)
        return
    for entry in others:  # first, so that no load takes rows that are taken out for those of its version
        lake.registry.save_metadata(msgspec.structs.replace(entry, loaded_version=None))
    files = [written for entry in whole for written in _write(lake, table, entry)]
    snapshot = _commit(lake, table, lost, [*whole, *others], files)
    told = [msgspec.structs.replace(entry, snapshot_id=snapshot) for entry in whole]
    nothing = {"snapshot_id": None, "loaded_version": None, "valid_count": None, "null_count": None}
    told += [msgspec.structs.replace(entry, status=FAILED, error=LOST, **nothing) for entry in others]
    for entry in told:
        lake.registry.save_metadata(entry)
    for entry in told:
        inventory.put_inventory(lake.tables, entry)


def _write(lake: Lake, table: Table, entry: DatasetEntry) -> list[Written]:
    path = paths.parquet(get_domain(entry.domain), entry.dataset_id)
    groups = read_groups(lake.store, path, schemas.file_schema(table.schema()))
    return write_data_files(
        lake.store, data_folder(lake.store, table), entry.dataset_id, groups, partition_columns(table)
    )


def _commit(lake: Lake, table: Table, lost: list[DataFile], entries: list[DatasetEntry], files: list[Written]) -> int:
    """Commit to the table as it was read: what another commit changed of these datasets is not overwritten."""
    from pyiceberg.exceptions import CommitFailedException, ValidationException

    refused, ids = (CommitFailedException, ValidationException), [entry.dataset_id for entry in entries]
    try:
        with explaining(f"The table {table.name()[-1]} could not be repaired", but=refused):
            return replace(lake.store, table, ids, files, {summary.ACTION: summary.REPAIRED}, gone=lost)
    except refused as error:
        for written in files:
            lake.store.remove(written.path)
        raise StorageError(
            f"The table {table.name()[-1]} was changed while it was being repaired.", hint="Repair it again."
        ) from error
