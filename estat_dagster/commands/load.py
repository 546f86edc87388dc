"""`estat load`: datasets from e-Stat to the Iceberg tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

from estat_dagster.commands.output import format_option, print_rows, progress, say
from estat_dagster.commands.runner import Runner
from estat_dagster.domains import DOMAINS, check_dataset_id
from estat_dagster.errors import DataLakeError
from estat_dagster.estat.client import PAGE_LIMIT
from estat_dagster.estat.plan import FetchPlan, estimate_fetch
from estat_dagster.estat.scope import describe_scope, parse_filters
from estat_dagster.lake.registry import DatasetEntry, held_scope
from estat_dagster.workbench import Workbench

COLUMNS = ("id", "domain", "title", "scope", "fetched", "rows", "without number", "quarantined", "table", "run")

PLAN_COLUMNS = ("id", "title", "scope", "records", "requests", "bytes, about", "seconds, about")


class Request(NamedTuple):
    """A dataset to load; scope None keeps the registered one, {} is the whole table."""

    dataset_id: str
    scope: Mapping[str, str] | None


@click.command()
@click.argument("dataset_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Write again although the content has not changed.")
@click.option("--domain", type=click.Choice(list(DOMAINS)), help="The domain, instead of the one inferred.")
@click.option(
    "--filter",
    "filters",
    metavar="AXIS=CODES",
    multiple=True,
    help="Only these codes or names: area=13000,27000; area=東京都; time=2015..2020; area=level:2.",
)
@click.option("--all", "everything", is_flag=True, help="The whole table, where a filter was registered before.")
@click.option("--plan", "only_plan", is_flag=True, help="Only say how large the fetch would be, and what would help.")
@click.option("--max-records", type=click.IntRange(min=1), help="Refuse larger tables before anything is fetched.")
@click.option("--chunk-size", type=click.IntRange(1, PAGE_LIMIT), help="Records a request.")
@click.option("--min-interval", type=click.FloatRange(0, 3_600), help="The least seconds between two requests.")
@format_option
def command(
    dataset_ids: tuple[str, ...],
    force: bool,
    domain: str | None,
    filters: tuple[str, ...],
    everything: bool,
    only_plan: bool,
    form: str,
    **fetch: int | float | None,
) -> None:
    """Register the datasets and run the five layers of each; the runs are in the Dagster web UI afterwards."""
    if everything and filters:
        raise click.UsageError("--all and --filter exclude each other.")
    scope = parse_filters(filters) if filters else ({} if everything else None)
    requests = [Request(check_dataset_id(dataset_id), scope) for dataset_id in dict.fromkeys(dataset_ids)]
    given = {name: value for name, value in fetch.items() if value is not None}
    if only_plan:
        sys.exit(print_plans(Workbench(), requests, given, form))
    loaded, failures = load_all(Workbench(), requests, force=force, domain=domain, fetch=given)
    if loaded or form != "table":
        print_rows(COLUMNS, [row_of(entry) for entry in loaded], form)
    for words in failures:
        say(f"error: {words}")
    sys.exit(1 if failures else 0)


def load_all(
    bench: Workbench,
    requests: Sequence[Request],
    *,
    force: bool = False,
    domain: str | None = None,
    fetch: Mapping[str, Any] | None = None,
) -> tuple[list[DatasetEntry], list[str]]:
    """Load the datasets one after another; return the entries of those loaded and what went wrong with the others."""
    say_source(bench)
    runner = Runner(bench)
    loaded, failures = [], []
    with progress():
        for request in requests:
            try:
                entry = runner.load(request.dataset_id, force=force, domain=domain, scope=request.scope, fetch=fetch)
                loaded.append(entry)
            except DataLakeError as error:
                failures.append(f"{request.dataset_id}: {error}")
    return loaded, failures


def print_plans(bench: Workbench, requests: Sequence[Request], fetch: Mapping[str, Any], form: str) -> int:
    """Print how large the fetches would be, on stderr what would make them smaller; return the exit code."""
    say_source(bench)
    how = FetchPlan(fetch.get("chunk_size", PAGE_LIMIT), bench.settings.max_concurrent, fetch.get("min_interval", 0.0))
    found, failures = [], 0
    for request in requests:
        known = bench.lake.registry.find(request.dataset_id)
        scope = request.scope if request.scope is not None else (known.scope if known else {})
        try:
            found.append(estimate_fetch(bench.estat, request.dataset_id, scope, how))
        except DataLakeError as error:
            failures += 1
            say(f"error: {request.dataset_id}: {error}")
    rows = [
        (
            e.metadata.table.id,
            e.metadata.table.title,
            describe_scope(e.scope),
            e.records,
            e.requests,
            e.bytes,
            e.seconds,
        )
        for e in found
    ]
    print_rows(PLAN_COLUMNS, rows, form)
    for estimate in found:
        for advice in estimate.advice:
            say(f"{estimate.metadata.table.id}: --filter {advice}.")
    return 1 if failures else 0


def say_source(bench: Workbench) -> None:
    """Say so where the data are not e-Stat's."""
    if bench.settings.uses_sandbox:
        say("ESTAT_APP_ID is not set: the data come from the sandbox, not from e-Stat.")


def row_of(entry: DatasetEntry) -> tuple[object, ...]:
    """Return what is printed of a loaded dataset, under `COLUMNS`."""
    return (
        entry.dataset_id,
        entry.domain,
        entry.title,
        describe_scope(held_scope(entry)),
        entry.record_count,
        entry.valid_count,
        entry.null_count,
        entry.quarantined_count,
        entry.table_name,
        entry.run_id,
    )
