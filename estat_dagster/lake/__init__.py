"""Where all bytes live: paths, local and S3 stores, dataset registry, raw pages, Parquet files, Iceberg tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from estat_dagster.lake.reading import LakeReader


def open(home: str | os.PathLike[str] | None = None) -> LakeReader:
    """Return a lake for reading from Python.

    Args:
        home: the folder of a local lake, or `s3://bucket`; None is the lake that the environment names.

    Raises:
        ValidationError: `home` is neither.
    """
    from dataclasses import replace
    from pathlib import Path

    from estat_dagster.lake.lake import bucket_of, open_lake
    from estat_dagster.lake.reading import LakeReader
    from estat_dagster.settings import Settings

    settings = Settings.from_env()
    if home is not None:
        bucket = bucket_of(os.fspath(home))
        folder = settings.lake_home if bucket else Path(home).expanduser().resolve()
        settings = replace(settings, lake_home=folder, s3_bucket=bucket)
    return LakeReader(open_lake(settings))
