"""`estat query`: SQL over the lake."""

from __future__ import annotations

import click

from estat_dagster.commands.output import format_option, print_result, say
from estat_dagster.workbench import Workbench


@click.command()
@click.argument("sql")
@click.option("--param", "parameters", multiple=True, help="A value for each ? of the SQL, in order.")
@click.option("--limit", type=click.IntRange(min=1), help="Print at most this many rows.")
@format_option
def command(sql: str, parameters: tuple[str, ...], limit: int | None, form: str) -> None:
    """Ask the lake in Athena SQL, read-only.

    Example: estat query "SELECT region_name, value FROM population_data WHERE year = 2020"
    """
    result = Workbench().sql.run(sql, parameters, limit=limit)
    print_result(result, form)
    if result.truncated:
        say(f"The first {result.row_count:,} rows; there are more. Raise --limit to see them.")
