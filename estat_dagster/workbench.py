"""What the project's doors work with: the lake, e-Stat or its sandbox, and SQL, opened from the settings when needed.

This is the one place that decides whether answers come from e-Stat or from the sandbox, and which engine SQL runs on.
"""

from __future__ import annotations

import re
import threading
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from estat_dagster.errors import ValidationError
from estat_dagster.settings import ESTAT_BASE_URL, SANDBOX, SANDBOX_APP_ID, Settings

if TYPE_CHECKING:
    from estat_dagster.estat.client import EstatClient
    from estat_dagster.estat.transport import Patience
    from estat_dagster.lake.lake import Lake
    from estat_dagster.query.athena.client import Client
    from estat_dagster.query.engine import QueryEngine
    from estat_dagster.sandbox.server import Sandbox

MAINTENANCE_SECONDS = 1800.0  # Athena itself ends a DML statement after 30 minutes

_SANDBOX_LOCK = threading.Lock()
_sandbox: Sandbox | None = None


class Workbench:
    """Opens what the settings name; nothing is opened before it is used.

    Args:
        settings: None reads the environment at the first use.
        patience: how long e-Stat is waited for; None is the client's own.
    """

    def __init__(self, settings: Settings | None = None, patience: Patience | None = None) -> None:
        self._settings, self._patience = settings, patience

    @cached_property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings or Settings.from_env()

    @cached_property
    def lake(self) -> Lake:
        """The lake."""
        from estat_dagster.lake.lake import open_lake

        return open_lake(self.settings)

    @cached_property
    def estat(self) -> EstatClient:
        """A client of e-Stat, or of the sandbox where no application ID is set.

        All processes that ask the same address share the limit of requests; the sandbox of this process needs none.
        """
        from estat_dagster.estat.client import EstatClient
        from estat_dagster.estat.turns import Slots

        settings, slots = self.settings, None
        source = SANDBOX if settings.uses_sandbox else None
        url = settings.base_url or (None if settings.uses_sandbox else ESTAT_BASE_URL)
        if url:
            address = re.sub(r"[^\w.-]+", "_", urlsplit(url).netloc)
            slots = Slots(settings.slots_home / "requests" / address, settings.max_concurrent)
        return EstatClient(
            settings.app_id or SANDBOX_APP_ID,
            url or shared_sandbox().base_url,
            source=source,
            connections=settings.max_concurrent,
            patience=self._patience,
            slots=slots,
        )

    @cached_property
    def sql(self) -> QueryEngine:
        """The SQL engine of the lake: Athena where it is on AWS, else the embedded one."""
        from estat_dagster.query.metered import MeteredEngine

        settings, catalog = self.settings, self.lake.tables.catalog
        if settings.s3_bucket:
            from estat_dagster.query.athena.engine import AthenaEngine

            athena = AthenaEngine(self.athena, catalog, settings.glue_database, group=settings.athena_workgroup)
            return MeteredEngine(athena, "athena", settings.queries_log)
        from estat_dagster.query.embedded import EmbeddedEngine

        return MeteredEngine(EmbeddedEngine(catalog, settings.glue_database), "embedded", settings.queries_log)

    @cached_property
    def athena(self) -> Client:
        """Athena's API.

        Raises:
            ValidationError: the lake is not on AWS, or AWS is not configured.
        """
        from estat_dagster.query.athena.client import Client

        if not self.settings.s3_bucket:
            raise ValidationError("This lake is not on AWS.", hint="Set DATALAKE_S3_BUCKET to the lake's bucket.")
        return Client(self.settings.aws_region)

    def run_on_athena(self, sql: str) -> None:
        """Run a statement of maintenance on Athena to its end, past the guard of queries.

        Raises:
            ValidationError: the lake is not on AWS, or Athena refuses the statement.
            DataLakeError: it failed; see `query.athena.problems`.
        """
        from estat_dagster.query.athena.executions import Executions
        from estat_dagster.query.athena.prepare import Request

        settings = self.settings
        executions = Executions(
            self.athena, settings.athena_workgroup, settings.glue_database, seconds=MAINTENANCE_SECONDS, reuse_minutes=0
        )
        executions.finish(executions.start(Request(sql)))


def shared_sandbox() -> Sandbox:
    """Return the sandbox of this process, started at the first call on a free port of loopback."""
    global _sandbox
    from estat_dagster.sandbox.server import Sandbox

    with _SANDBOX_LOCK:
        if _sandbox is None:
            _sandbox = Sandbox()
            _sandbox.start()
        return _sandbox
