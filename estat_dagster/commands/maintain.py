"""`estat maintain`: tables in good order."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.workbench import Workbench

COLUMNS = ("kind", "table", "count", "bytes", "details")


@click.command()
@click.argument("names", metavar="[TABLE...]", nargs=-1)
@click.option("--compact", "compact", is_flag=True, help="Put small data files and manifests together.")
@click.option("--expire", "expire", is_flag=True, help="Expire old snapshots.")
@click.option("--orphans", "orphans", is_flag=True, help="Remove files that no snapshot names.")
@click.option("--older-than", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Days.")
@click.option("--keep", type=click.IntRange(min=1), default=20, show_default=True, help="Newest snapshots that stay.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@format_option
def command(
    names: tuple[str, ...],
    compact: bool,
    expire: bool,
    orphans: bool,
    older_than: float,
    keep: int,
    dry_run: bool,
    form: str,
) -> None:
    """Compact files, expire snapshots and remove orphans, of all tables or some; without a choice, all three."""
    from estat_dagster.lake.maintenance import COMPACT, EXPIRE, KINDS, ORPHANS, maintain

    chosen = [kind for kind, wanted in ((COMPACT, compact), (EXPIRE, expire), (ORPHANS, orphans)) if wanted]
    done = maintain(
        Workbench().lake,
        chosen or KINDS,
        names,
        older_than=timedelta(days=older_than),
        keep=keep,
        dry_run=dry_run,
    )
    rows = [
        (report.kind, report.table or "(drafts)", report.count, report.bytes, json.dumps(report.details))
        for report in done
    ]
    print_rows(COLUMNS, rows, form)
    if dry_run:
        say("Nothing was changed: this was a dry run.")
