"""One commit that puts data files in place of a dataset's, and leaves the rows of every other dataset as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import DataError
from estat_dagster.lake import partitions, schemas, summary
from estat_dagster.lake.datafiles import Written, entries, write_data_files
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
    dataset_id: str,
    files: Sequence[Written],
    properties: dict[str, str],
    again: Sequence[DataFile] = (),
) -> int:
    """Commit data files in place of the dataset's, as one snapshot, and return its id.

    A file that other datasets share is written again without this one's rows. The predicate makes the commit fail
    where another commit touched the dataset in between, and only there.

    Args:
        store: where the files are.
        table: as it was just loaded.
        dataset_id: whose rows are replaced.
        files: the new files.
        properties: of the snapshot.
        again: files of an earlier snapshot that hold this dataset alone, and count again.

    Raises:
        CommitFailedException, ValidationException: it did not land; `files` are still there.
    """
    from pyiceberg.exceptions import CommitFailedException, ValidationException

    old, rest = _without(store, table, dataset_id)
    stay = set(old) & set(again)
    try:
        with table.transaction() as transaction:
            metadata = transaction.table_metadata  # a deep copy each time it is asked for
            mine = [*entries(store, table.io, metadata, files), *again]
            others = list(entries(store, table.io, metadata, rest))
            rows = {summary.ROWS: mine, summary.CARRIED: others}
            counted = {name: str(sum(file.record_count for file in held)) for name, held in rows.items()}
            with transaction.update_snapshot(snapshot_properties=properties | counted).overwrite() as snapshot:
                snapshot.delete_by_predicate(rows_of(dataset_id))
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
    """Return the expression that selects some datasets' rows."""
    from pyiceberg.expressions import parser

    ids = ", ".join(f"'{check_dataset_id(dataset_id)}'" for dataset_id in dataset_ids)
    return parser.parse(f"{DATASET_ID} IN ({ids})")


def files_of(table: Table, dataset_id: str, snapshot_id: int | None = None) -> list[DataFile]:
    """Return the data files that may hold rows of a dataset, by their statistics.

    Raises:
        DataError: another engine deleted single rows of one.
    """
    return [_whole(task) for task in table.scan(row_filter=rows_of(dataset_id), snapshot_id=snapshot_id).plan_files()]


def holds_only(file: DataFile, dataset_id: str, table: Table) -> bool:
    """Whether every row of a data file is the dataset's, by the file's statistics."""
    field = table.schema().find_field(DATASET_ID).field_id
    bound = dataset_id.encode()
    return file.lower_bounds.get(field) == bound == file.upper_bounds.get(field)


def read_groups_of(store: Store, file: DataFile, schema: pa.Schema) -> Iterator[pa.Table]:
    """Return the rows of a data file, row group by row group, under the table's columns."""
    path = path_in(store, file.file_path)
    with store.open(path) as stream:
        metadata = pq.read_metadata(stream)
        for number in range(metadata.num_row_groups):
            yield read_row_group(stream, metadata, number, schema)


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


def _without(store: Store, table: Table, dataset_id: str) -> tuple[list[DataFile], list[Written]]:
    """Return the files to take out for a dataset, and new ones with the rows of others that stood in them."""
    schema = schemas.file_schema(table.schema())
    out, rest = [], []
    for file in files_of(table, dataset_id):
        if holds_only(file, dataset_id, table):
            out.append(file)
            continue
        if not _holds(store, file, dataset_id):
            continue
        others = (_other_rows(group, dataset_id) for group in read_groups_of(store, file, schema))
        rest += write_data_files(store, data_folder(store, table), "shared", others, partition_columns(table))
        out.append(file)
    return out, rest


def _holds(store: Store, file: DataFile, dataset_id: str) -> bool:
    """Whether any row of a file is the dataset's."""
    with store.open(path_in(store, file.file_path)) as stream:
        held = pq.read_table(stream, columns=[DATASET_ID], filters=[(DATASET_ID, "=", dataset_id)])
    return len(held) > 0


def _other_rows(group: pa.Table, dataset_id: str) -> pa.Table:
    return group.filter(pc.not_equal(group.column(DATASET_ID).cast(pa.string()), dataset_id))


def _whole(task: FileScanTask) -> DataFile:
    if task.delete_files:
        raise DataError(
            f"Single rows of the data file {task.file.file_path} were deleted by another engine.",
            hint="Write the file anew first: OPTIMIZE … REWRITE DATA BIN_PACK in Athena.",
        )
    return task.file
