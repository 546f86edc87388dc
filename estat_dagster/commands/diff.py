"""`estat diff`: what changed of a dataset between two snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.workbench import Workbench

if TYPE_CHECKING:
    from estat_dagster.lake.comparing import Comparison

MOST = 10_000_000


@click.command()
@click.argument("dataset_id", metavar="ID")
@click.option("--from", "before", metavar="AS_OF", help="A snapshot or a moment; without it, before the last load.")
@click.option("--to", "after", metavar="AS_OF", help="A snapshot or a moment; without it, now.")
@click.option("--limit", type=click.IntRange(1, MOST), default=1_000, show_default=True, help="Rows of each kind.")
@format_option
def command(dataset_id: str, before: str | None, after: str | None, limit: int, form: str) -> None:
    """Show the rows that were added, removed or revised, with old and new values."""
    from estat_dagster.lake.comparing import compare

    found = compare(Workbench().lake.tables, dataset_id, before, after, sample=limit)
    print_changes(found, form)


def print_changes(found: Comparison, form: str) -> None:
    """Print a comparison: a row each change, and on stderr the counts."""
    from estat_dagster.lake.comparing import COMPARED

    names = found.revised.column_names
    places = [name for name in names if name.removeprefix("old_").removeprefix("new_") not in COMPARED]
    columns = ["change", *places, *(f"{age}_{name}" for name in COMPARED for age in ("old", "new"))]
    rows = [[row.get(name) for name in columns] for row in _changes(found)]
    if form == "table":
        used = [n for n, _ in enumerate(columns) if n == 0 or any(row[n] is not None for row in rows)]
        columns, rows = [columns[n] for n in used], [[row[n] for n in used] for row in rows]
    print_rows(columns, rows, form)
    say(
        f"{found.dataset_id} in {found.table_name}, {found.before} to {found.after}: {found.added_count:,} rows added, "
        f"{found.removed_count:,} removed, {found.revised_count:,} revised, {found.unchanged_count:,} unchanged."
    )
    if len(rows) < found.added_count + found.removed_count + found.revised_count:
        say("Not every change is shown; raise --limit to see more.")


def _changes(found: Comparison) -> Iterator[dict[str, Any]]:
    from estat_dagster.lake.comparing import COMPARED

    for change, age, rows in (("added", "new", found.added), ("removed", "old", found.removed)):
        for row in rows.to_pylist():
            yield {"change": change, **row, **{f"{age}_{name}": row[name] for name in COMPARED}}
    for row in found.revised.to_pylist():
        yield {"change": "revised", **row}
