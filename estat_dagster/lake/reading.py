"""The lake for analysts: its tables as Arrow, pandas or Polars, whole or batch by batch, now or as they were."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from estat_dagster.errors import ValidationError
from estat_dagster.lake import conditions
from estat_dagster.lake.about import INVENTORY, INVENTORY_COLUMNS
from estat_dagster.lake.iceberg import EMPTY
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.problems import explaining
from estat_dagster.parallel import side_by_side
from estat_dagster.snapshots import AsOf, snapshot_as_of

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.io.pyarrow import ArrowScan
    from pyiceberg.schema import Schema
    from pyiceberg.table import DataScan, FileScanTask, Table, TableScan

    Where = str | BooleanExpression
    Columns = str | Sequence[str] | None


class LakeReader:
    """Reads the tables of a lake; opening it touches nothing.

    Args:
        lake: the lake.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def tables(self) -> list[str]:
        """Return the names of the tables, sorted.

        Raises:
            ValidationError: there is no lake at that place; none is made.
        """
        if not self._lake.is_there:
            raise ValidationError(
                f"There is no lake in {self._lake.store.uri()}.", hint="Check the path, or load a dataset into it."
            )
        return self._lake.tables.names()

    def datasets(self) -> pa.Table:
        """Return the datasets that the lake holds: the columns of `dataset_inventory`, ordered by `dataset_id`."""
        if INVENTORY not in self.tables():
            return pa.table({column.name: [] for column in INVENTORY_COLUMNS})
        return self.scan(INVENTORY).sort_by("dataset_id")

    def scan(
        self, table: str, *, columns: Columns = None, where: Where | None = None, as_of: AsOf | None = None
    ) -> pa.Table:
        """Return rows of a table.

        Args:
            table: such as `population_data`; `tables()` names them.
            columns: the columns wanted, in this order, or one; None: all.
            where: a condition like SQL's, `year = 2020 and region_code in ('13000', '27000')`, or PyIceberg's.
            as_of: the table as it was: a snapshot's id, a date, or a moment (UTC where no zone is given).

        Raises:
            ValidationError: there is no such table, column or snapshot, or the condition cannot be read.
            StorageError: the lake cannot be read.
        """
        return self.stream(table, columns=columns, where=where, as_of=as_of).read_all()

    def stream(
        self, table: str, *, columns: Columns = None, where: Where | None = None, as_of: AsOf | None = None
    ) -> pa.RecordBatchReader:
        """Return what `scan` returns, batch by batch: memory holds the rows of a few data files."""
        return _Scan(self.load(table), columns, where, as_of).reader()

    def to_pandas(
        self, table: str, *, columns: Columns = None, where: Where | None = None, as_of: AsOf | None = None
    ) -> pd.DataFrame:
        """Return what `scan` returns as a pandas frame; whole numbers stay whole, with `<NA>` where there is none."""
        import pandas as pd

        whole = {pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}
        return self.scan(table, columns=columns, where=where, as_of=as_of).to_pandas(types_mapper=whole.get)

    def to_polars(
        self, table: str, *, columns: Columns = None, where: Where | None = None, as_of: AsOf | None = None
    ) -> pl.DataFrame:
        """Return what `scan` returns as a Polars frame.

        Raises:
            ValidationError: Polars is not installed.
        """
        try:
            import polars as pl
        except ModuleNotFoundError as error:
            raise ValidationError(
                "Polars is not installed.", hint="pip install polars, or use to_pandas() or scan()."
            ) from error
        return pl.DataFrame(self.scan(table, columns=columns, where=where, as_of=as_of))

    def load(self, name: str) -> Table:
        """Return PyIceberg's table.

        Raises:
            ValidationError: there is none of that name; the hint names those there are.
        """
        names = self.tables()
        if name not in names:
            raise ValidationError(f"There is no table {name!r}.", hint=_near(name, names, EMPTY))
        return self._lake.tables.load(name)


class _Scan:
    """What is read of one table."""

    def __init__(self, table: Table, columns: Columns, where: Where | None, as_of: AsOf | None) -> None:
        self._table = table
        self._snapshot = None if as_of is None else snapshot_as_of(table, as_of)
        self._columns = self._known(columns)
        self._where = conditions.read(where, self._schema)

    @cached_property
    def _schema(self) -> Schema:
        """The table's columns at that snapshot."""
        return self._table.scan(snapshot_id=self._snapshot).projection()

    def _known(self, columns: Columns) -> tuple[str, ...]:
        names = self._schema.column_names
        wanted = (columns,) if isinstance(columns, str) else tuple(names if columns is None else columns)
        for name in wanted:
            if name not in names:
                raise ValidationError(
                    f"The table {self._table.name()[-1]} has no column {name!r}.", hint=_near(name, names, "")
                )
        if not wanted or len(set(wanted)) < len(wanted):
            raise ValidationError("Each column is to be named once, and at least one.", hint="Or leave columns out.")
        return wanted

    def reader(self) -> pa.RecordBatchReader:
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        name = self._table.name()[-1]
        scan = self._table.scan(self._where, selected_fields=self._columns, snapshot_id=self._snapshot)
        with explaining(f"The table {name} could not be read"):
            tasks = self._tasks(scan)
        held = schema_to_pyarrow(scan.projection(), include_field_ids=False)
        schema = pa.schema([plain(held.field(column)) for column in self._columns])

        def read(task: FileScanTask) -> list[pa.RecordBatch]:
            with explaining(f"The data file {task.file.file_path} of {name} could not be read", reading=True):
                return [_as(schema, batch) for batch in _arrow_scan(scan).to_record_batches([task])]

        batches: Iterator[pa.RecordBatch] = itertools.chain.from_iterable(side_by_side(read, tasks))
        return pa.RecordBatchReader.from_batches(schema, batches)

    def _tasks(self, scan: DataScan) -> list[FileScanTask]:
        try:
            return list(scan.plan_files())
        except TypeError:
            # PyIceberg orders a NULL partition beside a value where another part of an OR lets its file in.
            return list(self._table.scan(snapshot_id=self._snapshot).plan_files())


def plain(field: pa.Field) -> pa.Field:
    """Return a column's field without Iceberg's metadata, its texts as ordinary strings."""
    type_ = pa.string() if pa.types.is_large_string(field.type) else field.type
    return pa.field(field.name, type_, field.nullable)


def _as(schema: pa.Schema, batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [batch.column(field.name).cast(field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _arrow_scan(scan: TableScan) -> ArrowScan:
    from pyiceberg.io.pyarrow import ArrowScan

    return ArrowScan(scan.table_metadata, scan.io, scan.projection(), scan.row_filter, scan.case_sensitive)


def _near(name: str, names: Sequence[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return (f"Did you mean {near[0]}? " if near else "") + (f"There are {', '.join(names)}." if names else otherwise)
