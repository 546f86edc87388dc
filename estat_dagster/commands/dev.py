"""`estat dev`: the Dagster web UI with its daemon, and the sandbox where no e-Stat is configured; all on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time

import click

from estat_dagster.commands.output import say
from estat_dagster.errors import NetworkError, ValidationError
from estat_dagster.services import HOST, make_tables, start_service, stop_services
from estat_dagster.settings import project_root
from estat_dagster.workbench import Workbench, shared_sandbox

STOP_SECONDS = 20


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Of the web UI.")
def command(port: int) -> None:
    """Open the web UI on 127.0.0.1, with daemon and sandbox, until Ctrl-C."""
    _refuse_taken(port)
    settings, home = Workbench().settings, project_root()
    # The services run in the project's folder, so relative paths of the caller's are made whole here.
    environment = {**os.environ, "DAGSTER_HOME": str(home), "DATALAKE_HOME": str(settings.lake_home)}
    if settings.uses_sandbox and settings.base_url is None:
        environment["ESTAT_BASE_URL"] = shared_sandbox().base_url
        say(f"ESTAT_APP_ID is not set: a sandbox answers at {environment['ESTAT_BASE_URL']}.")
    web = ["dagster-webserver", "-h", HOST, "-p", str(port), "-w", "workspace.yaml"]
    daemon = ["dagster-daemon", "run", "-w", "workspace.yaml"]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        make_tables(home, environment)
        running["web UI"] = start_service(web, home, environment)
        running["daemon"] = start_service(daemon, home, environment)
        say(f"Dagster is starting at http://{HOST}:{port}. Begin with the job register_and_ingest. Ctrl-C ends it all.")
        _watch(running)
    except KeyboardInterrupt:
        say("Stopping.")
    finally:
        stop_services(running.values(), STOP_SECONDS)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _watch(running: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        for name, process in running.items():
            code = process.poll()
            if code is not None:
                raise NetworkError(f"Dagster's {name} ended with exit code {code}.", hint="Its last lines say why.")
        time.sleep(0.5)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ValidationError(
                f"{HOST}:{port} is taken: {error.strerror}.", hint="Stop what runs there, or choose another --port."
            ) from error
