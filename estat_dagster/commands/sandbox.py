"""`estat sandbox`: an e-Stat API on loopback, which can fail and be slow as the real one."""

from __future__ import annotations

import contextlib

import click

from estat_dagster.commands.output import say
from estat_dagster.sandbox.faults import FaultPlan, Kind, parse
from estat_dagster.sandbox.server import Sandbox

PORT = 8765


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes any free port.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND[:RATE]",
    help=f"Let requests go wrong, all or with :0.1 one in ten. Can be repeated. Kinds: {', '.join(Kind)}.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="What the draws of --fault start from.")
@click.option("--latency", type=click.FloatRange(0), default=0.0, help="Seconds to wait before every answer.")
def command(port: int, faults: tuple[str, ...], seed: int, latency: float) -> None:
    """Serve an e-Stat API with example tables on loopback, until Ctrl-C."""
    plan = FaultPlan(map(parse, faults), seed=seed, latency=latency)
    sandbox = Sandbox(port=port, faults=plan)
    click.echo(sandbox.base_url)
    say("Any application ID is accepted. Use it from another terminal with:")
    say(f"  export ESTAT_BASE_URL={sandbox.base_url}")
    with contextlib.suppress(KeyboardInterrupt):
        sandbox.serve_forever()
