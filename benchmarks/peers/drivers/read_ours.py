"""This project, from e-Stat to frames with labels, read back into memory; `--parquet` goes on to the Parquet file.

The datasets are registered before the clock runs: that is done once in a lake's life.
"""

import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from common import APP_ID, Columns, Door, measure

from estat_dagster.assets.registering import register_dataset
from estat_dagster.assets.steps.job import TRANSFORMED, DatasetJob
from estat_dagster.assets.steps.publish import write_file
from estat_dagster.assets.steps.raw import fetch_raw
from estat_dagster.assets.steps.rows import transform, validate
from estat_dagster.estat.fetch import FetchPlan
from estat_dagster.settings import Settings
from estat_dagster.workbench import Workbench

NAMES = {"cat01": "category", "area": "region", "time": "time", "tab": "tab"}


def frames(job: DatasetJob) -> pa.Table:
    fetch_raw(job, FetchPlan())
    transform(job)
    return pa.concat_tables(list(job.frames(TRANSFORMED)), promote_options="default")


def parquet(job: DatasetJob) -> str:
    fetch_raw(job, FetchPlan())
    transform(job)
    validate(job)
    return write_file(job).uri.removeprefix("file://")


def show(found: pa.Table | str) -> Columns:
    table = pq.read_table(found) if isinstance(found, str) else found
    columns = {f"{axis}_code": table.column(f"{name}_code").to_pylist() for axis, name in NAMES.items()}
    columns |= {f"{axis}_name": table.column(f"{name}_name").to_pylist() for axis, name in NAMES.items()}
    columns |= {name: table.column(name).to_pylist() for name in ("value", "unit", "annotation")}
    return columns | {
        "text": table.column("value_text").to_pylist(),
        "reason": table.column("missing_reason").to_pylist(),
    }


def main() -> None:
    address, small_id, table_id, *_ = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(Settings(app_id=APP_ID, base_url=address, lake_home=Path(folder) / "lake"))
        for dataset_id in (small_id, table_id):
            register_dataset(bench, dataset_id)
        step = parquet if "--parquet" in sys.argv else frames

        def read(door: Door) -> pa.Table | str:
            return step(DatasetJob.of(bench, door.table_id))

        measure(read, show, ("estat-datalake", "pyarrow"))


main()
