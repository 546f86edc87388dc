"""The prompt of `estat query`: SQL over several lines until `;`, with history, completion, and Ctrl-C for a query."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from estat_dagster.commands import results
from estat_dagster.commands.completion import SqlCompleter
from estat_dagster.commands.output import print_rows, say
from estat_dagster.commands.running import run_interruptibly
from estat_dagster.errors import DataLakeError
from estat_dagster.settings import project_root

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    from estat_dagster.query.engine import QueryResult
    from estat_dagster.workbench import Workbench

MOST_ROWS = 100
HELP = r"""SELECT ... ;      ask, over as many lines as you like
\d               tables            \d TABLE         columns of a table
\format FORM     table, json, csv  \limit N         the most rows to show
\plot FILE.png   draw the last answer
\q, Ctrl-D       leave             Ctrl-C           cancel the query, or clear the line"""


class Prompt:
    """A conversation with the lake on a terminal."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._form: results.Form = "table"
        self._limit = MOST_ROWS
        self._last: QueryResult | None = None
        self._sql = ""

    def run(self) -> None:
        """Read and answer until the user leaves."""
        # The engine is opened with the first question: the prompt need not wait for it.
        session = _session(project_root() / "data" / "query_history", SqlCompleter(lambda: self._bench.sql))
        click.echo(r"Athena SQL, ended by ;  \? for help, \q to leave.")
        while True:
            try:
                words = session.prompt("estat> ", prompt_continuation="    -> ").strip()
            except KeyboardInterrupt:
                continue  # Ctrl-C clears what was typed
            except EOFError:
                return
            if words in (r"\q", "exit", "quit"):
                return
            try:
                self._answer(words)
            except DataLakeError as error:
                say(f"error: {error}")

    def _answer(self, words: str) -> None:
        if words.startswith("\\"):
            name, *rest = shlex.split(words[1:]) or [""]
            self._command(name, rest[0] if rest else "")
        elif sql := words.rstrip("; \n"):
            self._ask(sql)

    def _ask(self, sql: str) -> None:
        result = run_interruptibly(self._bench.sql, sql, self._limit)
        if result is None:
            say("Cancelled.")
            return
        self._last, self._sql = result, sql
        results.show(result, self._form)
        if result.cursor:
            self._bench.sql.cancel(result.query_id)  # the prompt asks again, with a larger limit
        cost = "" if result.cost_usd is None else f", {result.bytes_scanned:,} bytes, about {result.cost_usd:.6f} USD"
        more = f"; there are more: \\limit {10 * self._limit}" if result.truncated else ""
        say(f"{result.row_count:,} rows in {result.elapsed_seconds:.2f} s{cost}{more}")

    def _command(self, name: str, argument: str) -> None:
        engine = self._bench.sql
        match name:
            case "?" | "help":
                click.echo(HELP)
            case "d" if argument:
                columns = engine.describe(argument)
                print_rows(columns.column_names, [tuple(row.values()) for row in columns.to_pylist()], "table")
            case "d":
                print_rows(["table"], [(table,) for table in engine.tables()], "table")
            case "format" if argument in ("table", "json", "csv"):
                self._form = argument  # type: ignore[assignment]
            case "limit" if argument.isdecimal() and int(argument):
                self._limit = int(argument)
            case "plot" if argument and self._last:
                self._plot(Path(argument))
            case _:
                say(rf"\{name} {argument}".rstrip() + r" is not understood. \? shows what is.")

    def _plot(self, path: Path) -> None:
        if path.suffix.lower() != ".png":
            say(f"Pictures are PNG: name the file {path.stem}.png.")
            return
        result = self._bench.sql.run(self._sql, limit=results.plot_limit(None))
        results.draw(self._bench, result, path, self._sql)


def _session(history: Path, completer: SqlCompleter) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import ThreadedCompleter
    from prompt_toolkit.history import FileHistory

    history.parent.mkdir(parents=True, exist_ok=True)
    return PromptSession(
        history=FileHistory(history),
        completer=ThreadedCompleter(completer),
        complete_while_typing=False,
        multiline=True,
        key_bindings=_keys(),
    )


def _keys() -> KeyBindings:
    """Return the meaning of Enter: a new line, but at the end of a statement or a command the end of the input."""
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        words = buffer.text.strip()
        if not words or words.endswith(";") or words.startswith("\\") or words in ("exit", "quit"):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return keys
