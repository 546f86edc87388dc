"""A small lake to which everything has happened that can happen to Iceberg tables: older files, deletes, imports."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent, ManifestWriterV2
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import (
    DateType,
    DoubleType,
    IntegerType,
    ListType,
    NestedField,
    StringType,
    TimestamptzType,
)

from estat_dagster.query.embedded import EmbeddedEngine

NAMESPACE = "estat_iceberg_db"
LOADED = dt.datetime(2025, 4, 1, 12, 30, tzinfo=dt.UTC)

COLUMNS = {
    "dataset_id": StringType(),
    "year": IntegerType(),
    "quarter": IntegerType(),
    "month": IntegerType(),
    "region_code": StringType(),
    "region_label": StringType(),  # region_name after the first load
    "category_code": StringType(),
    "category_name": StringType(),
    "value": DoubleType(),
    "unit": StringType(),
    "updated_at": TimestamptzType(),
    "period_start": DateType(),
    "value_text": StringType(),
}
MANY = "SELECT 1000 * a + b + 1 AS x FROM UNNEST(sequence(0, {most})) AS s(a), UNNEST(sequence(0, 999)) AS t(b)"
REGIONS = {"00000": "全国", "01000": "北海道", "13000": "東京都", "27000": "大阪府"}
VALUES = {
    2018: [1000.0, 50.0, 130.0, 80.0],
    2019: [1010.0, 49.0, 133.0, 80.0],
    2020: [1020.0, None, 136.0, 81.0],
}
# One call of DuckDB's over arrays in arrays: it looks neither at the clock nor at its limit of memory meanwhile.
ONE_CALL = "SELECT cardinality(flatten(repeat(sequence(1, 10000), 10000)))"


def build_catalog(home: Path) -> Catalog:
    catalog = SqlCatalog("lake", uri=f"sqlite:///{home}/catalog.db", warehouse=f"file://{home}/tables")
    catalog.create_namespace(NAMESPACE)
    return catalog


def rows(engine: EmbeddedEngine, sql: str, parameters: list[object] | None = None) -> list[tuple[Any, ...]]:
    """Return the rows of an answer as tuples, columns by position."""
    table = engine.run(sql, parameters or []).read_all()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def numbers(thousands: int) -> str:
    """Return a query of the numbers from 1 on, a thousand times so many: a sequence holds 10,000 at most."""
    return MANY.format(most=thousands - 1)


def append(table: Table, **columns: list[Any]) -> None:
    """Append rows; columns that are not given are NULL."""
    schema = table.schema().as_arrow()
    size = len(next(iter(columns.values())))
    arrays = [pa.array(columns.get(field.name, [None] * size), field.type) for field in schema]
    table.append(pa.Table.from_arrays(arrays, schema=schema))


def schema(columns: dict[str, Any]) -> Schema:
    return Schema(*(NestedField(i, name, kind, doc=f"{name}!") for i, (name, kind) in enumerate(columns.items(), 1)))


def population(catalog: Catalog) -> None:
    columns = schema(COLUMNS)
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "year"))
    table = catalog.create_table((NAMESPACE, "population_data"), columns, partition_spec=spec)
    append(table, **_year(2018), region_label=list(REGIONS.values()))
    with table.update_schema() as update:
        update.rename_column("region_label", "region_name")
        update.add_column("gender", StringType(), doc="男女")
    for year in (2019, 2020):
        append(table, **_year(year), region_name=list(REGIONS.values()), gender=["総数"] * 4)
    # A dataset that was loaded and taken out again: the file is rewritten without its rows.
    append(table, dataset_id=["0000000001"], year=[2020], region_code=["99999"], value=[9e9])
    table.delete("dataset_id = '0000000001'")


def _year(year: int) -> dict[str, list[Any]]:
    return {
        "dataset_id": ["0003448237"] * 4,
        "year": [year] * 4,
        "month": [10] * 4,
        "region_code": list(REGIONS),
        "category_code": ["A1101"] * 4,
        "category_name": ["総人口"] * 4,
        "value": list(VALUES[year]),
        "unit": ["千人"] * 4,
        "updated_at": [LOADED] * 4,
        "period_start": [dt.date(year, 10, 1)] * 4,
        "value_text": ["***" if value is None else None for value in VALUES[year]],
    }


def dimensions(catalog: Catalog) -> None:
    columns = dict.fromkeys(("dataset_id", "axis_id", "code", "name", "parent_code"), StringType())
    table = catalog.create_table((NAMESPACE, "dataset_dimensions"), schema({**columns, "level": IntegerType()}))
    append(
        table,
        dataset_id=["0003448237"] * 4,
        axis_id=["area"] * 4,
        code=["00000", "13000", "27000", "47000"],
        name=["全国", "東京都", "大阪府", "沖縄県"],
        parent_code=[None, "00000", "00000", "00000"],
        level=[1, 2, 2, 2],
    )


def deleted(catalog: Catalog) -> None:
    """A table of three rows, the second of which a positional delete file takes away."""
    table = catalog.create_table((NAMESPACE, "labor_data"), schema({"year": IntegerType(), "value": DoubleType()}))
    append(table, year=[2018, 2019, 2020], value=[1.0, 2.0, 3.0])
    data_file = next(iter(table.scan().plan_files())).file.file_path
    positions = pa.schema(
        [
            pa.field("file_path", pa.string(), metadata={"PARQUET:field_id": "2147483546"}),
            pa.field("pos", pa.int64(), metadata={"PARQUET:field_id": "2147483545"}),
        ]
    )
    add_deletes(table, pa.table([[data_file], [1]], schema=positions), DataFileContent.POSITION_DELETES)


def add_deletes(table: Table, rows: pa.Table, content: DataFileContent, equality_ids: list[int] | None = None) -> None:
    """Commit a delete file with these rows to an unpartitioned table."""
    path = f"{table.location()}/data/deletes.parquet"
    with table.io.new_output(path).create() as output:
        pq.write_table(rows, output)
    delete_file = DataFile.from_args(
        content=content,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=rows.num_rows,
        file_size_in_bytes=len(table.io.new_input(path)),
        equality_ids=equality_ids,
    )
    delete_file.spec_id = 0
    with table.transaction() as transaction:
        _AppendDeletes(Operation.APPEND, transaction, table.io).append_data_file(delete_file).commit()


class _DeletesWriter(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


class _AppendDeletes(_FastAppendFiles):
    """PyIceberg reads delete files and does not write them."""

    def new_manifest_writer(self, spec: PartitionSpec) -> ManifestWriterV2:
        return _DeletesWriter(spec, self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression)


def imported(catalog: Catalog, folder: Path) -> None:
    """A table whose file another program wrote: without field ids."""
    table = catalog.create_table((NAMESPACE, "general_data"), schema({"year": IntegerType(), "name": StringType()}))
    pq.write_table(pa.table({"year": pa.array([2020], pa.int32()), "name": ["imported"]}), folder / "a.parquet")
    table.add_files([f"file://{folder}/a.parquet"])


def nested(catalog: Catalog) -> None:
    tags = ListType(element_id=10, element_type=StringType(), element_required=False)
    table = catalog.create_table((NAMESPACE, "education_data"), schema({"year": IntegerType(), "tags": tags}))
    append(table, year=[2020, 2021], tags=[["a", "b"], []])
