"""`estat sandbox`: an e-Stat API on loopback."""

from __future__ import annotations

import contextlib

import click

from estat_dagster.commands.output import say
from estat_dagster.sandbox.server import Sandbox

PORT = 8765


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes any free port.")
def command(port: int) -> None:
    """Serve an e-Stat API with example tables on loopback, until Ctrl-C."""
    sandbox = Sandbox(port=port)
    click.echo(sandbox.base_url)
    say("Any application ID is accepted. Use it from another terminal with:")
    say(f"  export ESTAT_BASE_URL={sandbox.base_url}")
    with contextlib.suppress(KeyboardInterrupt):
        sandbox.serve_forever()
