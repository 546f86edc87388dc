"""The steps on rows: pages to the lake's columns, and those to valid and quarantined rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from estat_dagster.assets.steps.job import TRANSFORMED, VALIDATED, DatasetJob, StepResult, content_of, preview
from estat_dagster.estat.manifest import Manifest
from estat_dagster.lake import paths
from estat_dagster.lake.frames import Frames
from estat_dagster.records.mapper import SchemaMapper
from estat_dagster.records.quality import DataQualityValidator
from estat_dagster.records.totals import reconcile_totals
from estat_dagster.telemetry import log


def transform(job: DatasetJob) -> StepResult:
    """Map the raw pages to the lake's columns, a frame a page."""
    frames, version = job.frames(TRANSFORMED), job.version()
    _, manifest = job.manifest()
    kept = job.kept_report(frames, version)
    report = kept or _transform(job, manifest, frames, version)
    facts = {name: report[name] for name in ("rows", *ODDITIES)}
    return StepResult(facts, frames.uri, manifest.content_hash, bool(kept), report["rows"], preview=preview(frames))


ODDITIES = ("unknown_codes", "doubtful_periods", "unexplained_symbols", "unknown_attributes")


def _transform(job: DatasetJob, manifest: Manifest, frames: Frames, version: str) -> dict[str, Any]:
    first = job.raw.read_checked(manifest.pages[0])
    mapper = SchemaMapper(manifest.metadata(first), first.notes, first.annotations, job.domain)
    with frames.writer() as writer:
        for number, entry in enumerate(manifest.pages, start=1):
            page = first if number == 1 else job.raw.read_checked(entry)
            mapper.notes, mapper.annotations = (
                {**mapper.notes, **page.notes},
                {**mapper.annotations, **page.annotations},
            )
            writer.write(mapper.map_page(page.values, page=number, from_number=entry.from_number))
            log("transform", f"page {number} of {len(manifest.pages)}", dataset_id=job.dataset_id)
        report = {"version": version, "notes": dict(mapper.notes), **asdict(mapper.report)}
        writer.finish(report)
    return report


def validate(job: DatasetJob) -> StepResult:
    """Split the mapped rows into valid and quarantined ones."""
    source, frames = job.frames(TRANSFORMED), job.frames(VALIDATED)
    version = source.require_report()["version"]
    kept = job.kept_report(frames, version)
    report = kept or _validate(job, source, frames, version)
    facts = {key: value for key, value in report.items() if key not in ("version", "files")}
    if report["quarantined"]:
        facts["quarantine"] = job.bench.lake.store.uri(paths.quarantine(job.domain, job.dataset_id))
    return StepResult(facts, frames.uri, content_of(version), bool(kept), report["valid"], preview=preview(frames))


def _validate(job: DatasetJob, source: Frames, frames: Frames, version: str) -> dict[str, Any]:
    validator = DataQualityValidator(source)
    rejected = []
    with frames.writer() as writer:
        for valid, quarantined in validator.split():
            writer.write(valid)
            rejected.append(quarantined)
        _write_quarantine(job, rejected)
        found = validator.report
        writer.finish(
            report := {
                "version": version,
                "rows_in": found.rows_in,
                "valid": found.valid,
                "quarantined": found.quarantined_count,
                "quarantined_reasons": dict(found.quarantined),
                "nulls": found.nulls,
                "missing_reasons": dict(found.missing),
                "texts": found.texts,
            }
        )
    return report


def _write_quarantine(job: DatasetJob, rejected: list[pa.Table]) -> None:
    """Store the rejected rows with their reasons; no file where there are none."""
    store, path = job.bench.lake.store, paths.quarantine(job.domain, job.dataset_id)
    rows = pa.concat_tables(rejected, promote_options="default")
    if not len(rows):
        store.remove(path)
        return
    with store.writing(path) as stream:
        pq.write_table(rows, stream, compression="zstd")


def reconcile(job: DatasetJob) -> dict[str, Any]:
    """Return how the totals of the valid rows compare with their parts."""
    frames = job.frames(VALIDATED)
    return asdict(reconcile_totals(frames, job.metadata(), frames.column_names()))
