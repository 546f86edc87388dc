"""`estat search`: tables of e-Stat by words and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.errors import ValidationError
from estat_dagster.estat.criteria import AREA_LEVELS, CYCLES, Criteria
from estat_dagster.estat.search import Found, search_tables
from estat_dagster.estat.suggest import apply_suggestions
from estat_dagster.workbench import Workbench

COLUMNS = (
    "id",
    "title",
    "survey",
    "organisation",
    "cycle",
    "years",
    "area",
    "records",
    "updated",
    "score",
    "why",
)


@click.command()
@click.argument("words", nargs=-1)
@click.option("--field", help="統計分野, 2 or 4 digits: 02 population, 03 labor, 07 economy, 12 education, 15 health.")
@click.option("--survey", help="政府統計コード: 8 digits, or 5 for all of an organisation.")
@click.option("--area", help=f"The area level: {', '.join(AREA_LEVELS)}.")
@click.option("--cycle", help=f"How often it appears: {', '.join(CYCLES)}, or part of e-Stat's own words.")
@click.option("--years", help="What the survey date touches: 2020, 2020-10, 2015..2020.")
@click.option("--updated", help="When e-Stat updated it: 2026, 2026-01, 2026-01-15, 2026-01-01.. until today.")
@click.option("--small-areas", is_flag=True, help="Tables of small areas and meshes instead of the others.")
@click.option("--accept", "accepted", metavar="WORD=TERM", multiple=True, help="Put a suggested term for a word.")
@click.option("--offset", type=click.IntRange(min=0), default=0, show_default=True, help="Skip this many.")
@click.option("--most", type=click.IntRange(min=1), default=20, show_default=True, help="Show at most this many.")
@format_option
def command(
    words: tuple[str, ...],
    field: str | None,
    survey: str | None,
    area: str | None,
    cycle: str | None,
    years: str | None,
    updated: str | None,
    small_areas: bool,
    accepted: tuple[str, ...],
    offset: int,
    most: int,
    form: str,
) -> None:
    """Search e-Stat's tables by WORDS, the best first, the newest where equal; AND, OR and NOT are understood."""
    bench = Workbench()
    text = apply_suggestions(" ".join(words), _accepted(accepted))
    criteria = Criteria(text, field, survey, area, cycle, years, updated, small_areas)
    found = search_tables(bench.estat, criteria, offset=offset, most=most)
    rows = [
        (h.id, h.title, h.survey, h.organisation, h.cycle, h.years, h.area_level, h.records, h.updated, h.score, h.why)
        for h in found.hits
    ]
    print_rows(COLUMNS, rows, form)
    for remark in _remarks(found, criteria):
        say(remark)


def _accepted(pairs: Sequence[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    if wrong := [
        pair for pair, (word, equals, term) in zip(pairs, split, strict=True) if not (word and equals and term)
    ]:
        raise ValidationError(f"{wrong[0]!r} is not WORD=TERM.", hint="Write --accept 収入=所得.")
    return {word: term for word, _, term in split}


def _remarks(found: Found, criteria: Criteria) -> list[str]:
    remarks = [f"e-Stat was asked for: {found.words}"] if found.words != criteria.words.strip() else []
    if found.total:
        last = found.offset + len(found.hits)
        remarks.append(f"{found.offset + 1:,} to {last:,} of {found.total:,} tables. Load one with `estat load ID`.")
    else:
        remarks.append("No table was found.")
    if found.listed > found.total:
        remarks.append(f"{found.listed - found.total:,} of another cycle than {criteria.cycle} were left out here.")
    if criteria.years:
        remarks.append("A table whose survey date is open (0), as many time series have it, is in no --years.")
    for suggestion in found.suggestions:
        terms = " or ".join(f"--accept {suggestion.word}={term}" for term in suggestion.terms)
        remarks.append(f"{suggestion.reason} {terms}")
    return [*remarks, found.credit]
