"""`estat maintain`: tables in good order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click

from estat_dagster.commands.output import format_option, print_rows, progress, say
from estat_dagster.errors import DataLakeError
from estat_dagster.workbench import Workbench

DRY = "Nothing was changed: this was a dry run."
COLUMNS = ("kind", "table", "count", "bytes", "details")


@click.command()
@click.argument("names", metavar="[TABLE...]", nargs=-1)
@click.option("--compact", "compact", is_flag=True, help="Put small data files and manifests together.")
@click.option("--expire", "expire", is_flag=True, help="Expire old snapshots.")
@click.option("--orphans", "orphans", is_flag=True, help="Remove files that no snapshot names.")
@click.option("--repair", "repair", is_flag=True, help="Do without lost and damaged files: rows come from parquet/.")
@click.option("--older-than", type=float, default=30.0, show_default=True, help="Days.")
@click.option("--keep", type=click.IntRange(min=1), default=20, show_default=True, help="Newest snapshots that stay.")
@click.option("--athena", "on_athena", is_flag=True, help="Let Athena do it: OPTIMIZE and VACUUM, for a lake on AWS.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@format_option
def command(
    names: tuple[str, ...],
    compact: bool,
    expire: bool,
    orphans: bool,
    repair: bool,
    older_than: float,
    keep: int,
    on_athena: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Compact files, expire snapshots and remove orphans, of all tables or some; without a choice, all three."""
    from estat_dagster.lake.maintenance import COMPACT, EXPIRE, KINDS, ORPHANS, REPAIR, maintain
    from estat_dagster.lake.sweeping import age

    given = {REPAIR: repair, COMPACT: compact, EXPIRE: expire, ORPHANS: orphans}
    kinds = [kind for kind, wanted in given.items() if wanted] or KINDS
    bench, span = Workbench(), age(older_than)
    if on_athena:
        _on_athena(bench, names, kinds, span, keep, dry_run, form)
        return
    done = maintain(bench.lake, kinds, names, older_than=span, keep=keep, dry_run=dry_run)
    errors: list[DataLakeError] = []
    with _printed(COLUMNS, form) as rows, progress():
        for report in done:
            details = {"error": str(report.error)} if report.error else report.details
            rows.append((report.kind, report.table or "(drafts)", report.count, report.bytes, json.dumps(details)))
            errors += [report.error] if report.error else []
    if dry_run:
        say(DRY)
    if errors:
        raise errors[0]


def _on_athena(
    bench: Workbench, names: Sequence[str], kinds: Sequence[str], age: timedelta, keep: int, dry_run: bool, form: str
) -> None:
    from estat_dagster.lake.athena_maintenance import maintain_on_athena

    _ = bench.athena  # a lake that is not on AWS is refused before anything is listed
    run = (lambda sql: None) if dry_run else bench.run_on_athena
    known = [bench.lake.tables.load(name).name()[-1] for name in names] or bench.lake.tables.names()
    ran = maintain_on_athena(run, bench.settings.glue_database, known, kinds, older_than=age, keep=keep)
    with _printed(("statement",), form) as rows:
        rows.extend((sql,) for sql in ran)
    if dry_run:
        say(DRY)


@contextmanager
def _printed(columns: Sequence[str], form: str) -> Iterator[list[tuple[Any, ...]]]:
    """Print the rows that the block gathers, also where it breaks off: what was done is done."""
    rows: list[tuple[Any, ...]] = []
    try:
        yield rows
    finally:
        print_rows(columns, rows, form)
