"""One dataset back to the rows of an earlier snapshot, as a new commit; the other datasets stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.domains import Domain, get_domain
from estat_dagster.errors import StorageError, ValidationError
from estat_dagster.lake import about, inventory, paths, schemas, summary
from estat_dagster.lake.datafiles import Written, write_data_files
from estat_dagster.lake.history import dataset_snapshots, load_of
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.parquet import write_parquet
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.registry import LOADED, DatasetEntry, now
from estat_dagster.lake.replacing import (
    DATASET_ID,
    data_folder,
    files_of,
    holds_only,
    partition_columns,
    path_in,
    read_groups_of,
    rows_of,
)
from estat_dagster.snapshots import AsOf, snapshot_as_of

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table


@dataclass(frozen=True)
class RolledBack:
    """What a rollback did.

    `to` is the snapshot whose rows count again, `snapshot_id` the new one. `classes` says whether the classes in
    `dataset_dimensions` are those of that load too; where its snapshot is gone they stay the newest.
    """

    entry: DatasetEntry
    to: int
    snapshot_id: int
    rows: int
    files_again: int
    files_written: int
    classes: bool


def find_target(lake: Lake, dataset_id: str, to: AsOf) -> int:
    """Return the snapshot that a rollback would go to, after it was seen that it can.

    Raises:
        DataError, ValidationError, StorageError: as `rollback` says.
    """
    table = _table(lake, dataset_id)
    target = snapshot_as_of(table, to)
    _files(lake, table, dataset_id, target)
    return target


def rollback(lake: Lake, dataset_id: str, to: AsOf) -> RolledBack:
    """Make the rows of an earlier snapshot the dataset's rows again: table, Parquet file, registry and inventory.

    A load afterwards compares with these rows, so that it brings the newest content back. Interrupted in the middle it
    can be run again.

    Raises:
        DataError: the dataset is not registered.
        ValidationError: there is no such snapshot, or it holds no row of the dataset.
        StorageError: a file of the snapshot is gone, or the lake cannot be written.
    """
    entry = lake.registry.get_dataset_info(dataset_id)
    domain, table = get_domain(entry.domain), _table(lake, dataset_id)
    target = snapshot_as_of(table, to)
    found = _files(lake, table, dataset_id, target)
    told = load_of(table, dataset_id, target)
    facts = summary.read_load(told)
    # A load that comes before the end of this must not take the rows for those of the registry's version.
    lake.registry.save_metadata(msgspec.structs.replace(entry, loaded_version=None))
    again = [file for file in found if _is_usable(file, dataset_id, table)]
    rewritten = [file for file in found if file not in again]
    written = _write(lake, table, dataset_id, rewritten)
    properties = {
        **told,
        summary.DATASET: dataset_id,
        summary.ACTION: summary.ROLLED_BACK,
        summary.FROM: str(target),
    }
    snapshot = lake.tables.commit_files(domain.table_name, dataset_id, written, properties, again)
    _see_all(lake, again)
    if again and _table(lake, dataset_id).snapshot_by_id(target) is None:
        again, written = [], _copy(lake, dataset_id)
        snapshot = lake.tables.commit_files(domain.table_name, dataset_id, written, properties)
    rows, nulls = _write_file(lake, domain, dataset_id, snapshot, facts.get("loaded_version") or f"snapshot:{target}")
    done = lake.registry.update_status(
        dataset_id,
        LOADED,
        **{"table_name": domain.table_name, "valid_count": rows, "null_count": nulls, "loaded_version": None, **facts},
        **facts["loaded_release"],
        snapshot_id=snapshot,
        changed_at=now(),
    )
    inventory.put_inventory(lake.tables, done)
    classes = _put_classes(lake, dataset_id, facts.get("loaded_version"))
    return RolledBack(done, target, snapshot, rows, len(again), len(written), classes)


def _table(lake: Lake, dataset_id: str) -> Table:
    return lake.tables.load(get_domain(lake.registry.get_dataset_info(dataset_id).domain).table_name)


def _files(lake: Lake, table: Table, dataset_id: str, snapshot_id: int) -> list[DataFile]:
    """Return the snapshot's files that hold the dataset, after it was seen that all are there."""
    found = [
        file
        for file in files_of(table, dataset_id, snapshot_id=snapshot_id)
        if holds_only(file, dataset_id, table) or any(map(len, _own_groups(lake, table, dataset_id, file)))
    ]
    if not found:
        raise ValidationError(
            f"The snapshot {snapshot_id} of {table.name()[-1]} holds no row of {dataset_id}.",
            hint=f"`estat history {dataset_id}` lists those that do; `estat delete {dataset_id}` takes the rows out.",
        )
    _see_all(lake, found)
    return found


