"""The `estat` command. Each subcommand is a module of `commands`, imported only when it is called."""

from __future__ import annotations

import importlib
import sys

import click

from estat_dagster.errors import DataLakeError
from estat_dagster.telemetry import log_to_stderr

COMMANDS = {
    "load": "Load datasets: register them and run the five layers.",
    "query": "Ask the lake in Athena SQL.",
    "export": "Write a dataset, a table or an answer as CSV or Parquet, with a description.",
    "analyze": "Analyse a dataset: coverage, what is missing, change, ranks, shares, totals.",
    "search": "Search e-Stat's tables by words, field, survey, area, cycle and dates.",
    "suggest": "Show the terms that statistics use for everyday words.",
    "describe": "Show a table of e-Stat: axes, units, symbols, periods, size.",
    "codes": "Find codes of a table by name, and names by code.",
    "updates": "Show which datasets e-Stat changed since they were loaded.",
    "files": "Search e-Stat's files (Excel, CSV, PDF) by words.",
    "status": "Show the datasets of the lake.",
    "history": "Show the snapshots of a table or a dataset.",
    "diff": "Show what changed of a dataset between two snapshots.",
    "rollback": "Bring a dataset back to an earlier snapshot.",
    "delete": "Take a dataset out of the lake; shows first what would go.",
    "maintain": "Compact files, expire snapshots, remove orphans.",
    "sandbox": "Serve an e-Stat API on loopback, for trying and testing.",
    "doctor": "Say what is configured, what is reachable, and what to do.",
    "athena-setup": "Make or mend the Athena workgroup of a lake on AWS.",
    "demo": "Load datasets of several domains and ask them questions.",
    "dev": "Open the Dagster web UI, with daemon and sandbox.",
    "service": "Run a program of Dagster's whose log lines are the project's JSON.",
    "serve": "Serve the Dagster web UI to others, behind a guard.",
}


class _Lazy(click.Group):
    """A group whose commands are imported when they are called: `estat query` need not wait for Dagster."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"estat_dagster.commands.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="estat-datalake")
@click.option("--log-json", is_flag=True, help="Write log lines as JSON to stderr.")
def estat(log_json: bool) -> None:
    """Japan's official statistics as rows that SQL can ask.

    Without ESTAT_APP_ID everything works on a sandbox with example tables.
    """
    if log_json:
        log_to_stderr()


def main() -> None:
    """Run the command; an expected failure is one line on stderr and exit code 1."""
    try:
        estat(standalone_mode=True)
    except DataLakeError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
