"""How a table is best partitioned: rows of 1,880 municipalities in 9 years, written and asked under four specs.

    python -m benchmarks.partitioning [--rows 1000000] [--seconds 120]

For each spec: seconds to write all files and commit them, files, bytes, and for one year of one municipality the files
that are opened and the seconds that it takes. A spec whose files are not written in the time is given up.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform, Transform, TruncateTransform

from estat_dagster.domains import DOMAINS
from estat_dagster.lake import rowgroups, schemas
from estat_dagster.lake.datafiles import Written, write_data_files
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.lake.reading import LakeReader
from estat_dagster.settings import Settings

DOMAIN = DOMAINS["population"]
DATASET = "0000000001"
MUNICIPALITIES, FIRST_YEAR, YEARS = 1_880, 2015, 9
# Each field: the column, how many of its characters count (0: all), and Iceberg's transform.
Fields = tuple[tuple[str, int, Transform[object, object]], ...]
SPECS: dict[str, Fields] = {
    "none": (),
    "year": (("year", 0, IdentityTransform()),),
    "year, truncate(2, region_code)": (("year", 0, IdentityTransform()), ("region_code", 2, TruncateTransform(2))),
    "year, region_code": (("year", 0, IdentityTransform()), ("region_code", 0, IdentityTransform())),
}


class TooLongError(Exception):
    """A spec took more than its time."""


def rows(count: int, schema: pa.Schema) -> pa.Table:
    """Return rows in the table's order: year, municipality, category."""
    each = max(1, count // (MUNICIPALITIES * YEARS))
    places = np.arange(MUNICIPALITIES * YEARS * each)
    years, regions, categories = np.unravel_index(places, (YEARS, MUNICIPALITIES, each))
    codes = [f"{n * 47 // MUNICIPALITIES + 1:02d}{n % 1000:03d}" for n in range(MUNICIPALITIES)]
    order = np.argsort(codes, kind="stable")
    texts = pa.array([codes[n] for n in order])
    made = {
        "dataset_id": pa.repeat(pa.scalar(DATASET), len(places)),
        "year": pa.array(years + FIRST_YEAR, pa.int32()),
        "region_code": texts.take(pa.array(regions)),
        "category_code": pa.array([f"{n:03d}" for n in range(each)]).take(pa.array(categories)),
        "value": pa.array(np.random.default_rng(0).random(len(places))),
        "updated_at": pa.repeat(pa.scalar(0, pa.timestamp("us", "UTC")), len(places)),
    }
    return rowgroups.under(pa.table({"dataset_id": made["dataset_id"]}), schema, **made)


def partitions(table: pa.Table, fields: Fields) -> Iterator[pa.Table]:
    """Cut rows that stand in order where the value of a partition field changes."""
    changes = np.zeros(len(table), dtype=bool)
    for column, characters, _ in fields:
        held = table.column(column).combine_chunks()
        if pa.types.is_dictionary(held.type):
            held = held.dictionary_decode()
        keys = pc.utf8_slice_codeunits(held, 0, characters) if characters else held
        codes = keys.dictionary_encode().indices.to_numpy()
        changes[1:] |= codes[1:] != codes[:-1]
    starts = [0, *np.flatnonzero(changes).tolist(), len(table)]
    for start, end in itertools.pairwise(starts):
        yield table.slice(start, end - start)


def spec_of(schema: Schema, fields: Fields) -> PartitionSpec:
    made = [
        PartitionField(schema.find_field(column).field_id, 1000 + n, transform, f"{column}_{n}")
        for n, (column, _, transform) in enumerate(fields)
    ]
    return PartitionSpec(*made)


def write(lake: Lake, table: pa.Table, fields: Fields, seconds: float) -> list[Written]:
    """Write a file for each partition and commit them.

    Raises:
        TooLongError: the time was over first.
    """
    until = time.monotonic() + seconds
    files: list[Written] = []
    for part in partitions(table, fields):
        if time.monotonic() > until:
            raise TooLongError(f"{len(files):,} files")
        firsts = ((part.column(column)[0].as_py(), characters) for column, characters, _ in fields)
        key = tuple(value[:characters] if characters else value for value, characters in firsts)
        made = write_data_files(lake.store, "iceberg-tables/population/data", DATASET, rowgroups.cut(part), [])
        files += [file._replace(key=key) for file in made]
    lake.tables.commit_files(DOMAIN.table_name, DATASET, files, {})
    return files


def measure(fields: Fields, count: int, seconds: float, home: Path) -> str:
    lake = open_lake(Settings(lake_home=home))
    schema = schemas.iceberg_schema(DOMAIN.columns)
    lake.tables.catalog.create_table(
        (lake.tables.namespace, DOMAIN.table_name),
        schema,
        location=lake.store.uri("iceberg-tables/population"),
        partition_spec=spec_of(schema, fields),
        properties=schemas.PROPERTIES | schemas.properties(DOMAIN.columns),
    )
    table = rows(count, schemas.file_schema(lake.tables.get_table_schema(DOMAIN.table_name)))
    started = time.monotonic()
    try:
        files = write(lake, table, fields, seconds)
    except TooLongError as late:
        return f"{late} in {seconds:.0f} s, given up"
    took = time.monotonic() - started
    tokyo = next(code for code in table.column("region_code").unique().to_pylist() if code.startswith("13"))
    where = f"year = 2020 and region_code = '{tokyo}'"
    opened = len(list(lake.tables.load(DOMAIN.table_name).scan(where).plan_files()))
    started = time.monotonic()
    held = len(LakeReader(lake).scan(DOMAIN.table_name, columns=["value"], where=where))
    asked = time.monotonic() - started
    size = sum(lake.store.size(file.path) for file in files) / 1e6
    return f"{took:6.2f} s  {len(files):6,} files  {size:6.1f} MB   {opened} opened, {held} rows, {asked:.3f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=120)
    given = parser.parse_args()
    print(f"{'partitioned by':32} written                          one year of one municipality")
    for name, fields in SPECS.items():
        with TemporaryDirectory() as home:
            print(f"{name:32} {measure(fields, given.rows, given.seconds, Path(home))}", flush=True)


if __name__ == "__main__":
    main()
