"""`estat status`: the datasets of the lake."""

from __future__ import annotations

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.estat.scope import describe_scope
from estat_dagster.lake.registry import held_release, held_scope
from estat_dagster.workbench import Workbench

COLUMNS = (
    "id",
    "domain",
    "status",
    "rows",
    "without number",
    "quarantined",
    "updated",
    "source",
    "title",
    "scope",
    "error",
)


@click.command()
@format_option
def command(form: str) -> None:
    """Show what the lake holds: each dataset, how its last load ended, and its counts."""
    bench = Workbench()
    entries, damaged = bench.lake.registry.look()
    rows = [
        (
            e.dataset_id,
            e.domain,
            e.status,
            e.valid_count,
            e.null_count,
            e.quarantined_count,
            held_release(e).updated_date,
            e.source,
            held_release(e).title,
            describe_scope(held_scope(e)),
            e.error,
        )
        for e in entries
    ]
    print_rows(COLUMNS, rows, form)
    say(f"{len(rows):,} datasets in {bench.lake.store.uri()}")
    if damaged:
        raise next(iter(damaged.values()))
