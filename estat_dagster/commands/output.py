"""How results and progress are printed: tables for people, JSON and CSV for programs; results on stdout alone."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from estat_dagster.query.engine import QueryResult
from estat_dagster.telemetry import LOGGER

Row = Sequence[Any]


def format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--format table|json|csv` to a command."""
    choice = click.Choice(["table", "json", "csv"])
    return click.option("--format", "form", type=choice, default="table", show_default=True, help="How to print.")(
        command
    )


def print_rows(names: Sequence[str], rows: Sequence[Row] | Iterator[Row], form: str) -> None:
    """Print rows under their column names; an absent value is NULL in a table, null in JSON, nothing in CSV.

    An empty text is `""` in CSV. Arrays and maps are JSON there, truth values `true` and `false`.
    """
    if form == "json":
        _print_json(names, rows)
    elif form == "csv":
        for row in itertools.chain([names], rows):
            sys.stdout.write(",".join(map(_csv_field, row)) + "\n")
    else:
        _print_table(names, rows)


def print_document(document: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(_plain(document), ensure_ascii=False, indent=2, default=str))


def print_documents(documents: Iterator[Mapping[str, Any]]) -> None:
    """Print JSON objects as a list, each as it comes."""
    separator = "["
    for document in documents:
        click.echo(f"{separator}{json.dumps(_plain(document), ensure_ascii=False, indent=2, default=str)}", nl=False)
        separator = ",\n"
    click.echo("]" if separator != "[" else "[]")


def rows_of(result: QueryResult) -> Iterator[Row]:
    """Yield the rows of a query as they come."""
    return (row for batch in result.batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True))


def print_result(result: QueryResult, form: str) -> None:
    """Print the rows of a query as they come."""
    with result:
        print_rows([column.name for column in result.columns], rows_of(result), form)


def _print_json(names: Sequence[str], rows: Sequence[Row] | Iterator[Row]) -> None:
    separator, keys = "[", distinct(names)
    for row in rows:
        record = _plain(dict(zip(keys, row, strict=True)))
        sys.stdout.write(f"{separator}\n  {json.dumps(record, ensure_ascii=False, default=str)}")
        separator = ","
    sys.stdout.write("\n]\n" if separator == "," else "[]\n")


def distinct(names: Sequence[str]) -> list[str]:
    """Return names of which none comes twice, as an object of JSON needs them: the second `year` is `year_2`."""
    found: list[str] = []
    for name in names:
        number = names[: len(found)].count(name) + 1
        new = name if number == 1 else f"{name}_{number}"
        while new in found or (number > 1 and new in names):
            new += "_"
        found.append(new)
    return found


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: NaN and the infinite are texts."""
    match value:
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
        case Mapping():
            return {key: _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value


def _csv_field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | list | tuple | Mapping):
        value = json.dumps(_plain(value), ensure_ascii=False, default=str)
    text = str(value)
    quoted = text == "" or any(char in text for char in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if quoted else text


def _print_table(names: Sequence[str], rows: Sequence[Row] | Iterator[Row]) -> None:
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    held = list(rows)
    for place, name in enumerate(names):
        numeric = all(isinstance(row[place], int | float | Decimal | None) for row in held)
        table.add_column(name, justify="right" if numeric and held else "left", overflow="fold")
    for row in held:
        table.add_row(*(_cell(value) for value in row))
    # A pipe has no width: there every row stays on one line.
    Console(width=None if sys.stdout.isatty() else 1000, soft_wrap=not sys.stdout.isatty()).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return _grouped(f"{value:.15g}")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _grouped(str(value))
    return _escape(str(value))


def _grouped(digits: str) -> str:
    """Group the digits in threes from five on: 250,000 people, but the year 2022."""
    whole, point, rest = digits.partition(".")
    is_long = whole.removeprefix("-").isdecimal() and len(whole.removeprefix("-")) > 4
    return f"{int(whole):,}{point}{rest}" if is_long else digits


def _escape(words: str) -> str:
    return words.replace("[", "\\[")


def say(words: str) -> None:
    """Print a remark for a person on stderr."""
    click.echo(words, err=True)


@contextlib.contextmanager
def progress() -> Iterator[None]:
    """Show the project's log messages while the block runs, as one line that changes; only on a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    # Dagster captures stderr inside a step, so the line goes to a copy of the terminal.
    with os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal:
        console = Console(file=terminal)
        with console.status("starting") as status:
            handler = _Follower(status.update)
            level = LOGGER.level
            LOGGER.addHandler(handler)
            LOGGER.setLevel(logging.INFO)
            try:
                yield
            finally:
                LOGGER.setLevel(level)
                LOGGER.removeHandler(handler)


class _Follower(logging.Handler):
    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, Any] = getattr(record, "estat", {})
        words = (facts.get("dataset_id"), facts.get("operation"), facts.get("message", record.getMessage()))
        self._show(_escape("  ".join(str(word) for word in words if word)))
