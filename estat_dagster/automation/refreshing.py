"""The jobs that load again what the lake holds: what e-Stat updated, or all of it from the raw pages."""

from collections import defaultdict
from collections.abc import Callable, Iterable

import dagster as dg
from pydantic import Field

from estat_dagster.assets.failures import as_failure
from estat_dagster.assets.layers import LAYERS, layer_key
from estat_dagster.assets.registering import register_dataset
from estat_dagster.automation.backfills import Order
from estat_dagster.automation.requests import ONE_AT_A_TIME, read_ids, register_each, request_each
from estat_dagster.automation.watching import Watched, remember, watch
from estat_dagster.domains import get_domain
from estat_dagster.errors import DataLakeError
from estat_dagster.estat.updates import GONE
from estat_dagster.lake.registry import FAILED, DatasetEntry
from estat_dagster.workbench import Workbench

REFRESH, REBUILD = "refresh_updated", "rebuild_from_raw"


class RefreshRequest(dg.Config):
    """What to look at, and what to do about it."""

    dataset_ids: str = Field(default="", description="Only these datasets, spaces between. Empty: all that are held.")
    each: bool = Field(
        default=False, description="Ask for every dataset by its id: a request each, and withdrawn tables are found."
    )
    retry_failed: bool = Field(default=True, description="Load also what failed the last time.")
    only_look: bool = Field(default=False, description="Say what would be loaded, and load nothing.")


class RebuildRequest(dg.Config):
    """What to make again."""

    dataset_ids: str = Field(
        default="", description="Only these datasets, spaces between. Empty: all that were ever loaded."
    )
    force: bool = Field(default=True, description="Write again although the content has not changed.")


def refresh_job(definitions: Callable[[], dg.Definitions]) -> dg.JobDefinition:
    """Return the job that asks e-Stat once what changed, and loads that; `definitions` are the project's."""

    @dg.op(tags={"kind": "estat"})
    def refresh(context: dg.OpExecutionContext, config: RefreshRequest, bench: dg.ResourceParam[Workbench]) -> None:
        """Ask e-Stat what it updated since the last loads, and request to load that again, a run each."""
        try:
            found = watch(bench, read_ids(config.dataset_ids), each=config.each)
        except DataLakeError as error:
            raise as_failure(error) from error
        entries, damaged = bench.lake.registry.look()
        due = due_datasets(entries, found, read_ids(config.dataset_ids), retry_failed=config.retry_failed)
        facts = _facts(found, due)
        context.log.info(str(facts["outcome"]))
        if config.only_look:
            context.add_output_metadata(facts)
            return
        remember(bench.lake, found)
        if not damaged:  # else nobody knows which domain those belong to
            for domain, count in current_domains(entries, found, due).items():
                context.log_event(_found_current(domain, count))
        registered, failures = register_each(bench, due, lambda dataset_id: register_dataset(bench, dataset_id))
        order = Order(REFRESH, context.run_id)
        request_each(context, bench, definitions(), registered, order, failures=failures, facts=facts)

    @dg.job(
        name=REFRESH,
        tags={ONE_AT_A_TIME: REFRESH},
        description="Load what e-Stat updated since it was loaded; one question to e-Stat for all datasets.",
    )
    def job() -> None:
        refresh()

    return job


def rebuild_job(definitions: Callable[[], dg.Definitions]) -> dg.JobDefinition:
    """Return the job that makes everything after the raw pages again; `definitions` are the project's."""

    @dg.op(tags={"kind": "iceberg"})
    def rebuild(context: dg.OpExecutionContext, config: RebuildRequest, bench: dg.ResourceParam[Workbench]) -> None:
        """Request to map, validate, write and commit again from the raw pages; e-Stat is not asked."""
        try:
            ids = read_ids(config.dataset_ids)
            known, damaged = bench.lake.registry.look(*ids)
            entries = [entry for entry in known if ids or entry.raw_uri]
        except DataLakeError as error:
            raise as_failure(error) from error
        order = Order(REBUILD, context.run_id, force=config.force, layers=LAYERS[1:])
        request_each(context, bench, definitions(), entries, order, failures=damaged)

    @dg.job(
        name=REBUILD,
        tags={ONE_AT_A_TIME: REBUILD},
        description="Make rows, files and tables again from the raw pages, without asking e-Stat: after an update of "
        "the mapping, or to mend a table.",
    )
    def job() -> None:
        rebuild()

    return job


def due_datasets(entries: Iterable[DatasetEntry], found: Watched, only: list[str], *, retry_failed: bool) -> list[str]:
    """Return which datasets shall be loaded: those that changed or may have, that are damaged, and that failed."""
    due = {update.id for update in found.updates.news if update.state != GONE} | dict(found.damaged).keys()
    if retry_failed:
        due |= {e.dataset_id for e in entries if e.status == FAILED and (not only or e.dataset_id in only)}
    return sorted(due - {update.id for update in found.updates.tables if update.state == GONE})


def current_domains(entries: Iterable[DatasetEntry], found: Watched, due: list[str]) -> dict[str, int]:
    """Return the domains of which every dataset that is held is as e-Stat has it, and how many those are."""
    current = {update.id for update in found.updates.tables} - set(due)
    datasets: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry.snapshot_id is not None:
            datasets[entry.domain].append(entry.dataset_id)
    return {domain: len(ids) for domain, ids in datasets.items() if current >= set(ids)}


def _found_current(domain: str, count: int) -> dg.AssetMaterialization:
    """Return the event that keeps a table fresh to which nothing had to be done; it is no dataset's."""
    return dg.AssetMaterialization(
        layer_key(get_domain(domain), LAYERS[-1].name),
        description="Nothing was loaded: e-Stat has nothing newer than the table.",
        metadata={"compared": count},
    )


def _facts(found: Watched, due: list[str]) -> dict[str, dg.MetadataValue | str | int]:
    updates = found.updates
    changes = [f"- `{update.id}` {update.state}: {update.what}" for update in updates.news]
    words = f"{len(updates.tables):,} datasets compared by {updates.requests:,} requests: {len(due):,} to load"
    return {
        "outcome": words if due else f"{words}; nothing changed",
        "requests": updates.requests,
        "compared": len(updates.tables),
        "gone": sum(update.state == GONE for update in updates.tables),
        "changes": dg.MetadataValue.md("\n".join(changes) or "Nothing changed."),
        "not_compared": dg.MetadataValue.json(dict(found.left_out + found.damaged)),
    }
