"""Small files of a table put together: data files within a partition, and the manifests that list them.

Every load leaves a file a partition, so that a table of many small datasets has many small files. They are put together
by the dataset, each dataset's rows side by side in their own order, and only up to `SHARED_BYTES`: a later load of one
of them takes its rows out of such a file again, and writes the rest of it anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from estat_dagster.lake import schemas, summary
from estat_dagster.lake.catalog import RACES, again_after
from estat_dagster.lake.datafiles import Written, entries, write_data_files
from estat_dagster.lake.iceberg import IcebergTableManager
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.replacing import DATASET_ID, data_folder, partition_columns, read_groups_of, rows_of
from estat_dagster.lake.rowgroups import ROW_GROUP, under
from estat_dagster.lake.store import Store

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table
    from pyiceberg.typedef import Record

SMALL_BYTES = 4 * 1024 * 1024
SHARED_BYTES = 8 * 1024 * 1024
FEWEST = 5  # files that are worth a new one
ROWS_TOGETHER = ROW_GROUP // 4  # rows: large enough for a row group, small enough that statistics find a dataset


@dataclass(frozen=True)
class Compacted:
    """What compaction did to a table, or would do.

    `left` counts partitions that other commits kept changing; the next compaction finds them again.
    """

    table_name: str
    partitions: int
    files_before: int
    files_after: int
    bytes: int
    manifests_before: int
    manifests_after: int
    left: int = 0


def compact(tables: IcebergTableManager, name: str, *, dry_run: bool = False) -> Compacted:
    """Put the small data files of each partition together, one commit a new file, then the manifests.

    Loads may run beside it: what they change is theirs, and the partition is planned again.

    Raises:
        StorageError: the table cannot be read or written.
    """
    with explaining(f"The files of {name} could not be put together", reading=True):
        return _compact(tables, name, dry_run)


def _compact(tables: IcebergTableManager, name: str, dry_run: bool) -> Compacted:
    table = tables.load(name)
    plans = {partition: bins for partition, bins in _plan(table).items() if bins}
    before, manifests = _counts(table)
    small = [file for bins in plans.values() for held in bins for file in held]
    merged, left = len(small) - sum(len(bins) for bins in plans.values()), 0
    if not dry_run:
        left = sum(not _compact_partition(tables, name, partition) for partition in plans)
        merge_manifests(tables, name)
    after = (before - merged, manifests) if dry_run else _counts(tables.load(name))
    size = sum(file.file_size_in_bytes for file in small)
    return Compacted(name, len(plans), before, after[0], size, manifests, after[1], left)


def merge_manifests(tables: IcebergTableManager, name: str) -> None:
    """List a table's data files in as few manifests as may be, where there are many; every commit reads all of them."""
    from pyiceberg.exceptions import CommitFailedException

    from estat_dagster.lake.transactions import Transaction

    def merge() -> None:
        table = tables.load(name)
        if _counts(table)[1] < int(schemas.MANIFESTS["commit.manifest.min-count-to-merge"]):
            return
        with Transaction(table) as transaction:
            lacking = {key: text for key, text in schemas.MANIFESTS.items() if table.properties.get(key) != text}
            if lacking:
                transaction.set_properties(lacking)
            transaction.update_snapshot(snapshot_properties={summary.ACTION: summary.COMPACTED}).merge_append().commit()

    again_after(merge, (CommitFailedException,))


def _counts(table: Table) -> tuple[int, int]:
    """Return how many data files and manifests the current snapshot has."""
    snapshot = table.current_snapshot()
    if snapshot is None:
        return 0, 0
    return sum(1 for _ in table.scan().plan_files()), len(snapshot.manifests(table.io))


def _plan(table: Table) -> dict[Record, list[list[DataFile]]]:
    """Return for each partition which files are put together into one."""
    field = table.schema().find_field(DATASET_ID).field_id
    partitions: dict[Record, list[DataFile]] = {}
    for task in table.scan().plan_files():
        is_ours = task.file.spec_id == table.metadata.default_spec_id and not task.delete_files
        if is_ours and task.file.file_size_in_bytes < SMALL_BYTES:
            partitions.setdefault(task.file.partition, []).append(task.file)
    return {
        partition: _bins(sorted(files, key=lambda file: (file.lower_bounds.get(field, b""), file.file_path)))
        for partition, files in partitions.items()
    }


def _bins(files: Iterable[DataFile]) -> list[list[DataFile]]:
    bins: list[list[DataFile]] = [[]]
    size = 0
    for file in files:
        if size + file.file_size_in_bytes > SHARED_BYTES:
            bins.append([])
            size = 0
        bins[-1].append(file)
        size += file.file_size_in_bytes
    return [held for held in bins if len(held) >= FEWEST]


def _compact_partition(tables: IcebergTableManager, name: str, partition: Record) -> bool:
    """Put the small files of a partition together, and return whether no other commit kept coming first."""
    from pyiceberg.exceptions import CommitFailedException, ValidationException

    def once() -> None:
        table = tables.load(name)
        for held in _plan(table).get(partition, []):
            _merge(tables.store, tables.load(name), held)

    try:
        again_after(once, (CommitFailedException, ValidationException), times=RACES)
    except (CommitFailedException, ValidationException):
        return False
    return True


def _merge(store: Store, table: Table, files: list[DataFile]) -> None:
    groups = _together(store, files, schemas.file_schema(table.schema()))
    written = write_data_files(store, data_folder(store, table), "shared", groups, partition_columns(table))
    from pyiceberg.exceptions import CommitFailedException, ValidationException

    try:
        _commit(store, table, files, written)
    except (CommitFailedException, ValidationException):
        for file in written:
            store.remove(file.path)
        raise


def _commit(store: Store, table: Table, files: list[DataFile], written: list[Written]) -> None:
    from estat_dagster.lake.transactions import Transaction

    with Transaction(table) as transaction:
        new = list(entries(store, table.io, transaction.table_metadata, written))
        rows = str(sum(file.record_count for file in new))
        properties = {summary.ACTION: summary.COMPACTED, summary.CARRIED: rows}
        with transaction.replace_files(properties) as snapshot:
            # A commit that took out one of the files is in the way, and no other.
            snapshot.delete_by_predicate(rows_of())
            for file in files:
                snapshot.delete_data_file(file)
            for file in new:
                snapshot.append_data_file(file)


def _together(store: Store, files: list[DataFile], schema: pa.Schema) -> Iterator[pa.Table]:
    """Return the rows of files one after another, in row groups that hold several datasets where these are small."""
    held: list[pa.Table] = []
    groups = itertools.chain.from_iterable(read_groups_of(store, file, schema) for file in files)
    for group in groups:
        if held and sum(map(len, held)) + len(group) > ROWS_TOGETHER:
            yield _one(held, schema)
            held = []
        held.append(group)
    if held:
        yield _one(held, schema)


def _one(groups: list[pa.Table], schema: pa.Schema) -> pa.Table:
    return under(pa.concat_tables(groups).unify_dictionaries(), schema)
