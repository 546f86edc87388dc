"""`estat rollback`: one dataset back to an earlier snapshot."""

from __future__ import annotations

import click

from estat_dagster.commands.diff import print_changes
from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.workbench import Workbench

COLUMNS = ("id", "table", "rolled back to", "snapshot", "rows", "files used again", "files written")


@click.command()
@click.argument("dataset_id", metavar="ID")
@click.option("--to", "as_of", metavar="AS_OF", required=True, help="A snapshot or a moment; `estat history` has them.")
@click.option("--dry-run", is_flag=True, help="Only show which rows would change.")
@format_option
def command(dataset_id: str, as_of: str, dry_run: bool, form: str) -> None:
    """Make the rows of an earlier snapshot the dataset's rows again; a load afterwards brings the newest back."""
    from estat_dagster.lake.rollback import find_target, rollback

    lake = Workbench().lake
    if dry_run:
        from estat_dagster.lake.comparing import compare
        from estat_dagster.lake.history import current_snapshot, find_table

        target = find_target(lake, dataset_id, as_of)
        current = current_snapshot(find_table(lake.tables, dataset_id))
        print_changes(compare(lake.tables, dataset_id, current, target), form)
        say("Nothing was changed: this was a dry run.")
        return
    done = rollback(lake, dataset_id, as_of)
    row = (
        dataset_id,
        done.entry.table_name,
        str(done.to),
        str(done.snapshot_id),
        done.rows,
        done.files_again,
        done.files_written,
    )
    print_rows(COLUMNS, [row], form)
    if not done.classes:
        say("The load of that snapshot is not kept any more: dataset_dimensions still has the classes of the newest.")
