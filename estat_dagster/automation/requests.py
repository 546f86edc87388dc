"""What every job that loads several datasets shares: the ids of its form, registering each, and asking for loads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from estat_dagster.assets.failures import as_failure_of_each, record_failure
from estat_dagster.automation.backfills import Order, Requested, missing_daemons, request_loads
from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import DataLakeError, NetworkError, RequestTimeoutError, ValidationError
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.records.report import table
from estat_dagster.workbench import Workbench

# One run of a job with this tag at a time: dagster.yaml lets a second one wait, whoever started it.
ONE_AT_A_TIME = "estat/one_at_a_time"
SHOWN = 200
MOST_AWAY = 3
NO_DAEMON = (
    "Nothing begins before Dagster's daemon is started: `estat dev`, or `estat service dagster-daemon run -w "
    "workspace.yaml`. Not heard of lately: {names}."
)


def read_ids(text: str) -> list[str]:
    """Return the dataset ids of a form's field, each once.

    Raises:
        ValidationError: one is not a dataset id.
    """
    return [check_dataset_id(dataset_id) for dataset_id in dict.fromkeys(text.replace(",", " ").split())]


def register_each(
    bench: Workbench, dataset_ids: Iterable[str], register: Callable[[str], DatasetEntry]
) -> tuple[list[DatasetEntry], dict[str, DataLakeError]]:
    """Register datasets one by one; return the entries, and what kept the others from being registered.

    A dataset that the lake holds is left failed then, unless it was the form that was wrong. After e-Stat stayed away
    for some in a row, it is not asked for the others.
    """
    entries: list[DatasetEntry] = []
    failures: dict[str, DataLakeError] = {}
    away: list[DataLakeError] = []
    for dataset_id in dataset_ids:
        try:
            if len(away) >= MOST_AWAY:
                raise away[-1]
            entries.append(register(dataset_id))
            away.clear()
        except DataLakeError as error:
            if isinstance(error, NetworkError | RequestTimeoutError):
                away.append(error)
            failures[dataset_id] = error
            if not isinstance(error, ValidationError):
                record_failure(bench, dataset_id, str(error))
    return entries, failures


def request_each(
    context: dg.OpExecutionContext,
    bench: Workbench,
    defs: dg.Definitions,
    entries: Sequence[DatasetEntry],
    order: Order,
    *,
    failures: Mapping[str, DataLakeError] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Request the loads of registered datasets and show what was requested.

    Args:
        context: of the op.
        bench: the lake.
        defs: the project's definitions.
        entries: the datasets.
        order: how to load them.
        failures: datasets that could not be registered, or whose entries cannot be read.
        facts: shown besides.

    Raises:
        dagster.Failure: there are failures; it names each dataset with its reason, after the others were requested.
    """
    requested = list(request_loads(context.instance, defs, entries, order))
    missing = missing_daemons(context.instance) if requested else []
    shown = {**_shown(requested, bench.settings.dagster_url), **(facts or {})}
    if missing:
        shown["daemon"] = NO_DAEMON.format(names=", ".join(missing))
        context.log.warning(shown["daemon"])
    for each in requested:
        context.log.info(f"{each.domain}: {len(each.entries):,} datasets in the backfill {each.backfill_id}")
    if failures:
        raise as_failure_of_each("Not requested", failures, **shown)
    context.add_output_metadata(shown)


def _shown(requested: Sequence[Requested], dagster_url: str) -> dict[str, Any]:
    """Return the metadata that say what was requested and where to look at it."""
    url, entries = dagster_url.rstrip("/"), [entry for each in requested for entry in each.entries]
    shown: dict[str, Any] = {"requested": len(entries), "datasets": [entry.dataset_id for entry in entries]}
    if entries:
        links = [f"- [{each.domain}]({url}/runs/b/{each.backfill_id}): {len(each.entries):,}" for each in requested]
        rows = [(entry.dataset_id, entry.domain, entry.title) for entry in entries[:SHOWN]]
        shown |= {
            "all_backfills": dg.MetadataValue.url(f"{url}/runs?view=backfills"),
            "backfills": dg.MetadataValue.md("\n".join(links)),
            "which": dg.MetadataValue.md(table(("dataset", "domain", "title"), rows)),
        }
    return shown
