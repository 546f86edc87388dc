"""`estat codes`: codes and names of a table's axes."""

from __future__ import annotations

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.domains import check_dataset_id
from estat_dagster.estat.codes import CodeMatch, find_codes
from estat_dagster.workbench import Workbench

COLUMNS = ("axis", "code", "name", "level", "path", "children", "unit", "why")


@click.command()
@click.argument("dataset_id", metavar="ID")
@click.argument("words", nargs=-1)
@click.option("--axis", help="Only this axis: tab, cat01 to cat15, area or time.")
@click.option("--children-of", metavar="CODE", help="Only what stands directly below this code or name: 13000, 東京都.")
@click.option("--offset", type=click.IntRange(min=0), default=0, show_default=True, help="Skip this many.")
@click.option("--most", type=click.IntRange(min=1), default=50, show_default=True, help="Show at most this many.")
@format_option
def command(
    dataset_id: str,
    words: tuple[str, ...],
    axis: str | None,
    children_of: str | None,
    offset: int,
    most: int,
    form: str,
) -> None:
    """Find codes of the table ID by code or part of a name; prefectures also in kana and romaji (Tokyo, とうきょう)."""
    found = find_codes(
        Workbench().estat,
        check_dataset_id(dataset_id),
        " ".join(words),
        axis=axis,
        children_of=children_of,
        offset=offset,
        most=most,
    )
    rows = [(m.axis, m.code, m.name, m.level, _path(m), m.children, m.unit, m.why) for m in found.matches]
    print_rows(COLUMNS, rows, form)
    if found.total:
        say(f"{offset + 1:,} to {offset + len(rows):,} of {found.total:,} codes of {found.dataset_id} {found.title}")
    else:
        say(f"Nothing on the axes of {dataset_id} {found.title} matches; `estat describe {dataset_id}` shows them.")
    say(found.credit)


def _path(match: CodeMatch) -> str:
    return " > ".join(f"{parent.code} {parent.name or '(not on the axis)'}" for parent in match.path)
