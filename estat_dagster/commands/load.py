"""`estat load`: datasets from e-Stat to the Iceberg tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import click

from estat_dagster.commands.output import format_option, print_rows, progress, say
from estat_dagster.commands.runner import Runner
from estat_dagster.domains import DOMAINS, check_dataset_id
from estat_dagster.errors import DataLakeError
from estat_dagster.estat.scope import describe_scope, parse_filters
from estat_dagster.lake.registry import DatasetEntry, held_scope
from estat_dagster.workbench import Workbench

COLUMNS = ("id", "domain", "title", "scope", "fetched", "rows", "without number", "quarantined", "table", "run")


class Request(NamedTuple):
    """A dataset to load; scope None keeps the registered one, {} is the whole table."""

    dataset_id: str
    scope: Mapping[str, str] | None


@click.command()
@click.argument("dataset_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Write again although the content has not changed.")
@click.option("--domain", type=click.Choice(list(DOMAINS)), help="The domain, instead of the one inferred.")
@click.option("--filter", "filters", metavar="AXIS=CODES", multiple=True, help="Only these codes: area=13000,27000.")
@click.option("--all", "everything", is_flag=True, help="The whole table, where a filter was registered before.")
@format_option
def command(
    dataset_ids: tuple[str, ...],
    force: bool,
    domain: str | None,
    filters: tuple[str, ...],
    everything: bool,
    form: str,
) -> None:
    """Register the datasets and run the five layers of each; the runs are in the Dagster web UI afterwards."""
    if everything and filters:
        raise click.UsageError("--all and --filter exclude each other.")
    scope = parse_filters(filters) if filters else ({} if everything else None)
    requests = [Request(check_dataset_id(dataset_id), scope) for dataset_id in dict.fromkeys(dataset_ids)]
    loaded, failures = load_all(Workbench(), requests, force=force, domain=domain)
    if loaded or form != "table":
        print_rows(COLUMNS, [row_of(entry) for entry in loaded], form)
    for words in failures:
        say(f"error: {words}")
    sys.exit(1 if failures else 0)


def load_all(
    bench: Workbench, requests: Sequence[Request], *, force: bool = False, domain: str | None = None
) -> tuple[list[DatasetEntry], list[str]]:
    """Load the datasets one after another; return the entries of those loaded and what went wrong with the others."""
    if bench.settings.uses_sandbox:
        say("ESTAT_APP_ID is not set: the data come from the sandbox, not from e-Stat.")
    runner = Runner(bench)
    loaded, failures = [], []
    with progress():
        for request in requests:
            try:
                loaded.append(runner.load(request.dataset_id, force=force, domain=domain, scope=request.scope))
            except DataLakeError as error:
                failures.append(f"{request.dataset_id}: {error}")
    return loaded, failures


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
