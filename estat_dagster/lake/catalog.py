"""The Iceberg catalog of a lake: SQLite beside the local files, Glue beside S3."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from estat_dagster.lake import paths
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.store import S3_PROPERTIES

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

T = TypeVar("T")
BUSY_SECONDS = 60  # SQLite lets one writer in at a time; many loads commit at once
RACES = 5
SHORTEST_WAIT, LONGEST_WAIT = 0.2, 20.0  # seconds


def local_catalog(home: Path) -> Catalog:
    """Return the SQLite catalog of a local lake; it is made at its first use, also by many processes at once.

    Raises:
        StorageError: the lake's folder cannot be written.
    """
    from pyiceberg.catalog.sql import SqlCatalog
    from sqlalchemy.exc import IntegrityError, OperationalError

    file = home / paths.CATALOG_FILE

    def open_catalog() -> Catalog:
        file.parent.mkdir(parents=True, exist_ok=True)
        return SqlCatalog(
            "local", uri=f"sqlite:///{file}?timeout={BUSY_SECONDS}", warehouse=f"file://{home / paths.ICEBERG}"
        )

    with explaining(f"The Iceberg catalog {file} could not be opened"):
        return again_after(open_catalog, (IntegrityError, OperationalError))


def glue_catalog(bucket: str, region: str | None, endpoint: str | None) -> Catalog:
    """Return the Glue catalog of a lake on S3; boto3 finds the credentials, and Glue's own endpoint.

    Raises:
        StorageError: AWS is not configured.
    """
    from pyiceberg.catalog.glue import GlueCatalog

    places = {"client.region": region, "s3.endpoint": endpoint}
    given = {name: place for name, place in places.items() if place}
    with explaining("Glue could not be opened"):
        return GlueCatalog("glue", warehouse=f"s3://{bucket}/{paths.ICEBERG}", **given, **S3_PROPERTIES)


def again_after(
    action: Callable[[], T], races: tuple[type[Exception], ...], times: int = RACES, seconds: float = float("inf")
) -> T:
    """Return what the action returns, tried again where another process came first.

    A wait is anything up to a multiple of what the try took, twice as much each time: many that try at once on a slow
    store would else keep one another from ever being first.

    Args:
        action: what is tried.
        races: the errors that say that another process came first; the last one is raised.
        times: how often it is tried at most.
        seconds: after which it is not tried again.
    """
    until = time.monotonic() + seconds
    for attempt in range(times - 1):
        started = time.monotonic()
        try:
            return action()
        except races:
            now = time.monotonic()
            longest = min(max(now - started, SHORTEST_WAIT) * 2**attempt, LONGEST_WAIT, until - now)
            if longest <= 0:
                raise
            time.sleep(random.uniform(0, longest))  # noqa: S311  not a secret
    return action()
