"""`estat athena-setup`: the Athena workgroup that the lake's queries run in."""

from __future__ import annotations

import click

from estat_dagster.commands.output import say
from estat_dagster.workbench import Workbench

GIGABYTE = 2**30


@click.command()
@click.option(
    "--limit-gb",
    type=click.FloatRange(min=0.01),
    default=10,
    show_default=True,
    help="The most GB that one query may scan; Athena takes about 5 USD for 1,024 GB.",
)
def command(limit_gb: float) -> None:
    """Make the workgroup of the lake on AWS, or mend its settings.

    The workgroup enforces where results go (ATHENA_OUTPUT_LOCATION), that they are encrypted, and the most that a query
    may scan. It can be run again at any time.
    """
    from estat_dagster.query.athena import workgroup

    bench = Workbench()
    name, output = bench.settings.athena_workgroup, bench.settings.athena_output or ""
    done = workgroup.set_up(bench.athena, name, output, int(limit_gb * GIGABYTE))
    say(f"Workgroup {name}: {done}. Results go to {output}; a query may scan {limit_gb:g} GB.")
