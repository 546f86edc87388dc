"""`estat analyze`: what there is in a dataset, and what it says."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from estat_dagster.commands.output import distinct, format_option, print_documents, print_result, rows_of, say
from estat_dagster.query.analyses import KINDS, Answered, Kind, answer
from estat_dagster.workbench import Workbench

if TYPE_CHECKING:
    from estat_dagster.query.engine import QueryEngine


@click.command()
@click.argument("subject", metavar="DATASET_ID|TABLE")
@click.option("--type", "kind", type=click.Choice(KINDS), default="basic", show_default=True, help="What to analyse.")
@click.option("--only", multiple=True, metavar="NAME", help="Only these analyses, such as rank.")
@click.option("--query", "sql", help="The SQL of --type custom.")
@click.option("--sql", "shows_sql", is_flag=True, help="Show the SQL above each answer; JSON always has it.")
@click.option("--as-of", help="Read the tables as they were: a date, a moment, or a snapshot's id.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="The most rows of an answer.")
@format_option
def command(
    subject: str,
    kind: Kind,
    only: tuple[str, ...],
    sql: str | None,
    shows_sql: bool,
    as_of: str | None,
    limit: int,
    form: str,
) -> None:
    """Analyse a dataset, or every dataset of a table.

    basic: counts, coverage by year and region, what is missing and why, least, greatest, mean. advanced: change, ranks
    and shares of regions, quartiles and outliers, totals against their parts. Totals are never added to their parts,
    units never mixed, missing values never counted as 0.
    """
    if form == "csv" and kind != "custom" and len(only) != 1:
        raise click.UsageError("CSV holds one answer. Choose it: --only overview")
    engine = Workbench().sql
    answers = answer(engine, kind, subject, sql=sql, only=only, limit=limit, as_of=as_of)
    if form == "json":
        print_documents(_document(engine, answered) for answered in answers)
        return
    for answered in answers:
        if form == "table":
            click.echo(f"\n{answered.analysis.name}: {answered.analysis.describe}")
        if shows_sql:
            click.echo(answered.analysis.sql, err=form == "csv")
        print_result(answered.result, form)
        if not answered.result.row_count:
            say("No rows.")
        if answered.result.truncated:
            engine.cancel(answered.result.query_id)  # nobody asks for the rest
            say(f"The first {limit:,} rows; there are more. Raise --limit to see them.")


def _document(engine: QueryEngine, answered: Answered) -> dict[str, object]:
    names = distinct([column.name for column in answered.result.columns])
    with answered.result as result:
        rows = [dict(zip(names, row, strict=True)) for row in rows_of(result)]
    if result.truncated:
        engine.cancel(result.query_id)
    return {**asdict(answered.analysis), "rows": rows, "truncated": result.truncated}
