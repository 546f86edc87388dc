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
    lake = Workbench().lake
    lake.registry.get_dataset_info(dataset_id)
    if dry_run:
        from estat_dagster.lake.comparing import compare
        from estat_dagster.lake.history import find_table, snapshots

        current = snapshots(find_table(lake.tables, dataset_id))[0].snapshot_id
        print_changes(compare(lake.tables, dataset_id, current, as_of), form)
        say("Nothing was changed: this was a dry run.")
        return
    from estat_dagster.lake.rollback import rollback

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
