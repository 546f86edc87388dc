"""`estat files`: files of e-Stat by words."""

from __future__ import annotations

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.estat.files import KINDS, search_files
from estat_dagster.workbench import Workbench


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only these; DB is a table.")
@click.option("--most", type=click.IntRange(min=1), default=20, show_default=True, help="Show at most this many.")
@format_option
def command(words: tuple[str, ...], kinds: tuple[str, ...], most: int, form: str) -> None:
    """Search the files (Excel, CSV, PDF) that e-Stat has beside its tables by WORDS, the last changed first."""
    found = search_files(Workbench().estat, " ".join(words), kinds=kinds)
    rows = [(f.id, f.title, f.kind, f.survey, f.survey_date, f.modified, f.url) for f in found[:most]]
    print_rows(("id", "title", "kind", "survey", "surveyed", "changed", "url"), rows, form)
    say(f"{len(rows):,} of {len(found):,} files.")
