"""The rejected rows of a dataset as a Parquet file, written part by part as they are found."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.columns import EXTRA_AXES, axis_columns, frame_schema
from estat_dagster.lake import paths
from estat_dagster.records.mapper import SOURCE_COLUMNS
from estat_dagster.records.quality import REASON_COLUMN


def write_quarantine(job: DatasetJob, columns: list[str], parts: Iterable[pa.Table]) -> None:
    """Store rejected rows in place of those before, when all parts have come; no file where there are none.

    Args:
        job: the dataset.
        columns: the names of the mapped rows' columns; a part may lack some.
        parts: rejected rows with their source and reason.
    """
    store, path = job.bench.lake.store, paths.quarantine(job.domain, job.dataset_id)
    rejected = (part for part in parts if len(part))
    first = next(rejected, None)
    if first is None:
        store.remove(path)
        return
    schema = _schema(job, columns)
    with (
        store.writing(path) as stream,
        pq.ParquetWriter(stream, schema, compression="zstd", store_schema=False) as writer,
    ):
        for part in chain([first], rejected):
            whole = pa.concat_tables([schema.empty_table(), part], promote_options="default")
            writer.write_table(whole.select(schema.names).unify_dictionaries())


def _schema(job: DatasetJob, columns: list[str]) -> pa.Schema:
    known = (*job.domain.columns, *chain.from_iterable(map(axis_columns, EXTRA_AXES)), *SOURCE_COLUMNS)
    fields = [
        field.with_nullable(True)  # a row may be here for the very reason that it lacks what is required
        for field in frame_schema(column for column in known if column.name in columns)
    ]
    return pa.schema([*fields, pa.field(REASON_COLUMN.name, pa.string())])
