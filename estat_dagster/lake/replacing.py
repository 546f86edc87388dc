"""One commit that puts data files in place of datasets', and leaves the rows of every other dataset as they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import DataError, StorageError
from estat_dagster.lake import partitions, schemas, summary
from estat_dagster.lake.datafiles import Written, entries, write_data_files
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.rowgroups import read_row_group
from estat_dagster.lake.store import Store

if TYPE_CHECKING:
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import FileScanTask, Table

DATASET_ID = "dataset_id"


def replace(
    store: Store,
    table: Table,
    dataset_ids: Sequence[str],
    files: Sequence[Written],
    properties: dict[str, str],
    again: Sequence[DataFile] = (),
    gone: Sequence[DataFile] = (),
) -> int:
    """Commit data files in place of the datasets', as one snapshot, and return its id.

    A file that other datasets share is written again without the rows of these. The predicate makes the commit fail
    where another commit touched one of them in between, and only there.

    Args:
        store: where the files are.
        table: as it was just loaded.
        dataset_ids: whose rows are replaced.
        files: the new files.
        properties: of the snapshot.
        again: files of an earlier snapshot that hold one dataset alone, and count again.
        gone: files of the table that are not there any more; they are taken out unread.

    Raises:
        StorageError: a file that is shared with other datasets is not there any more.
        CommitFailedException, ValidationException: it did not land; `files` are still there.
    """
    from pyiceberg.exceptions import CommitFailedException, ValidationException

    from estat_dagster.lake.transactions import Transaction

    old, rest = _without(store, table, dataset_ids, gone)
    stay = set(old) & set(again)
    try:
        with Transaction(table) as transaction:
            metadata = transaction.table_metadata
            mine = [*entries(store, table.io, metadata, files), *again]
            others = list(entries(store, table.io, metadata, rest))
            rows = {summary.ROWS: mine, summary.CARRIED: others}
            counted = {name: str(sum(file.record_count for file in held)) for name, held in rows.items()}
            with transaction.replace_files(properties | counted) as snapshot:
                snapshot.delete_by_predicate(rows_of(*dataset_ids))
                for file in set(old) - stay:
                    snapshot.delete_data_file(file)
                for file in (*mine, *others):
                    if file not in stay:
                        snapshot.append_data_file(file)
        return snapshot.snapshot_id
    except (CommitFailedException, ValidationException):
        for written in rest:
            store.remove(written.path)
        raise


def rows_of(*dataset_ids: str) -> BooleanExpression:
    """Return the expression that selects some datasets' rows; of none, one that no row meets."""
    from pyiceberg.expressions import parser

    if not dataset_ids:
        return parser.parse(f"{DATASET_ID} = ''")
    ids = ", ".join(f"'{check_dataset_id(dataset_id)}'" for dataset_id in dataset_ids)
    return parser.parse(f"{DATASET_ID} IN ({ids})")


def files_of(table: Table, *dataset_ids: str, snapshot_id: int | None = None) -> list[DataFile]:
    """Return the data files that may hold rows of datasets, by their statistics.

    Raises:
        DataError: another engine deleted single rows of one.
        StorageError: the table's metadata cannot be read.
    """
    scan = table.scan(row_filter=rows_of(*dataset_ids), snapshot_id=snapshot_id)
    with explaining(f"The table {table.name()[-1]} could not be read"):
        return [_whole(task) for task in scan.plan_files()]


def bounds_of(file: DataFile, table: Table) -> tuple[str, str]:
    """Return the least and the greatest dataset of a data file, by its statistics; "" where it has none."""
    field = table.schema().find_field(DATASET_ID).field_id
    return file.lower_bounds.get(field, b"").decode(), file.upper_bounds.get(field, b"").decode()


def holds_only(file: DataFile, dataset_id: str, table: Table) -> bool:
    """Whether every row of a data file is the dataset's, by the file's statistics."""
    return bounds_of(file, table) == (dataset_id, dataset_id)


def holds_any(store: Store, file: DataFile, *dataset_ids: str) -> bool:
    """Whether any row of a file is one of the datasets'."""
    with _reading(file), store.open(path_in(store, file.file_path)) as stream:
        held = pq.read_table(stream, columns=[DATASET_ID], filters=[(DATASET_ID, "in", dataset_ids)])
    return len(held) > 0


def read_groups_of(store: Store, file: DataFile, schema: pa.Schema) -> Iterator[pa.Table]:
    """Return the rows of a data file, row group by row group, under the table's columns."""
    path = path_in(store, file.file_path)
    with _reading(file), store.open(path) as stream:
        metadata = pq.read_metadata(stream)
        for number in range(metadata.num_row_groups):
            yield read_row_group(stream, metadata, number, schema)


def _reading(file: DataFile) -> contextlib.AbstractContextManager[None]:
    return explaining(f"The data file {file.file_path} could not be read", reading=True)


def path_in(store: Store, uri: str) -> str:
    """Return the path of a table's file in the store.

    Raises:
        DataError: it is elsewhere.
    """
    path = store.path_of(uri)
    if path is None:
        raise DataError(
            f"{uri} is not in {store.uri()}.",
            hint="The table was made in another place; load its datasets into a lake of their own.",
        )
    return path


def data_folder(store: Store, table: Table) -> str:
    """Return the folder of a table's data files, as a path of the store."""
    return f"{path_in(store, table.location())}/data"


def partition_columns(table: Table) -> list[str]:
    """Return what a table is partitioned by, as `domains.py` writes it."""
    return partitions.fields_of(table)


def _without(
    store: Store, table: Table, dataset_ids: Sequence[str], gone: Sequence[DataFile]
) -> tuple[list[DataFile], list[Written]]:
    """Return the files to take out for datasets, and new ones with the rows of others that stood in them."""
    schema = schemas.file_schema(table.schema())
    out, rest = list(gone), []
    for file in files_of(table, *dataset_ids):
        if file in gone:
            continue
        if any(holds_only(file, dataset_id, table) for dataset_id in dataset_ids):
            out.append(file)
            continue
        _see_shared(store, file, table)
        if not holds_any(store, file, *dataset_ids):
            continue
        others = (_other_rows(group, dataset_ids) for group in read_groups_of(store, file, schema))
        rest += write_data_files(store, data_folder(store, table), "shared", others, partition_columns(table))
        out.append(file)
    return out, rest


def _see_shared(store: Store, file: DataFile, table: Table) -> None:
    if not store.exists(path_in(store, file.file_path)):
        name, (least, greatest) = table.name()[-1], bounds_of(file, table)
        raise StorageError(
            f"The data file {file.file_path} of {name} is gone; datasets from {least} to {greatest} had rows in it.",
            hint=f"Restore it from a backup, or mend the table: `estat maintain {name} --repair --dry-run` says how.",
            retry=False,
            uri=file.file_path,
        )


def _other_rows(group: pa.Table, dataset_ids: Sequence[str]) -> pa.Table:
    own = pc.is_in(group.column(DATASET_ID).cast(pa.string()), pa.array(dataset_ids, pa.string()))
    return group.filter(pc.invert(own))


def _whole(task: FileScanTask) -> DataFile:
    if task.delete_files:
        raise DataError(
            f"Single rows of the data file {task.file.file_path} were deleted by another engine.",
            hint="Write the file anew first: OPTIMIZE … REWRITE DATA BIN_PACK in Athena.",
        )
    return task.file
