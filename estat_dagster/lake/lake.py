"""A lake as one object: its files, its tables and its registry. `open_lake` chooses local or AWS from the settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from estat_dagster.domains import Domain
from estat_dagster.errors import ValidationError
from estat_dagster.lake import paths
from estat_dagster.lake.catalog import glue_catalog, local_catalog
from estat_dagster.lake.frames import Frames
from estat_dagster.lake.iceberg import IcebergTableManager
from estat_dagster.lake.raw import RawPages
from estat_dagster.lake.registry import MetadataManager
from estat_dagster.lake.store import Store
from estat_dagster.settings import Settings

P = TypeVar("P")


class Lake:
    """The lake that the settings name. Opening it touches nothing; the catalog is opened at its first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.store = _store(settings)
        self.registry = MetadataManager(self.store)

    @cached_property
    def tables(self) -> IcebergTableManager:
        """The Iceberg tables."""
        settings = self._settings
        if settings.s3_bucket:
            catalog = glue_catalog(settings.s3_bucket, settings.aws_region, settings.aws_endpoint)
        else:
            catalog = local_catalog(settings.lake_home)
        return IcebergTableManager(catalog, settings.glue_database, self.store)

    @property
    def is_there(self) -> bool:
        """Whether anything was ever written to a local lake's tables; of one on AWS, Glue tells."""
        return self._settings.s3_bucket is not None or self.store.exists(paths.CATALOG_FILE)

    def raw(self, dataset_id: str, read: Callable[[bytes], P]) -> RawPages[P]:
        """Return the raw pages of a dataset; `read` makes a page of a body."""
        return RawPages(self.store, dataset_id, read)

    def frames(self, domain: Domain, dataset_id: str, step: str) -> Frames:
        """Return the staged rows of a step."""
        return Frames(self.store, domain, dataset_id, step)


def open_lake(settings: Settings | None = None) -> Lake:
    """Return the lake of the settings, or of the environment."""
    return Lake(settings or Settings.from_env())


def bucket_of(place: str) -> str | None:
    """Return the bucket of an address `s3://bucket`, None where the place is a folder.

    Raises:
        ValidationError: it is another address; a lake begins at the top of its bucket.
    """
    if not re.match(r"\w+:/", place):
        return None
    address = re.fullmatch(r"s3://([a-z0-9.-]+)/?", place)
    if address is None:
        raise ValidationError(f"{place!r} is no place of a lake.", hint="Name a folder, or a bucket: s3://bucket.")
    return address[1]


def _store(settings: Settings) -> Store:
    if settings.s3_bucket:
        return Store.s3(settings.s3_bucket, settings.aws_region, settings.aws_endpoint)
    return Store.local(settings.lake_home)
