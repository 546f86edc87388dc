"""`estat search`: tables of e-Stat by words."""

from __future__ import annotations

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.estat.search import search_tables
from estat_dagster.workbench import Workbench


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--field", help="e-Stat's field (統計分野): 02 population, 03 labor, 07 economy, 12 education, 15 health."
)
@click.option("--most", type=click.IntRange(min=1), default=20, show_default=True, help="Show at most this many.")
@format_option
def command(words: tuple[str, ...], field: str | None, most: int, form: str) -> None:
    """Search e-Stat's tables by WORDS, newest first; AND, OR and NOT are understood."""
    bench = Workbench()
    found = search_tables(bench.estat, " ".join(words), field=field, most=most)
    rows = [
        (t.id, t.title, t.stat_name, t.gov_org, t.cycle, t.updated_date, t.overall_total_number) for t in found.tables
    ]
    print_rows(("id", "title", "survey", "organisation", "cycle", "updated", "records"), rows, form)
    source = "the sandbox" if bench.settings.uses_sandbox else "e-Stat"
    say(f"{len(rows):,} of {found.total:,} tables of {source}. Load one with `estat load ID`.")
