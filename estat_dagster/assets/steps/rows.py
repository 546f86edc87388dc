"""The steps on rows: pages to the lake's columns, and those to valid and quarantined rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from estat_dagster.assets.steps.job import TRANSFORMED, VALIDATED, DatasetJob, StepResult, content_of, preview
from estat_dagster.assets.steps.quarantine import write_quarantine
from estat_dagster.columns import EXTRA_AXES
from estat_dagster.estat.manifest import Manifest
from estat_dagster.estat.pages import StatsPage
from estat_dagster.lake import paths
from estat_dagster.lake.frames import Frames, FrameWriter, names_of
from estat_dagster.parallel import side_by_side
from estat_dagster.records.classes import dangling_parents, distinct_axes, repeated_classes
from estat_dagster.records.mapper import MappingReport, SchemaMapper
from estat_dagster.records.order import order_columns, sort_rows
from estat_dagster.records.quality import MEASURE, DataQualityValidator, QualityReport, Split
from estat_dagster.records.report import rates, shares, to_markdown
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


ODDITIES = (
    "unknown_codes",
    "dangling_parents",
    "repeated_classes",
    "doubtful_periods",
    "unexplained_symbols",
    "unknown_attributes",
)


def _transform(job: DatasetJob, manifest: Manifest, frames: Frames, version: str) -> dict[str, Any]:
    """Map every page with the notes of all pages; those are known for sure only when all pages were read."""
    first = job.raw.read_checked(manifest.pages[0])
    metadata = manifest.metadata(first)
    mapper = SchemaMapper(metadata, first.notes, first.annotations, job.domain)
    with frames.writer() as writer:
        while True:
            report, notes, annotations = _map_pages(job, manifest, first, mapper, writer)
            if (notes, annotations) == (mapper.notes, mapper.annotations):
                break
            writer.clear()
            mapper = SchemaMapper(metadata, notes, annotations, job.domain)
        kept = {
            "version": version,
            "notes": dict(mapper.notes),
            "measure": mapper.measure(),
            "dangling_parents": dangling_parents(metadata),
            "repeated_classes": repeated_classes(metadata),
            **vars(report),  # asdict makes a Counter of its pairs
        }
        writer.finish(kept)
    return kept


Words = dict[str, str]


def _map_pages(
    job: DatasetJob, manifest: Manifest, first: StatsPage, mapper: SchemaMapper, writer: FrameWriter
) -> tuple[MappingReport, Words, Words]:
    """Write a frame a page, in the table's order; return what to know of them, and the notes and annotations of all."""
    whole, notes, annotations = MappingReport(), dict(mapper.notes), dict(mapper.annotations)
    order = order_columns(job.domain.order, [column.name for column in mapper.columns(EXTRA_AXES)])

    def map_one(number: int) -> tuple[MappingReport, Words, Words]:
        entry = manifest.pages[number - 1]
        page = first if number == 1 else job.raw.read_checked(entry)
        rows, report = mapper.map_page(page.values, page=number, from_number=entry.from_number)
        writer.write(number, sort_rows(rows, order))
        return report, page.notes, page.annotations

    mapped = side_by_side(map_one, range(1, len(manifest.pages) + 1))
    for number, (report, page_notes, page_annotations) in enumerate(mapped, start=1):
        whole.add(report)
        notes |= page_notes
        annotations |= page_annotations
        log("transform", f"page {number} of {len(manifest.pages)}", dataset_id=job.dataset_id)
    return whole, notes, annotations


def validate(job: DatasetJob) -> StepResult:
    """Split the mapped rows into valid and quarantined ones."""
    source, frames = job.frames(TRANSFORMED), job.frames(VALIDATED)
    version = source.require_report()["version"]
    kept = job.kept_report(frames, version)
    report = kept or _validate(job, source, frames, version)
    facts = {key: value for key, value in report.items() if key not in ("version", "frames", "samples")}
    if report["quarantined"]:
        facts["quarantine"] = job.bench.lake.store.uri(paths.quarantine(job.domain, job.dataset_id))
    return StepResult(
        facts,
        frames.uri,
        content_of(version),
        bool(kept),
        report["valid"],
        preview=preview(frames),
        quality=to_markdown(source.require_report(), report),
        shares=shares(report),
    )


def _validate(job: DatasetJob, source: Frames, frames: Frames, version: str) -> dict[str, Any]:
    runs = source.runs(kept_open=True)
    columns = names_of(runs)
    measure = source.require_report().get("measure", MEASURE)  # frames of an earlier mapping do not say
    validator = DataQualityValidator(runs, order_columns(job.domain.order, columns), measure=measure)
    found = QualityReport()
    with frames.writer() as writer:

        def judge(part: tuple[int, Callable[[], Split]]) -> tuple[pa.Table, QualityReport]:
            number, split = part
            valid, quarantined, report = split()
            writer.write(number, valid)
            return quarantined, report

        def rejected() -> Iterator[pa.Table]:
            for quarantined, report in side_by_side(judge, enumerate(validator.parts(), start=1)):
                found.add(report)
                yield quarantined

        write_quarantine(job, columns, rejected())
        kept = {"version": version, **_findings(found)}
        writer.finish(kept)
    return kept


def _findings(found: QualityReport) -> dict[str, Any]:
    """Return a report as data: counts, rates and samples."""
    counts = {
        "rows_in": found.rows_in,
        "valid": found.valid,
        "quarantined": found.quarantined_count,
        "quarantined_reasons": dict(found.quarantined),
        "nulls": found.nulls,
        "missing_reasons": dict(found.missing),
        "noted": dict(found.noted),
        "texts": found.texts,
        "mixed_units": found.mixed_units,
        "samples": found.samples,
    }
    return {**counts, "rates": rates(counts)}


def reconcile(job: DatasetJob) -> dict[str, Any]:
    """Return how the totals of the valid rows compare with their parts."""
    frames = job.frames(VALIDATED)
    return asdict(reconcile_totals(frames, distinct_axes(job.metadata()), frames.column_names()))
