"""`estat describe`: a table of e-Stat before it is fetched."""

from __future__ import annotations

import click

from estat_dagster.commands.output import format_option, print_rows, say
from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import ValidationError
from estat_dagster.estat.models import ClassItem, Metadata
from estat_dagster.estat.search import describe_table
from estat_dagster.workbench import Workbench

SAMPLE = 5


@click.command()
@click.argument("dataset_id", metavar="ID")
@click.option("--axis", "axis_id", help="Show every code of this axis: tab, cat01 to cat15, area or time.")
@format_option
def command(dataset_id: str, axis_id: str | None, form: str) -> None:
    """Show a table of e-Stat: what it is, its axes with their codes, and how large a fetch would be."""
    bench = Workbench()
    found = describe_table(bench.estat, check_dataset_id(dataset_id))
    table = found.metadata.table
    if axis_id:
        _print_axis(found.metadata, axis_id, form)
        return
    say(f"{table.id} {table.title}")
    say(f"{table.stat_name} ({table.gov_org}), {table.cycle}, updated {table.updated_date}")
    say(f"{found.records:,} records, {found.requests:,} requests")
    rows = [(axis.id, axis.name, len(axis.classes), _sample(axis.classes)) for axis in found.metadata.axes]
    print_rows(("axis", "name", "codes", "first codes"), rows, form)


def _print_axis(metadata: Metadata, axis_id: str, form: str) -> None:
    axis = metadata.axis(axis_id)
    if axis is None:
        names = ", ".join(axis.id for axis in metadata.axes)
        raise ValidationError(f"The table has no axis {axis_id!r}.", hint=f"Its axes are {names}.")
    rows = [(item.code, item.name, item.level, item.parent_code, item.unit) for item in axis.classes]
    print_rows(("code", "name", "level", "parent", "unit"), rows, form)


def _sample(classes: tuple[ClassItem, ...]) -> str:
    return ", ".join(f"{item.code} {item.name}" for item in classes[:SAMPLE])
