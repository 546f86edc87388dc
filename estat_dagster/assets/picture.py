"""A picture of a loaded dataset: one of its series by region or over time, with what else it is about held still."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.errors import ValidationError
from estat_dagster.lake import paths
from estat_dagster.pictures.drawing import MAP_FROM, Picture, draw
from estat_dagster.prefectures import by_code
from estat_dagster.records.order import coordinate_columns

MOVING = ("region_code", "time_code")
STILL = ("time_kind", "unit")
SHOWN = (
    "region_code", "region_name", "category_name", "tab_name", "unit", "year", "quarter", "month", "period_start",
    "time_name", "time_kind", "value",
)  # fmt: skip
TITLE = 40


def draw_dataset(job: DatasetJob) -> bytes:
    """Return a PNG of one series of the dataset; b"" where nothing of it can be drawn.

    The series is that of the first valid row: on every axis but area and time its class stays.
    """
    series = _first_series(job)
    if series is None or not len(series.column("value").drop_null()):
        return b""
    title = job.entry.title if len(job.entry.title) <= TITLE else f"{job.entry.title[:TITLE]}…"
    named = [series.column(name)[0].as_py() for name in ("tab_name", "category_name")]
    kind = _kind(series)
    last = [_last_period(series)] if kind == "map" else []
    words = "\n".join((title, " ".join(dict.fromkeys(name for name in (*named, *last) if name))))
    try:
        return draw(series, kind, title=words, credit=job.entry.credit)
    except ValidationError:
        return b""


def _first_series(job: DatasetJob) -> pa.Table | None:
    """Return the rows of the first row's series, looked for in one row group after another."""
    with job.bench.lake.store.open(paths.parquet(job.domain, job.dataset_id)) as stream:
        metadata = pq.read_metadata(stream)
        names = coordinate_columns(metadata.schema.names)
        held = [*(name for name in names if name not in MOVING), *STILL]
        file = pq.ParquetFile(stream, metadata=metadata, read_dictionary=held)
        if not file.metadata.num_rows:
            return None
        first = next(file.iter_batches(1, columns=held)).to_pylist()[0]
        found = []
        for number in range(file.num_row_groups):
            same = _same(file.read_row_group(number, columns=held), first)
            if pc.any(same).as_py():
                found.append(file.read_row_group(number, columns=list(SHOWN)).filter(same))
    return pa.concat_tables(found, promote_options="permissive")


def _last_period(series: pa.Table) -> str | None:
    """Return the name of the last period that has a number, which is the one that a map shows."""
    numbers = series.filter(series.column("value").is_valid())
    period: str | None = numbers.sort_by([("period_start", "descending")]).column("time_name")[0].as_py()
    return period


def _kind(series: pa.Table) -> Picture:
    """Return a map where most prefectures are there, else what fits."""
    codes = {code for code in series.column("region_code").unique().to_pylist() if code and by_code(code)}
    return "map" if len(codes) >= MAP_FROM else "auto"


def _same(rows: pa.Table, first: dict[str, Any]) -> pa.BooleanArray:
    """Return which rows have the texts of the first."""
    same = pa.repeat(pa.scalar(True), len(rows))
    for name, text in first.items():
        texts = rows.column(name).combine_chunks()
        place = texts.dictionary.index(text).as_py() if text is not None else None
        same = pc.and_(same, texts.is_null() if place is None else pc.equal(texts.indices, place).fill_null(False))
    return same
