"""What a table holds now, for DuckDB to read: the data files of its current snapshot, or rows where files will not do.

Columns are matched by Iceberg field id, so that a file written before a column was added or renamed reads right.
Where DuckDB cannot read the files as Iceberg means them, PyIceberg reads the rows: slower, in memory, and right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from pyiceberg.table import FileScanTask
from pyiceberg.transforms import IdentityTransform

from estat_dagster.errors import DataError, StorageError
from estat_dagster.query import problems
from estat_dagster.query.types import duckdb_type_name
from estat_dagster.query.worker.sql import literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table

_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class Scan:
    """What a query reads of one table: files, which DuckDB reads, or rows.

    Args:
        schema: the table's columns, if it has files.
        files: paths of the data files.
        rows: the rows, if they were read already.
        bytes: size of the data files, whole.
    """

    schema: Schema | None = None
    files: tuple[str, ...] = ()
    rows: pa.Table | None = None
    bytes: int = 0

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        if self.rows is not None:
            return list(self.rows.column_names)
        return [field.name for field in self.schema.fields] if self.schema else []


class Plans:
    """Plans of files that are kept for when they are asked for again: a snapshot never changes.

    Rows that were read are not kept.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._kept: dict[tuple[object, ...], Scan] = {}

    def plan(self, table: Table, row_filter: BooleanExpression) -> Scan:
        """Return what has to be read, as `plan` does."""
        metadata = table.metadata
        key = (metadata.table_uuid, metadata.current_snapshot_id, metadata.current_schema_id, repr(row_filter))
        scan = self._kept.pop(key, None) or plan(table, row_filter)
        if scan.rows is None:
            self._kept[key] = scan
            for oldest in list(self._kept)[: -self._most]:
                self._kept.pop(oldest, None)
        return scan


def plan(table: Table, row_filter: BooleanExpression) -> Scan:
    """Return what has to be read of a table's current snapshot to see every row that meets the filter.

    Raises:
        StorageError: a file of the table cannot be read.
        DataError: it has equality deletes, which PyIceberg does not read.
    """
    scan = table.scan(row_filter=row_filter)
    schema = table.schema()
    try:
        try:
            tasks = list(scan.plan_files())
        except TypeError:  # PyIceberg 0.12 compares the NULL of a partition with a bound that stands in an OR
            scan = table.scan()
            tasks = list(scan.plan_files())
        size = sum(task.file.file_size_in_bytes for task in tasks)
        if _duckdb_can_read(tasks, table):
            return Scan(schema, files=tuple(sorted(local_path(task.file.file_path) for task in tasks)), bytes=size)
        return Scan(rows=scan.to_arrow(), bytes=size)
    except ValueError as error:
        if "equality deletes" not in str(error):
            raise StorageError(f"The table {table.name()[-1]} could not be read.") from error
        raise DataError(
            f"Rows of {table.name()[-1]} were deleted by another program in a way that this engine cannot read.",
            hint="Query it on Athena, or let that program rewrite the table's files (OPTIMIZE).",
        ) from error
    except OSError as error:
        raise problems.unreadable(f"The table {table.name()[-1]} could not be read", str(error)) from error


def select_sql(scan: Scan) -> str:
    """Return DuckDB SQL for the rows of a scan of files, with the table's own columns and types."""
    fields = scan.schema.fields if scan.schema else ()
    columns = [(field.field_id, field.name, duckdb_type_name(field.field_type)) for field in fields]
    if not scan.files:
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for _, name, kind in columns)
        return f"SELECT {nothing} WHERE false"
    names = ", ".join(quoted(name) for _, name, _ in columns)
    by_id = ", ".join(
        f"{field_id}: {{name: {literal(name)}, type: {literal(kind or '')}, default_value: NULL}}"
        for field_id, name, kind in columns
    )
    files = ", ".join(literal(path) for path in scan.files)
    return f"SELECT {names} FROM read_parquet([{files}], schema = MAP {{{by_id}}}, hive_partitioning = false)"  # noqa: S608


def local_path(location: str) -> str:
    """Return the path of a file on this machine's disk, the location itself if it is elsewhere."""
    return urlparse(location).path if location.startswith("file:") else location


def _duckdb_can_read(tasks: list[FileScanTask], table: Table) -> bool:
    fields = table.schema().fields
    if any(duckdb_type_name(field.field_type) is None or field.initial_default is not None for field in fields):
        return False
    return all(_readable(task, table) for task in tasks)


def _readable(task: FileScanTask, table: Table) -> bool:
    path = local_path(task.file.file_path)
    if task.delete_files or not path.startswith("/") or _GLOB.intersection(path):
        return False
    # A file need not hold the columns it is partitioned by: Iceberg takes them from the partition.
    spec = table.specs()[task.file.spec_id]
    partitioned_by = {field.source_id for field in spec.fields if isinstance(field.transform, IdentityTransform)}
    ids = _field_ids(path)
    return bool(ids) and partitioned_by <= ids


@lru_cache(maxsize=10_000)
def _field_ids(path: str) -> frozenset[int]:
    """Return the field ids in a data file, none if it has columns without one: DuckDB would read NULL for those.

    Data files never change, and opening one takes 0.2 ms.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise problems.unreadable("A data file of the lake could not be read", path) from error
    metadata = [field.metadata or {} for field in schema]
    ids = [entry.get(b"PARQUET:field_id") for entry in metadata]
    return frozenset(int(found) for found in ids if found) if all(ids) else frozenset()
