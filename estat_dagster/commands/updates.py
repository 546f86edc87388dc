"""`estat updates`: which datasets of the lake e-Stat changed since they were loaded."""

from __future__ import annotations

import click

from estat_dagster.automation.watching import watch
from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.estat.updates import Updates
from estat_dagster.workbench import Workbench

COLUMNS = (
    "id",
    "title",
    "state",
    "what changed",
    "loaded update",
    "e-Stat's update",
    "records loaded",
    "records now",
)


@click.command()
@click.argument("dataset_ids", metavar="[ID...]", nargs=-1)
@click.option("--each", is_flag=True, help="Ask for every dataset by its id: finds all that are gone from e-Stat.")
@click.option("--every", is_flag=True, help="Show the unchanged ones too.")
@format_option
def command(dataset_ids: tuple[str, ...], each: bool, every: bool, form: str) -> None:
    """Show which datasets e-Stat changed since they were loaded, with few requests; IDs are asked for each."""
    found = watch(Workbench(), dataset_ids, each=each)
    tables = found.updates.tables if every else found.updates.news
    rows = [(t.id, t.title, t.state, t.what, t.held_updated, t.updated, t.held_records, t.records) for t in tables]
    print_rows(COLUMNS, rows, form)
    for dataset_id, reason in found.left_out + found.damaged:
        say(f"{dataset_id} was not compared: {reason}.")
    say(_summary(found.updates))
    say(found.updates.credit)


def _summary(updates: Updates) -> str:
    if not updates.tables:
        return "No dataset was compared."
    how = f"e-Stat's updates of {updates.window}" if updates.window else "each by its id"
    return (
        f"{len(updates.news):,} of {len(updates.tables):,} datasets have news ({how}, {updates.requests:,} requests)."
    )
