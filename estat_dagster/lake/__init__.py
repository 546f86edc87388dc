"""Where all bytes live: paths, local and S3 stores, dataset registry, raw pages, Parquet files, Iceberg tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from estat_dagster.lake.reading import LakeReader


def open(home: str | os.PathLike[str] | None = None) -> LakeReader:
    """Return a lake for reading from Python.

    Args:
        home: the folder of a local lake; None is the lake that the environment names, local or on AWS.
    """
    from dataclasses import replace
    from pathlib import Path

    from estat_dagster.lake.lake import open_lake
    from estat_dagster.lake.reading import LakeReader
    from estat_dagster.settings import Settings

    settings = Settings.from_env()
    if home is not None:
        settings = replace(settings, lake_home=Path(home).expanduser().resolve(), s3_bucket=None)
    return LakeReader(open_lake(settings))
