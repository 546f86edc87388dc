"""`estat describe`: a table of e-Stat before it is fetched."""

from __future__ import annotations

from typing import Any

import click

from estat_dagster.commands.output import format_option, print_document, print_rows, say
from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import ValidationError
from estat_dagster.estat.describe import AxisSummary, Description, describe_table
from estat_dagster.estat.models import Metadata
from estat_dagster.workbench import Workbench


@click.command()
@click.argument("dataset_id", metavar="ID")
@click.option("--axis", "axis_id", help="Show every code of this axis: tab, cat01 to cat15, area or time.")
@format_option
def command(dataset_id: str, axis_id: str | None, form: str) -> None:
    """Show a table of e-Stat: what it is, axes, units, symbols, periods, the size of a fetch, and its domain."""
    found = describe_table(Workbench().estat, check_dataset_id(dataset_id))
    if axis_id:
        _print_axis(found.metadata, axis_id, form)
    elif form == "json":
        print_document(_document(found))
    else:
        _print_facts(found)
        rows = [
            (axis.id, axis.name, axis.size, _levels(axis), ", ".join(axis.units), _sample(axis)) for axis in found.axes
        ]
        print_rows(("axis", "name", "codes", "levels", "units", "first codes"), rows, form)
    say(found.credit)


def _print_facts(found: Description) -> None:
    table, periods = found.table, found.periods
    say(f"{table.id} {table.title}")
    say(f"{table.stat_name} ({table.gov_org}), {table.statistics_name}")
    say(f"cycle {table.cycle}, opened {table.open_date}, updated {table.updated_date}")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in periods.kinds.items())
    say(f"periods: {periods.first} to {periods.last} by the {periods.source} ({kinds})")
    for doubt in periods.doubts:
        say(f"period in doubt: {doubt}")
    for symbol, meaning in found.notes.items():
        say(f"symbol {symbol}: {meaning}")
    plan = found.plan
    say(f"fetch: {plan.records:,} records, {plan.requests:,} requests, about {plan.bytes:,} bytes, {plan.seconds:g} s")
    for advice in plan.advice:
        say(f"--filter {advice}.")
    say(f"domain: {found.domain}, for {found.domain_reason}")


def _document(found: Description) -> dict[str, Any]:
    table, periods = found.table, found.periods
    return {
        "id": table.id,
        "title": table.title,
        "survey": table.stat_name,
        "survey_code": table.stat_code,
        "statistics": table.statistics_name,
        "organisation": table.gov_org,
        "field": f"{table.field_code} {table.field_name}",
        "cycle": table.cycle,
        "survey_date": table.survey_date,
        "area_level": table.collect_area,
        "opened": table.open_date,
        "updated": table.updated_date,
        "axes": [
            {
                "axis": axis.id,
                "name": axis.name,
                "codes": axis.size,
                "levels": axis.levels,
                "units": axis.units,
                "first_codes": {item.code: item.name for item in axis.samples},
                "description": axis.description,
            }
            for axis in found.axes
        ],
        "periods": {
            "first": periods.first,
            "last": periods.last,
            "kinds": periods.kinds,
            "doubts": periods.doubts,
            "source": periods.source,
        },
        "units": found.units,
        "notes": found.notes,
        "plan": {
            "records": found.plan.records,
            "requests": found.plan.requests,
            "bytes": found.plan.bytes,
            "seconds": found.plan.seconds,
            "advice": found.plan.advice,
        },
        "domain": found.domain,
        "domain_reason": found.domain_reason,
        "source": found.source,
        "credit": found.credit,
    }


def _print_axis(metadata: Metadata, axis_id: str, form: str) -> None:
    axis = metadata.axis(axis_id)
    if axis is None:
        names = ", ".join(axis.id for axis in metadata.axes)
        raise ValidationError(f"The table has no axis {axis_id!r}.", hint=f"Its axes are {names}.")
    rows = [(item.code, item.name, item.level, item.parent_code, item.unit) for item in axis.classes]
    print_rows(("code", "name", "level", "parent", "unit"), rows, form)


def _levels(axis: AxisSummary) -> str:
    return ", ".join(f"{level or 'none'}: {count:,}" for level, count in axis.levels.items())


def _sample(axis: AxisSummary) -> str:
    return ", ".join(f"{item.code} {item.name}" for item in axis.samples)
