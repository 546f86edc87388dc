"""`estat serve`: the Dagster web UI for more people than oneself, behind the guard; the daemon runs beside it."""

from __future__ import annotations

import os
import secrets
import warnings
from collections.abc import Sequence
from pathlib import Path

import click

from estat_dagster.commands.output import say
from estat_dagster.errors import ValidationError
from estat_dagster.services import make_tables
from estat_dagster.settings import project_root

TOKEN_BYTES = 32
LEAST_TOKEN = 16


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME[:PORT]", help="A name people reach this server by."
)
@click.option("--read-only", is_flag=True, help="Nobody may change anything here.")
@click.option("--proxy-header", default="", metavar="NAME", help="The header in which a proxy names who it let in.")
@click.option("--proxy", "proxies", multiple=True, metavar="ADDRESS", help="An address of that proxy.")
@click.option(
    "--operator", "operators", multiple=True, metavar="NAME", help="Who of them may change something; '*': all of them."
)
@click.option("--workspace", type=click.Path(path_type=Path), help="Another workspace.yaml.")
def command(
    host: str,
    port: int,
    allowed: Sequence[str],
    read_only: bool,
    proxy_header: str,
    proxies: Sequence[str],
    operators: Sequence[str],
    workspace: Path | None,
) -> None:
    """Serve the web UI behind a guard: ESTAT_WEB_TOKEN lets operators in, ESTAT_WEB_VIEWER_TOKEN viewers.

    Without a token and without a proxy's header, a token is made and shown once.
    """
    if bool(proxy_header) != bool(proxies):
        raise ValidationError(
            "--proxy-header and --proxy belong together.", hint="Anybody could send that header otherwise."
        )
    tokens = read_tokens(os.environ)
    if not tokens and not proxy_header:
        tokens = {"operator": secrets.token_urlsafe(TOKEN_BYTES)}
        say(f"ESTAT_WEB_TOKEN is not set. Until this server ends, the token is {tokens['operator']}")
    home = project_root()
    os.environ["DAGSTER_HOME"] = str(home)
    place = (workspace or home / "workspace.yaml").resolve()
    if not place.is_file():
        raise ValidationError(
            f"There is no {place}.",
            hint="DAGSTER_HOME is a folder with dagster.yaml and workspace.yaml, such as a copy of deploy/postgres.",
        )
    os.chdir(home)
    make_tables(home)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    from estat_dagster.serving.doors import Doors, Role
    from estat_dagster.serving.server import guarded_app, serve

    doors = Doors(
        {Role(role): token for role, token in tokens.items()}, proxy_header, frozenset(proxies), frozenset(operators)
    )
    with guarded_app(place, doors, known_hosts(host, port, allowed), read_only=read_only) as app:
        say(f"The web UI is at http://{host}:{port}, for {'readers' if read_only else 'operators and viewers'}.")
        serve(app, host, port)


def read_tokens(environ: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """Return role -> token as the environment says.

    Raises:
        ValidationError: a token can be guessed, or both are the same.
    """
    names = {"operator": "ESTAT_WEB_TOKEN", "viewer": "ESTAT_WEB_VIEWER_TOKEN"}
    found = {role: environ.get(name, "").strip() for role, name in names.items()}
    for role, token in found.items():
        if token and len(token) < LEAST_TOKEN:
            raise ValidationError(
                f"{names[role]} has {len(token)} characters.",
                hint=f"Take {LEAST_TOKEN} or more: `openssl rand -hex 32`.",
            )
    if found["operator"] and found["operator"] == found["viewer"]:
        raise ValidationError("Operators and viewers have the same token.", hint="Viewers could change everything.")
    return {role: token for role, token in found.items() if token}


def known_hosts(host: str, port: int, allowed: Sequence[str]) -> set[str]:
    """Return the values of Host that belong to this server; loopback's names too where it listens there."""
    bracketed = f"[{host}]" if ":" in host else host
    names = {bracketed, *(("localhost", "127.0.0.1", "[::1]") if host in ("127.0.0.1", "::1", "localhost") else ())}
    return {*(f"{name}:{port}" for name in names), *allowed}
