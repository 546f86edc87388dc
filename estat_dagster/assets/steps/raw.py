"""The raw step: pages of e-Stat, kept as they came."""

from __future__ import annotations

import logging
from dataclasses import replace

from estat_dagster.assets.steps.job import DatasetJob, StepResult
from estat_dagster.errors import DataError
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.estat.manifest import Manifest, is_whole
from estat_dagster.telemetry import log


def fetch_raw(job: DatasetJob, plan: FetchPlan) -> StepResult:
    """Fetch the dataset's scope and keep the pages, unless the same content is kept already.

    One process of this machine at a time fetches a dataset; Dagster's queue sees to that on several machines.
    """
    with job.raw.alone(job.bench.settings.locks_home):
        return _fetch_raw(job, plan)


def _fetch_raw(job: DatasetJob, plan: FetchPlan) -> StepResult:
    raw, found = job.raw, job.raw.latest()
    before = _read(job, found[1]) if found else None
    plan = replace(plan, expected=_expected(job, before))
    manifest = fetch_dataset(job.bench.estat, job.dataset_id, job.entry.scope, raw, plan)
    if found and before and not job.force and _same_content(manifest, before) and _are_whole(job, before):
        for page in manifest.pages:
            raw.remove(page.file)
        uri, kept, unchanged = found[0], before, True
    else:
        uri, kept, unchanged = raw.publish(manifest.name, manifest.to_json()), manifest, False
        if found and not before:
            raw.remove(found[0].rpartition("/")[2])
    facts = {
        "requests": len(manifest.pages),
        "records": manifest.total_number,
        "bytes": sum(page.bytes for page in kept.pages),
        "source": manifest.source,
        "scope": manifest.scope,
        "estat_updated_date": manifest.updated_date,
        "result_date": manifest.result_date,
    }
    return StepResult(facts, uri, kept.content_hash, unchanged, rows=manifest.total_number)


def _read(job: DatasetJob, manifest: bytes) -> Manifest | None:
    """Return the manifest of the fetch before; None where it is damaged, and then that fetch did not happen."""
    try:
        return Manifest.from_json(manifest)
    except DataError as damage:
        words = f"{damage.message} The pages that come now take its place."
        log("fetch", words, dataset_id=job.dataset_id, level=logging.WARNING)
        return None


def _expected(job: DatasetJob, before: Manifest | None) -> int:
    """Return about how many records will come: as many as last time, or as the metadata say; 0 where unknown."""
    if before and (before.scope, before.source) == (job.entry.scope, job.bench.estat.source):
        return before.total_number
    return 0 if job.entry.scope else job.entry.overall_number or 0


def _are_whole(job: DatasetJob, before: Manifest) -> bool:
    """Whether the pages of the fetch before are the bytes that came; else those that come now take their place."""
    damaged = [page.file for page in before.pages if not is_whole(page, job.raw.read(page.file))]
    if damaged:
        words = f"{', '.join(damaged)} are gone or not what was fetched. The pages that come now take their place."
        log("fetch", words, dataset_id=job.dataset_id, level=logging.WARNING)
    return not damaged


def _same_content(new: Manifest, old: Manifest) -> bool:
    return (new.content_hash, new.scope, new.source) == (old.content_hash, old.scope, old.source)
