"""`estat query`: SQL over the lake, from the command line, a pipe, or a prompt."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from estat_dagster.commands import results
from estat_dagster.commands.parameters import parse_parameter
from estat_dagster.workbench import Workbench


@click.command()
@click.argument("sql", required=False)
@click.option(
    "--param",
    "parameters",
    multiple=True,
    help="A value for each ? of the SQL, in order: a text, or number:2020, date:2020-04-01, bool:true, null:.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Print at most this many rows.")
@click.option("--cursor", help="Go on where an answer from Athena was cut; give the same SQL, --param and --as-of.")
@click.option("--as-of", help="Read the tables as they were: a date, a moment, or a snapshot's id.")
@click.option("--explain", is_flag=True, help="Show how the query would be answered, without running it.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the answer as PNG, too.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the answer to a file.")
@click.option(
    "--format", "form", type=click.Choice(results.FORMS), default="table", show_default=True, help="How to print."
)
def command(
    sql: str | None,
    parameters: tuple[str, ...],
    limit: int | None,
    cursor: str | None,
    as_of: str | None,
    explain: bool,
    plot: Path | None,
    output: Path | None,
    form: results.Form,
) -> None:
    """Ask the lake in Athena SQL, read-only.

    Without SQL a terminal gets a prompt, and a pipe is read as the SQL.

    Example: estat query "SELECT region_name, value FROM population_data WHERE year = 2020"
    """
    bench = Workbench()
    if sql is None and sys.stdin.isatty():
        from estat_dagster.commands.prompt import Prompt

        Prompt(bench).run()
        return
    sql = sys.stdin.read() if sql is None else sql
    values = [parse_parameter(text) for text in parameters]
    if explain:
        if plot or output or cursor or limit or form != "table":
            raise click.UsageError("--explain prints a plan as text: it goes with --param and --as-of alone.")
        click.echo(bench.sql.explain(sql, values, as_of=as_of))
        return
    results.check(form, output, plot)
    if plot:
        limit = results.plot_limit(limit)
    result = bench.sql.run(sql, values, limit=limit, cursor=cursor, as_of=as_of)
    shown = results.draw(bench, result, plot, f"{sql} {' '.join(parameters)}") if plot else result
    results.show(shown, form, output)
    results.remark(bench, result)
