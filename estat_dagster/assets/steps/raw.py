"""The raw step: pages of e-Stat, kept as they came."""

from __future__ import annotations

from estat_dagster.assets.steps.job import DatasetJob, StepResult
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.estat.manifest import Manifest


def fetch_raw(job: DatasetJob, plan: FetchPlan) -> StepResult:
    """Fetch the dataset's scope and keep the pages, unless the same content is kept already."""
    raw, before = job.raw, job.raw.latest()
    manifest = fetch_dataset(job.bench.estat, job.dataset_id, job.entry.scope, raw, plan)
    if before and not job.force and _same_content(manifest, Manifest.from_json(before[1])):
        for page in manifest.pages:
            raw.remove(page.file)
        uri, kept, unchanged = before[0], Manifest.from_json(before[1]), True
    else:
        uri, kept, unchanged = raw.publish(manifest.pages[0].file, manifest.to_json()), manifest, False
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


def _same_content(new: Manifest, old: Manifest) -> bool:
    return (new.content_hash, new.scope, new.source) == (old.content_hash, old.scope, old.source)
