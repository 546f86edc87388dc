"""What becomes of a query's answer: printed, written to a file, drawn, and what is said about it on stderr."""

from __future__ import annotations

import contextlib
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

import click

from estat_dagster.commands.output import print_result, say
from estat_dagster.errors import StorageError, ValidationError

if TYPE_CHECKING:
    from estat_dagster.query.engine import QueryResult
    from estat_dagster.workbench import Workbench

Form = Literal["table", "json", "csv", "parquet"]
FORMS: tuple[Form, ...] = get_args(Form)
_ID = re.compile(r"(?<!\d)\d{10}(?!\d)", re.ASCII)


def check(form: Form, output: Path | None, plot: Path | None = None) -> None:
    """Refuse Parquet on a terminal, and a picture under the name of another kind of file."""
    if plot and plot.suffix.lower() != ".png":
        raise click.UsageError(f"Pictures are PNG: name the file {plot.stem}.png.")
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal: give --output FILE, or a pipe.")


def show(result: QueryResult, form: Form, output: Path | None = None) -> None:
    """Print an answer as it comes, or write it to a file, which appears when it is whole.

    Raises:
        StorageError: the file cannot be written.
        ValidationError: a column has a type that Parquet does not have.
    """
    if output is None and form != "parquet":
        print_result(result, form)
    elif output is None:
        _write_parquet(result, sys.stdout.buffer)
    elif form == "parquet":
        with writing(output) as file:
            _write_parquet(result, file)
    else:
        with writing(output, text=True) as file, contextlib.redirect_stdout(file):
            print_result(result, form)


def plot_limit(limit: int | None) -> int:
    """Return how many rows to read for a picture: one more than can be drawn, so that too many are refused."""
    from estat_dagster.pictures.points import MOST_ROWS

    return min(limit or MOST_ROWS + 1, MOST_ROWS + 1)


def draw(bench: Workbench, result: QueryResult, output: Path, words: str) -> QueryResult:
    """Draw an answer as PNG, and return its rows to be printed; `remark` is for the answer itself.

    Args:
        words: what was asked: the credit is of the datasets that it names.
    """
    from estat_dagster.pictures.drawing import draw as draw_png
    from estat_dagster.query.engine import QueryResult as Again

    table = result.read_all()
    png = draw_png(table, credit=_credit(bench, words))
    with writing(output) as file:
        file.write(png)
    say(f"Drawn: {output}")
    return Again(table.schema, iter(table.to_batches()), sql=result.sql)


def remark(bench: Workbench, result: QueryResult) -> None:
    """Say what the answer cost, and whether there is more."""
    if result.cost_usd is not None:
        say(f"Query {result.query_id}: {result.bytes_scanned:,} bytes scanned, about {result.cost_usd:.6f} USD.")
    if not result.row_count:
        say("No rows.")
    if not result.truncated:
        return
    say(f"The first {result.row_count:,} rows; there are more. Raise --limit to see them.")
    if result.cursor and result.cost_usd is None and result.query_id:
        bench.sql.cancel(result.query_id)  # the rest would be kept for this process alone
    elif result.cursor:
        say(f"Or go on, without a new query, with --cursor {result.cursor}")


@contextlib.contextmanager
def writing(path: Path, *, text: bool = False) -> Iterator[IO[Any]]:
    """Open a file that appears under its name when the block ends without an error.

    Raises:
        StorageError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with draft.open("w" if text else "wb", encoding="utf-8" if text else None) as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.", hint="Choose another place.") from error
    finally:
        draft.unlink(missing_ok=True)


def _write_parquet(result: QueryResult, file: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with result:
        try:
            with pq.ParquetWriter(file, result.schema, compression="zstd") as writer:
                for batch in result.batches:
                    writer.write_batch(batch)
        except pa.ArrowNotImplementedError as error:
            raise ValidationError(
                "A column of the answer has a type that Parquet does not have.", hint="CAST it to VARCHAR."
            ) from error


def _credit(bench: Workbench, words: str) -> str:
    """Return the credits of the datasets that the words name, else the service's."""
    from estat_dagster.estat.credit import service_credit
    from estat_dagster.settings import SANDBOX

    entries = [bench.lake.registry.find(dataset_id) for dataset_id in dict.fromkeys(_ID.findall(words))]
    credits = list(dict.fromkeys(entry.credit for entry in entries if entry and entry.credit))
    return " ".join(credits[:3]) or service_credit(SANDBOX if bench.settings.uses_sandbox else "")
