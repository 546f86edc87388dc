"""What one more small dataset costs a table that holds many: seconds of its commit, and of a query's plan.

`python -m benchmarks.commits [--datasets 400]`. Each dataset is two rows of two years, loaded by a commit of its own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from estat_dagster.columns import arrow_schema
from estat_dagster.domains import DOMAINS
from estat_dagster.lake import rowgroups, schemas
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.query.embedded import EmbeddedEngine
from estat_dagster.settings import Settings

DOMAIN = DOMAINS["population"]
EACH = 100
ASKED = "SELECT count(*), sum(value) FROM population_data WHERE dataset_id = '0000000001'"


def load(lake: Lake, number: int) -> None:
    """Load a dataset of two rows."""
    dataset_id, columns = f"{number:010d}", [column for column in DOMAIN.columns if column.name != "updated_at"]
    rows = [{"dataset_id": dataset_id, "year": year, "value": float(number)} for year in (2000, 2001)]
    schema = schemas.file_schema(lake.tables.prepare(DOMAIN, DOMAIN.columns).schema())
    moment = pa.repeat(pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")), len(rows))
    group = rowgroups.under(pa.Table.from_pylist(rows, arrow_schema(tuple(columns))), schema, updated_at=moment)
    lake.tables.replace_rows(DOMAIN.table_name, dataset_id, [group], {})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=400)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lake = open_lake(Settings(lake_home=Path(folder)))
        for start in range(0, arguments.datasets, EACH):
            began = time.perf_counter()
            for number in range(start + 1, start + EACH + 1):
                load(lake, number)
            print(f"  {start + EACH:5} datasets: {(time.perf_counter() - began) / EACH * 1000:6.0f} ms a load")
        for told in ("first", "next"):
            engine = EmbeddedEngine(lake.tables.catalog, Settings.glue_database)
            began = time.perf_counter()
            [row] = engine.run(ASKED).read_all().to_pylist()
            assert row["_col0"] == 2, row
            print(f"  the {told} query: {(time.perf_counter() - began) * 1000:6.0f} ms")


if __name__ == "__main__":
    main()
