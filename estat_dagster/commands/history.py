"""`estat history`: what happened to a table or a dataset."""

from __future__ import annotations

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.domains import DATASET_ID
from estat_dagster.workbench import Workbench

COLUMNS = (
    "table",
    "snapshot",
    "made at",
    "current",
    "action",
    "operation",
    "dataset",
    "rows",
    "added",
    "removed",
    "parent",
    "run",
    "content",
    "schema",
)


@click.command()
@click.argument("name", metavar="[TABLE|ID]", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Newest snapshots of a table.")
@format_option
def command(name: str | None, limit: int, form: str) -> None:
    """Show the snapshots of a table, of a dataset, or of every table; any of them can be read again (as of)."""
    from estat_dagster.lake.history import dataset_snapshots, find_table, snapshots
    from estat_dagster.lake.iceberg import EMPTY

    tables = Workbench().lake.tables
    if name and DATASET_ID.fullmatch(name):
        table = find_table(tables, name)
        found = {table.name()[-1]: dataset_snapshots(table, name)}
    else:
        found = {each: snapshots(tables.load(each)) for each in ([name] if name else tables.names())}
    rows = [
        (
            table_name,
            str(facts.snapshot_id),
            facts.made_at.isoformat(timespec="milliseconds"),
            facts.is_current,
            facts.action,
            facts.operation,
            facts.dataset_id,
            facts.rows,
            facts.rows_added,
            facts.rows_removed,
            facts.parent_id and str(facts.parent_id),
            facts.run_id,
            facts.content_hash,
            facts.schema_version,
        )
        for table_name, listed in found.items()
        for facts in listed[:limit]
    ]
    print_rows(COLUMNS, rows, form)
    if not found:
        say(EMPTY)
    if any(len(listed) > limit for listed in found.values()):
        each = "" if name else " of each table"
        say(f"The newest {limit:,} snapshots{each}; there are more. Raise --limit to see them.")
