"""`estat service`: a program of Dagster's, such as its daemon, whose log lines are the project's JSON."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

import click

from estat_dagster.errors import ValidationError
from estat_dagster.services import make_tables, start_service
from estat_dagster.settings import project_root
from estat_dagster.telemetry import Retold

JSON = ("--log-format", "json")
WITHOUT_FORMAT = ("dagster", "api", "execute_run")
REST_SECONDS = 60.0
"""How long what a program started may go on after it: a code server without a daemon ends after 20."""
PROGRAMS = {"dagster": JSON, "dagster-daemon": JSON, "dagster-webserver": JSON, "celery": ()}


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("words", nargs=-1, required=True, metavar="PROGRAM [WORDS]...")
def command(words: Sequence[str]) -> None:
    """Run a program of Dagster's, or its Celery workers, and write what it says as the project's JSON lines on stdout.

    `estat service dagster-daemon run -w workspace.yaml`. Signals reach the program, and its exit code is this one's.
    """
    if words[0] not in PROGRAMS:
        raise ValidationError(
            f"{words[0]} is no program that Dagster runs by.", hint=f"Take one of {', '.join(PROGRAMS)}."
        )
    sys.exit(run(words))


def run(words: Sequence[str]) -> int:
    """Run the program until it ends, write its lines anew, and return its exit code; below 0 a signal ended it."""
    home = project_root()
    make_tables(home)
    environment = os.environ | {"DAGSTER_HOME": str(home)}
    form = () if tuple(words[: len(WITHOUT_FORMAT)]) == WITHOUT_FORMAT else PROGRAMS[words[0]]
    running = start_service([*words, *form], home, environment, subprocess.PIPE)

    def pass_on(number: int, frame: FrameType | None) -> None:
        running.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    threading.Thread(target=_end_the_rest, args=(running,), daemon=True).start()
    retold = Retold()
    with running:
        for line in running.stdout or ():
            if (ours := retold.line(line.decode("utf-8", "replace"))) is not None:
                print(ours, flush=True)
    return running.returncode


def _end_the_rest(service: subprocess.Popen[bytes]) -> None:
    """Give what a program started time to end after it, then end that: its runs are started again, and it is too.

    A code server that met its database away may never end by itself, and would keep the service from being restarted.
    """
    service.wait()
    time.sleep(REST_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(service.pid, signal.SIGKILL)
