"""The Iceberg catalog of a lake: SQLite beside the local files, Glue beside S3."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from estat_dagster.errors import StorageError
from estat_dagster.lake import paths

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

T = TypeVar("T")
BUSY_SECONDS = 60  # SQLite lets one writer in at a time; many loads commit at once
RACES = 5
LONGEST_WAIT = 2.0  # seconds


def local_catalog(home: Path, namespace: str) -> Catalog:
    """Return the SQLite catalog of a local lake; it is made at its first use, also by many processes at once.

    Raises:
        StorageError: the lake's folder cannot be written.
    """
    from pyiceberg.catalog.sql import SqlCatalog
    from sqlalchemy.exc import IntegrityError, OperationalError

    file = home / paths.CATALOG_FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The lake {home} cannot be written: {error.strerror}.",
            hint="Set DATALAKE_HOME to a folder that you can write.",
        ) from error

    def open_catalog() -> Catalog:
        catalog = SqlCatalog(
            "local", uri=f"sqlite:///{file}?timeout={BUSY_SECONDS}", warehouse=f"file://{home / paths.ICEBERG}"
        )
        catalog.create_namespace_if_not_exists(namespace)
        return catalog

    try:
        return again_after(open_catalog, (IntegrityError, OperationalError))
    except (IntegrityError, OperationalError) as error:
        raise StorageError(
            f"The Iceberg catalog {file} cannot be opened: {error.orig}.",
            hint="Check that the lake's folder can be written; `estat doctor` tells more.",
        ) from error


def glue_catalog(bucket: str, namespace: str, region: str | None, endpoint: str | None) -> Catalog:
    """Return the Glue catalog of a lake on S3; boto3 finds the credentials, and Glue's own endpoint."""
    from pyiceberg.catalog.glue import GlueCatalog

    places = {"s3.region": region, "s3.endpoint": endpoint}
    given = {name: place for name, place in places.items() if place}
    catalog = GlueCatalog("glue", warehouse=f"s3://{bucket}/{paths.ICEBERG}", **given)
    catalog.create_namespace_if_not_exists(namespace)
    return catalog


def again_after(action: Callable[[], T], races: tuple[type[Exception], ...], times: int = RACES) -> T:
    """Return what the action returns, tried again where another process came first."""
    for attempt in range(times - 1):
        try:
            return action()
        except races:
            time.sleep(min(0.1 * 2**attempt, LONGEST_WAIT) * random.uniform(0.5, 1.0))  # noqa: S311  not a secret
    return action()