def _see_all(lake: Lake, files: list[DataFile]) -> None:
    """See that files are there: orphans are removed beside it."""
    gone = [file.file_path for file in files if not lake.store.exists(path_in(lake.store, file.file_path))]
    if gone:
        raise StorageError(
            f"{len(gone)} files of that snapshot are gone, such as {gone[0]}.",
            hint="Load the dataset with --force, or restore the files from a backup.",
        )


def _is_usable(file: DataFile, dataset_id: str, table: Table) -> bool:
    return holds_only(file, dataset_id, table) and file.spec_id == table.metadata.default_spec_id


def _write(lake: Lake, table: Table, dataset_id: str, files: list[DataFile]) -> list[Written]:
    """Write the dataset's rows of files that others share anew, in files of their own."""
    folder, columns = data_folder(lake.store, table), partition_columns(table)
    return [
        written
        for file in files
        for written in write_data_files(
            lake.store, folder, dataset_id, _own_groups(lake, table, dataset_id, file), columns
        )
    ]


def _copy(lake: Lake, dataset_id: str) -> list[Written]:
    """Write the dataset's rows in files that no earlier snapshot names.

    Those of one that expired beside a rollback may be taken for orphans by who read the table before its commit.
    """
    table = _table(lake, dataset_id)
    return _write(lake, table, dataset_id, files_of(table, dataset_id))


def _own_groups(lake: Lake, table: Table, dataset_id: str, file: DataFile) -> Iterator[pa.Table]:
    schema = schemas.file_schema(table.schema())
    for group in read_groups_of(lake.store, file, schema):
        yield group.filter(pc.equal(group.column(DATASET_ID).cast(pa.string()), dataset_id))


def _write_file(lake: Lake, domain: Domain, dataset_id: str, snapshot: int, version: str) -> tuple[int, int]:
    """Write the Parquet file from the table's rows, and return how many there are and how many without a number."""
    table = lake.tables.load(domain.table_name)
    files = sorted(files_of(table, dataset_id, snapshot_id=snapshot), key=_place)
    nulls = 0

    def groups() -> Iterator[pa.Table]:
        nonlocal nulls
        for file in files:
            for group in _own_groups(lake, table, dataset_id, file):
                nulls += group.column("value").null_count
                yield group

    path = paths.parquet(domain, dataset_id)
    rows = write_parquet(lake.store, path, groups(), schemas.file_schema(table.schema()), version)
    return rows, nulls


def _place(file: DataFile) -> tuple[Any, ...]:
    """Return what files are ordered by: their partition, nulls last, and their number within it."""
    values = [file.partition[n] for n in range(len(file.partition))]
    return (*((value is None, "" if value is None else value) for value in values), file.file_path)


def _put_classes(lake: Lake, dataset_id: str, version: str | None) -> bool:
    """Put the classes of the load of that version back into `dataset_dimensions`, and return whether they are kept."""
    lake.tables.create_dataset_inventory_table()
    table = lake.tables.load(about.DIMENSIONS)
    for facts in dataset_snapshots(table, dataset_id):
        snapshot = table.snapshot_by_id(facts.snapshot_id)
        said = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
        if version and said.get(summary.VERSION) == version:
            scan = table.scan(row_filter=rows_of(dataset_id), snapshot_id=facts.snapshot_id)
            properties = {name: said[name] for name in summary.OF_A_LOAD if name in said}
            with explaining(f"The classes of {dataset_id} could not be read"):
                rows = scan.to_arrow().to_pylist()
            inventory.put_dimensions(lake.tables, dataset_id, rows, properties)
            return True
    return False
