"""`estat delete`: a dataset out of the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.errors import DataError
from estat_dagster.workbench import Workbench

if TYPE_CHECKING:
    from estat_dagster.lake.deleting import Holdings

COLUMNS = ("id", "what", "where", "count", "bytes")


@click.command()
@click.argument("dataset_id", metavar="ID")
@click.option("--keep-raw", is_flag=True, help="Leave the raw pages.")
@click.option("--yes", is_flag=True, help="Do it. Without this, only what would go is shown.")
@click.option("--even-if-running", is_flag=True, help="Also where a run of it is not finished.")
@format_option
def command(dataset_id: str, keep_raw: bool, yes: bool, even_if_running: bool, form: str) -> None:
    """Show what the lake holds of a dataset and, with --yes, take it out: rows, files, entry and partition.

    Snapshots keep the rows until they expire (`estat maintain --expire`).
    """
    bench = Workbench()
    if not yes:
        from estat_dagster.lake.deleting import holdings

        found = holdings(bench.lake, dataset_id, keep_raw=keep_raw)
        if found.is_empty:
            raise DataError(f"The lake holds nothing of {dataset_id}.", hint="`estat status` lists its datasets.")
        print_rows(COLUMNS, _rows(found), form)
        say("Nothing was deleted: this was a dry run. Add --yes to delete all of it.")
        return
    from estat_dagster.automation.deleting import delete_dataset
    from estat_dagster.commands.runner import Runner

    instance = Runner(bench).instance
    found = delete_dataset(bench, instance, dataset_id, keep_raw=keep_raw, even_if_running=even_if_running)
    print_rows(COLUMNS, _rows(found), form)
    say(f"{dataset_id} was deleted. Snapshots keep its rows until they expire: `estat history {dataset_id}`.")


def _rows(found: Holdings) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [
        (found.dataset_id, "rows", name, count, None) for name, count in found.rows.items()
    ]
    for top, files in found.files.items():
        rows.append((found.dataset_id, "files", f"{top}/", len(files), sum(file.size for file in files)))
    if found.entry:
        rows.append((found.dataset_id, "entry", f"registry/{found.dataset_id}.json", 1, None))
        rows.append((found.dataset_id, "partition", f"{found.entry.domain}_datasets", 1, None))
    return rows
