"""The environment variables that more than one part of the project reads, typed, in one place.

Nothing is read at import: call `Settings.from_env()`.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from estat_dagster.errors import ValidationError

ESTAT_BASE_URL = "https://api.e-stat.go.jp/rest/3.0/app"
SANDBOX_APP_ID = "sandbox"
SANDBOX = "sandbox"
"""What a manifest names as the source of data of the sandbox."""


def project_root() -> Path:
    """Return the folder that holds dagster.yaml: `DAGSTER_HOME`, else the checkout, else the working folder."""
    if home := os.environ.get("DAGSTER_HOME"):
        return Path(home).expanduser().resolve()
    checkout = Path(__file__).resolve().parents[1]
    return checkout if (checkout / "dagster.yaml").exists() else Path.cwd()


def automation_is_on(environ: Mapping[str, str] | None = None) -> bool:
    """Whether `ESTAT_AUTOMATION` asks that schedules and sensors run without being switched on in the web UI."""
    return (os.environ if environ is None else environ).get("ESTAT_AUTOMATION", "").strip().lower() in (
        "on",
        "1",
        "true",
    )


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    `app_id` is None where no e-Stat is configured: then the sandbox serves, and the commands say so.
    `base_url` is None in that case too, unless a running sandbox is named.
    """

    app_id: str | None = field(default=None, repr=False)
    base_url: str | None = None
    lake_home: Path = Path("data/lake")
    s3_bucket: str | None = None
    glue_database: str = "estat_iceberg_db"
    athena_workgroup: str = "estat-datalake"
    athena_output: str | None = None
    dagster_url: str = "http://127.0.0.1:3000"
    dagster_token: str | None = field(default=None, repr=False)
    """What opens the web server at `dagster_url`, where that is guarded."""
    max_concurrent: int = 10
    min_interval: float = 0.0
    aws_region: str | None = None
    aws_endpoint: str | None = None
    alert_urls: tuple[str, ...] = field(default=(), repr=False)
    """Where alerts go, one Apprise address each; they hold secrets."""
    bridge_token: str | None = field(default=None, repr=False)
    """What clients of the MCP server send over HTTP."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the environment.

        Raises:
            ValidationError: a variable holds something that it cannot hold.
        """
        env = {
            name: value.strip() for name, value in (os.environ if environ is None else environ).items() if value.strip()
        }
        app_id = env.get("ESTAT_APP_ID")
        bucket = env.get("DATALAKE_S3_BUCKET")
        default_url = ESTAT_BASE_URL if app_id else None
        home = env.get("DATALAKE_HOME")
        return cls(
            app_id=app_id,
            base_url=_address(env, "ESTAT_BASE_URL", default_url),
            lake_home=_folder("DATALAKE_HOME", home) if home else project_root() / "data" / "lake",
            s3_bucket=bucket,
            glue_database=env.get("DATALAKE_GLUE_DATABASE", cls.glue_database),
            athena_workgroup=env.get("ATHENA_WORKGROUP", cls.athena_workgroup),
            athena_output=env.get("ATHENA_OUTPUT_LOCATION", f"s3://{bucket}/athena-results/" if bucket else None),
            dagster_url=env.get("DAGSTER_URL", cls.dagster_url),
            dagster_token=_token(env, "DAGSTER_TOKEN"),
            aws_region=env.get("AWS_REGION", env.get("AWS_DEFAULT_REGION")),
            aws_endpoint=env.get("AWS_ENDPOINT_URL_S3", env.get("AWS_ENDPOINT_URL")),
            max_concurrent=_positive(env, "ESTAT_MAX_CONCURRENT", cls.max_concurrent),
            min_interval=_seconds(env, "ESTAT_MIN_INTERVAL", cls.min_interval),
            alert_urls=tuple(env.get("ESTAT_ALERT_URLS", "").split()),
            bridge_token=env.get("MCP_BRIDGE_TOKEN"),
        )

    @property
    def uses_sandbox(self) -> bool:
        """Whether the answers come from the sandbox: no real application ID is set."""
        return self.app_id in (None, SANDBOX_APP_ID)

    @property
    def dagster_headers(self) -> dict[str, str]:
        """What a request to `dagster_url` says about who asks."""
        return {"Authorization": f"Bearer {self.dagster_token}"} if self.dagster_token else {}

    @property
    def locks_home(self) -> Path:
        """The folder of the lock files by which processes keep off one another's raw pages."""
        return self.slots_home if self.s3_bucket else self.lake_home / "locks"

    @property
    def queries_log(self) -> Path:
        """The file of this machine to which every process adds what its queries took, for the metrics."""
        return self.lake_home / "logs" / "queries.jsonl"

    @property
    def slots_home(self) -> Path:
        """The folder of the lock files by which all processes of a user on this machine share `max_concurrent`."""
        return Path(tempfile.gettempdir(), f"estat-datalake-{os.getuid()}")


def _address(env: Mapping[str, str], name: str, default: str | None) -> str | None:
    address = env.get(name, default)
    if address is not None and not re.fullmatch(r"https?://[^\s\[\]?#]+", address):
        raise ValidationError(f"{name} is {address!r}, not an address.", hint=f"Set {name}={ESTAT_BASE_URL}, say.")
    return address


def _token(env: Mapping[str, str], name: str) -> str | None:
    token = env.get(name)
    if token is not None and not re.fullmatch(r"[!-~]+", token):
        raise ValidationError(f"{name} holds what no header can carry.", hint="Take letters and digits without spaces.")
    return token


def _folder(name: str, text: str) -> Path:
    if re.match(r"\w+:/", text):
        raise ValidationError(
            f"{name} is {text!r}, not a folder.", hint="A lake on S3 is named by DATALAKE_S3_BUCKET, its bucket alone."
        )
    return Path(text).expanduser().resolve()


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, str(default))
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", text, re.ASCII):
        raise ValidationError(f"{name} is {text!r}, not a number of seconds.", hint=f"Set {name}=0.5, say.")
    return float(text)


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise ValidationError(f"{name} is {text!r}, not a whole number of 1 or more.", hint=f"Set {name}=10, say.")
    return int(text)
