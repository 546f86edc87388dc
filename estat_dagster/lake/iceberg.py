"""The Iceberg tables: made safely when many processes race, grown by columns, loaded by one atomic commit a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.columns import Column
from estat_dagster.domains import Domain, get_domain
from estat_dagster.errors import StorageError, ValidationError
from estat_dagster.lake import about, partitions, paths, schemas
from estat_dagster.lake.catalog import again_after
from estat_dagster.lake.datafiles import Written, write_data_files
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.replacing import data_folder, partition_columns, replace, rows_of
from estat_dagster.lake.store import Store

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table

EMPTY = "The lake has no tables yet: `estat load ID` brings the first rows."
COMMITS, COMMIT_SECONDS = 100, 900  # a commit that loses against others is tried again, within both


class IcebergTableManager:
    """The tables of a lake.

    Args:
        catalog: PyIceberg's catalog.
        namespace: the catalog's namespace, on AWS the Glue database.
        store: where the data files are written.
    """

    def __init__(self, catalog: Catalog, namespace: str, store: Store) -> None:
        self.catalog, self.namespace, self.store = catalog, namespace, store

    def create_domain_table(self, domain: str) -> Table:
        """Return the table of a domain, made if there is none."""
        found = get_domain(domain)
        return self.ensure(found.name, found.table_name, found.columns, found.partition_by, found.sort_by)

    def create_dataset_inventory_table(self) -> Table:
        """Return the table of the datasets, made if there is none, and with it the one of their classes."""
        self.ensure(about.DIMENSIONS, about.DIMENSIONS, about.DIMENSION_COLUMNS)
        return self.ensure(about.INVENTORY, about.INVENTORY, about.INVENTORY_COLUMNS)

    def ensure(
        self,
        group: str,
        name: str,
        columns: Sequence[Column],
        partition_by: Sequence[str] = (),
        sort_by: Sequence[str] = (),
    ) -> Table:
        """Return a table with these columns: it is made if there is none, and one that lacks some gets them.

        Another process may do so at the same time.

        Raises:
            ValidationError: a column is there with another type. Nothing was changed.
        """
        from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
        from sqlalchemy.exc import IntegrityError, OperationalError

        def load_or_create() -> Table:
            try:
                return _with_columns(self.catalog.load_table((self.namespace, name)), columns)
            except NoSuchTableError:
                schema = schemas.iceberg_schema(columns)
                self.catalog.create_namespace_if_not_exists(self.namespace)
                return self.catalog.create_table(
                    (self.namespace, name),
                    schema,
                    location=self.store.uri(paths.table(group, name)),
                    partition_spec=partitions.spec(schema, partition_by),
                    sort_order=schemas.sort_order(schema, sort_by),
                    properties=schemas.PROPERTIES | schemas.properties(columns),
                )

        # PyIceberg says ValueError of a column that another process added first.
        races = (TableAlreadyExistsError, CommitFailedException, IntegrityError, OperationalError, ValueError)
        with explaining(f"The table {name} could not be made"):
            return again_after(load_or_create, races)

    def get_table_schema(self, name: str) -> Schema:
        """Return the Iceberg schema of a table."""
        return self.load(name).schema()

    def load(self, name: str) -> Table:
        """Return a table as it is now.

        Raises:
            ValidationError: there is no such table.
            StorageError: the catalog or the table's metadata cannot be read.
        """
        from pyiceberg.exceptions import NoSuchTableError

        try:
            with explaining(f"The table {name} could not be read", but=(NoSuchTableError,)):
                return self.catalog.load_table((self.namespace, name))
        except NoSuchTableError as error:
            names = self.names()
            hint = f"There are {', '.join(names)}." if names else EMPTY
            raise ValidationError(f"There is no table {name!r}.", hint=hint) from error

    def names(self) -> list[str]:
        """Return the names of the tables, sorted."""
        from pyiceberg.exceptions import NoSuchNamespaceError

        try:
            with explaining("The tables could not be listed", but=(NoSuchNamespaceError,)):
                return sorted(identifier[-1] for identifier in self.catalog.list_tables(self.namespace))
        except NoSuchNamespaceError:
            return []

    def prepare(self, domain: Domain, columns: Sequence[Column]) -> Table:
        """Return the domain's table, with every one of the columns; missing ones are added to the live table.

        Raises:
            ValidationError: a column is there with another type. Nothing was changed.
        """
        self.create_domain_table(domain.name)
        return self.ensure(domain.name, domain.table_name, columns, domain.partition_by, domain.sort_by)

    def replace_rows(self, name: str, dataset_id: str, groups: Iterable[pa.Table], properties: dict[str, str]) -> int:
        """Replace exactly one dataset's rows by those of the groups in one snapshot, and return its id.

        The rows stand in the order of the table's partition columns, under the table's columns. Rows of other
        datasets that are being loaded at the same time stay; a load of the same dataset at the same time is done over.

        Raises:
            StorageError: the commit failed, or other loads of this dataset kept coming first. The table is as before.
        """
        table = self.load(name)
        files = write_data_files(
            self.store, data_folder(self.store, table), dataset_id, groups, partition_columns(table)
        )
        return self.commit_files(name, dataset_id, files, properties)

    def commit_files(
        self,
        name: str,
        dataset_id: str,
        files: Sequence[Written],
        properties: dict[str, str],
        again: Sequence[DataFile] = (),
    ) -> int:
        """Put data files that are stored in place of the dataset's, as `replace_rows` does; see `replacing.replace`.

        Raises:
            StorageError: the commit failed. The table is as before, and the files are gone.
        """
        from pyiceberg.exceptions import CommitFailedException, ValidationException

        refused = (CommitFailedException, ValidationException)
        try:
            with explaining(f"The rows of {dataset_id} could not be committed to {name}", but=refused):
                return again_after(
                    lambda: replace(self.store, self.load(name), [dataset_id], files, properties, again),
                    refused,
                    times=COMMITS,
                    seconds=COMMIT_SECONDS,
                )
        except refused as error:
            # Only these two say that the commit did not land; after any other error the files may be in use.
            for written in files:
                self.store.remove(written.path)
            raise StorageError(
                f"The rows of {dataset_id} could not be committed to {name}: other commits kept coming first.",
                hint="Load it again when fewer loads run.",
                dataset_id=dataset_id,
            ) from error

    def count_rows(self, name: str, dataset_id: str) -> dict[str, Any]:
        """Return of one dataset in a table: `rows`, `nulls` (of value) and `value_sum`, from the current snapshot."""
        scan = self.load(name).scan(row_filter=rows_of(dataset_id), selected_fields=("value",))
        with explaining(f"The rows of {dataset_id} in {name} could not be read", reading=True):
            return summarise(scan.to_arrow().column("value"))


def summarise(values: pa.ChunkedArray) -> dict[str, Any]:
    """Return `rows`, `nulls` and `value_sum` of a value column."""
    return {"rows": len(values), "nulls": values.null_count, "value_sum": pc.sum(values).as_py()}


def _with_columns(table: Table, columns: Sequence[Column]) -> Table:
    """Return a table, after it got the columns that it lacks, and was told of which ones it keeps no metrics."""
    from estat_dagster.lake.transactions import Transaction

    missing = [column for column in columns if _is_missing(table, column)]
    lacking = {k: v for k, v in schemas.properties(columns).items() if k not in table.properties}
    if missing or lacking:
        with Transaction(table) as transaction:
            if missing:
                with transaction.update_schema() as update:
                    for column in missing:
                        update.add_column(column.name, schemas.iceberg_type(column), doc=column.comment)
            transaction.set_properties(lacking)
    return table


def _is_missing(table: Table, column: Column) -> bool:
    names = table.schema().column_names
    if column.name not in names:
        return True
    found, wanted = table.schema().find_field(column.name).field_type, schemas.iceberg_type(column)
    if found != wanted:
        raise ValidationError(
            f"The table {table.name()[-1]} has {column.name} as {found}, the dataset needs {wanted}.",
            hint="The column cannot change its type; load the dataset into another domain, or rebuild the table.",
        )
    return False
