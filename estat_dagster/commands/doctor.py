"""`estat doctor`: what is configured, what is reachable, and what to do about what is not."""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import Callable
from typing import NamedTuple

import click
import requests

from estat_dagster.assets.steps.job import is_of_today
from estat_dagster.commands.output import format_option, print_rows
from estat_dagster.errors import DataLakeError
from estat_dagster.settings import project_root
from estat_dagster.workbench import Workbench

LITTLE_SPACE = 2 * 1024**3


class Finding(NamedTuple):
    """One thing looked at: `ok`, `note` (works, but should be known) or `fail`, and what to do."""

    what: str
    state: str
    words: str


@click.command()
@format_option
def command(form: str) -> None:
    """Look at everything that a load needs; the exit code is 1 where something fails."""
    bench = Workbench()
    looks: tuple[tuple[str, Callable[[Workbench], Finding]], ...] = (
        ("Python", _python),
        ("settings", _settings),
        ("e-Stat", _estat),
        ("lake", _lake),
        ("Iceberg catalog", _catalog),
        ("Athena", _athena),
        ("disk", _disk),
        ("Dagster", _dagster),
        ("web UI", _web),
    )
    findings = [_look(what, look, bench) for what, look in looks]
    print_rows(Finding._fields, findings, form)
    sys.exit(1 if any(finding.state == "fail" for finding in findings) else 0)


def _look(what: str, look: Callable[[Workbench], Finding], bench: Workbench) -> Finding:
    try:
        return look(bench)
    except DataLakeError as error:
        return Finding(what, "fail", str(error))


def _python(bench: Workbench) -> Finding:
    return Finding("Python", "ok", f"{sys.version.split()[0]} at {sys.executable}")


def _settings(bench: Workbench) -> Finding:
    if bench.settings.uses_sandbox:
        words = "ESTAT_APP_ID is not set: the sandbox answers. Get an application ID on e-Stat's マイページ and set it."
        return Finding("settings", "note", words)
    return Finding("settings", "ok", "ESTAT_APP_ID is set.")


def _estat(bench: Workbench) -> Finding:
    number = bench.estat.get_list({"limit": 1}).total
    return Finding("e-Stat", "ok", f"{bench.estat.base_url} answers and has {number:,} tables.")


def _lake(bench: Workbench) -> Finding:
    store, probe = bench.lake.store, f"registry/.doctor-{uuid.uuid4().hex}"
    store.write(probe, b"")
    store.remove(probe)
    entries = list(bench.lake.registry)
    words = f"{store.uri()} can be written and holds {len(entries):,} datasets."
    if old := sum(entry.loaded_version is not None and not is_of_today(entry.loaded_version) for entry in entries):
        words += f" {old:,} were made by an earlier mapping: launch `rebuild_from_raw`, or load them again."
    return Finding("lake", "note" if old else "ok", words)


def _catalog(bench: Workbench) -> Finding:
    names = bench.lake.tables.names()
    return Finding("Iceberg catalog", "ok", f"{len(names)} tables: {', '.join(names) or 'none yet'}.")


def _athena(bench: Workbench) -> Finding:
    if not bench.settings.s3_bucket:
        return Finding("Athena", "ok", "Not needed: the lake is local, and the embedded engine answers.")
    from estat_dagster.query.athena import workgroup

    name = bench.settings.athena_workgroup
    limit = workgroup.check(bench.athena, name)["BytesScannedCutoffPerQuery"]
    return Finding("Athena", "ok", f"The workgroup {name} is enforced; a query may scan {limit / 2**30:,.2f} GB.")


def _disk(bench: Workbench) -> Finding:
    if bench.settings.s3_bucket:
        return Finding("disk", "ok", "The lake is on S3.")
    home = bench.settings.lake_home
    there = next(folder for folder in (home, *home.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    words = f"{free / 1024**3:,.1f} GiB free."
    return Finding("disk", "note" if free < LITTLE_SPACE else "ok", words)


def _dagster(bench: Workbench) -> Finding:
    home = project_root()
    if not (home / "dagster.yaml").exists():
        words = f"{home} has no dagster.yaml: runs use Dagster's defaults. Set DAGSTER_HOME to the project's folder."
        return Finding("Dagster", "note", words)
    return Finding("Dagster", "ok", f"{home / 'dagster.yaml'}; daemons: Deployment in the web UI.")


def _web(bench: Workbench) -> Finding:
    url, headers = bench.settings.dagster_url, bench.settings.dagster_headers
    try:
        answer = requests.get(f"{url}/server_info", headers=headers, timeout=3)
        if answer.status_code == 401:
            return Finding("web UI", "note", f"What answers at {url} asks for a token. Set DAGSTER_TOKEN.")
        version = answer.json().get("dagster_webserver_version")
    except (requests.RequestException, ValueError):
        return Finding("web UI", "note", f"Nothing of Dagster's answers at {url}. Start it with `make dev`.")
    return Finding("web UI", "ok", f"dagster-webserver {version} at {url}.")
