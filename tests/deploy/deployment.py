"""A deployment's services as processes of their own: what `deploy/` and `docs/operations.md` say, on loopback."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from estat_dagster.services import program, start_service, stop_services
from tests.doors.test_web import LOCATION, SELECTOR, Web
from tests.ops.serving import OPERATOR

ROOT = Path(__file__).resolve().parents[2]
OURS = ("ESTAT_", "DATALAKE_", "DAGSTER_", "AWS_", "CELERY_")
READY_SECONDS, STOP_SECONDS = 180, 40


class Deployment(Web):
    """Services over one home, each started by its command; leaving stops them all."""

    def __init__(self, home: Path, port: int, environment: Mapping[str, str], commands: Mapping[str, str]) -> None:
        super().__init__(f"http://127.0.0.1:{port}", home, OPERATOR)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environment = kept | {"DAGSTER_HOME": str(home), "ESTAT_WEB_TOKEN": OPERATOR} | environment
        self._commands = commands
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Deployment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop_services(self._running.values(), STOP_SECONDS)

    def run(self, name: str) -> None:
        """Run a command that ends by itself."""
        words = shlex.split(self._commands[name])
        done = subprocess.run(
            [program(words[0]), *words[1:]],
            cwd=self.home, env=self.environment, capture_output=True, text=True, check=False, timeout=READY_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, *names: str) -> None:
        """Start services."""
        for name in names:
            with (self.home / f"{name}.log").open("ab") as log:
                words = shlex.split(self._commands[name])
                self._running[name] = start_service(words, self.home, self.environment, log)

    def kill(self, name: str) -> None:
        """Kill a service with SIGKILL, and all that it started."""
        process = self._running.pop(name)
        for pid in _with_descendants(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()

    def log(self, name: str) -> str:
        """Return what a service wrote."""
        return (self.home / f"{name}.log").read_text("utf-8", "replace")

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Return what a service wrote as lines of the project's JSON."""
        return [json.loads(line) for line in self.log(name).splitlines()]

    def is_ready(self) -> bool:
        """Whether the web server answers and has the project's definitions."""
        return bool(self.ask(LOCATION, r=SELECTOR)["repositoryOrError"]["__typename"] == "Repository")

    def register_and_ingest(self, ids: Sequence[str], *, force: bool = False) -> None:
        """Launch the job that loads datasets."""
        config = {"ops": {"register_and_load": {"config": {"dataset_ids": " ".join(ids), "force": force}}}}
        self.launch("register_and_ingest", config)

    def runs(self, dataset_id: str) -> list[tuple[str, str]]:
        """Return the runs of a dataset as id and status, the newest first."""
        return [(run["runId"], run["status"]) for run in self.runs_of(dataset_id)]


def _with_descendants(pid: int) -> list[int]:
    """Return a process and all that came of it."""
    found = [pid]
    for each in found:
        found += [
            int(child)
            for listed in Path(f"/proc/{each}/task").glob("*/children")
            for child in listed.read_text().split()
        ]
    return found


def home_of(variant: str, home: Path, changes: Mapping[str, str]) -> None:
    """Copy the files of a variant as a home, with what is different on loopback changed in their texts."""
    shutil.copytree(ROOT / "deploy" / variant, home)
    for name in ("dagster.yaml", "workspace.yaml"):
        (home / name).write_text(changed((home / name).read_text("utf-8"), changes), "utf-8")


def changed(text: str, changes: Mapping[str, str]) -> str:
    """Return a text with some words changed."""
    for word, other in changes.items():
        text = text.replace(word, other)
    return text


def written_for_postgres() -> list[str]:
    """Return the commands that operations.md gives for a home with Postgres, in order."""
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    [block] = re.findall(r"```sh\ncp -r deploy/postgres .*?\nexport .*?\n(.*?)```", text, re.DOTALL)
    return [shlex.join(shlex.split(line, comments=True)) for line in block.splitlines()]


def written_for_compose(given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the commands of compose.yaml's services by name, and their environment with `.env` filled in."""
    compose = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text("utf-8"))

    def fill(text: str) -> str:
        return re.sub(r"\$\{(\w+)(?::[?-]([^}]*))?\}", lambda found: given.get(found[1]) or found[2] or "", text)

    commands = {name: fill(each["command"]) for name, each in compose["services"].items() if "command" in each}
    return commands, {name: fill(str(value)) for name, value in compose["x-estat"]["environment"].items()}
