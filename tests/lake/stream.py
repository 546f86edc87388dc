"""A process of its own that loads a dataset of long texts, and then one of four times the rows, as they are made.

It prints the most bytes that Arrow ever held, after each.
"""

from __future__ import annotations

import base64
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from estat_dagster.lake import rowgroups, schemas
from tests.lake.shore import POPULATION, lake_in

ROWS, BYTES = 4_096, 1_024  # of a row group, and of each text


def groups(dataset_id: str, count: int, schema: pa.Schema) -> Iterator[pa.Table]:
    dice = random.Random(count)
    same = {"dataset_id": pa.repeat(dataset_id, ROWS), "year": pa.repeat(pa.scalar(2000, pa.int32()), ROWS)}
    moment = pa.repeat(pa.scalar(0, pa.timestamp("us", "UTC")), ROWS)
    for _ in range(count):
        texts = pa.array([base64.b64encode(dice.randbytes(BYTES)).decode() for _ in range(ROWS)])
        yield rowgroups.under(pa.table({**same, "value_text": texts}), schema, updated_at=moment)


def main() -> None:
    home, small = Path(sys.argv[1]), int(sys.argv[2])
    tables = lake_in(home).tables
    schema = schemas.file_schema(tables.prepare(POPULATION, POPULATION.columns).schema())
    for number, count in enumerate((small, 4 * small), start=1):
        dataset_id = f"{number:010d}"
        tables.replace_rows(POPULATION.table_name, dataset_id, groups(dataset_id, count, schema), {})
        print(pa.default_memory_pool().max_memory())


if __name__ == "__main__":
    main()
