"""`estat export`: rows as a file for others, with a description of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from estat_dagster.commands.output import say
from estat_dagster.domains import DATASET_ID
from estat_dagster.errors import ValidationError
from estat_dagster.workbench import Workbench

if TYPE_CHECKING:
    from estat_dagster.lake.exporting import Exported, Form


@click.command()
@click.argument("what", metavar="[ID|TABLE]", required=False)
@click.option("--sql", help="Export the answer to this SQL.")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="A folder for the export alone.")
@click.option("--as", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="Format.")
def command(what: str | None, sql: str | None, folder: Path, form: Form) -> None:
    """Write a dataset, a table or an answer into a folder, with datapackage.json: columns, licence, credit, provenance.

    In CSV an absent value is nothing between two commas, never 0, and an empty text is "".
    """
    if (what is None) == (sql is None):
        raise ValidationError("Name either a dataset or a table, or --sql.", hint="estat export 0000010101 --to out")
    bench = Workbench()
    done = _query(bench, str(sql), folder, form) if what is None else _rows(bench, what, folder, form)
    click.echo(done.file)
    say(f"{done.rows:,} rows, {done.size:,} bytes")


def _rows(bench: Workbench, what: str, folder: Path, form: Form) -> Exported:
    from estat_dagster.lake.exporting import export
    from estat_dagster.lake.subjects import dataset, table

    batches, subject = dataset(bench.lake, what) if DATASET_ID.fullmatch(what) else table(bench.lake, what)
    return export(batches, subject, folder, form)


def _query(bench: Workbench, sql: str, folder: Path, form: Form) -> Exported:
    import pyarrow as pa

    from estat_dagster.lake.exporting import export
    from estat_dagster.lake.subjects import answer

    with bench.sql.run(sql) as result:
        batches = pa.RecordBatchReader.from_batches(result.schema, result.batches)
        return export(batches, answer(bench.lake, sql, result.schema.names), folder, form)
