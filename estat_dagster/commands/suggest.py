"""`estat suggest`: statistical terms for everyday words."""

from __future__ import annotations

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.estat.suggest import all_suggestions, suggest


@click.command()
@click.argument("words", nargs=-1)
@format_option
def command(words: tuple[str, ...], form: str) -> None:
    """Show the terms that statistics use for WORDS, in Japanese or English; without words, every entry by field."""
    found = suggest(" ".join(words)) if words else all_suggestions()
    rows = [(s.word, term, f"{s.field} {s.field_name}", s.reason) for s in found for term in s.terms]
    print_rows(("word", "term", "field", "reason"), rows, form)
    if not rows:
        say("Nothing is suggested for these words.")
    elif words:
        say("Search with one: `estat search WORDS --accept WORD=TERM`.")
