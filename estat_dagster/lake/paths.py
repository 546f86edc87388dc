"""The layout of the lake: every path in one place, relative to the lake's root."""

from __future__ import annotations

from estat_dagster.domains import Domain

ICEBERG = "iceberg-tables"
TOPS = ("raw", "registry", "staging", "quarantine", "parquet")
"""The folders of everything but the tables."""

CATALOG_FILE = f"{ICEBERG}/catalog.db"


def raw(dataset_id: str, file: str = "") -> str:
    """Return the folder of a dataset's raw pages and manifests, or a file in it."""
    return f"raw/{dataset_id}/{file}".rstrip("/")


def registry(dataset_id: str = "") -> str:
    """Return the registry's folder, or the entry of a dataset."""
    return f"registry/{dataset_id}.json" if dataset_id else "registry"


def staging(domain: Domain, dataset_id: str, step: str = "") -> str:
    """Return the folder of a step's frames, or of all steps where none is named."""
    return f"staging/{domain.name}/{dataset_id}/{step}".rstrip("/")


def quarantine(domain: Domain, dataset_id: str) -> str:
    """Return the file of a dataset's rejected rows."""
    return f"quarantine/{domain.name}/{dataset_id}.parquet"


def parquet(domain: Domain, dataset_id: str = "") -> str:
    """Return the folder of a domain's Parquet files, or the file of a dataset."""
    return f"parquet/{domain.name}/{dataset_id}.parquet" if dataset_id else f"parquet/{domain.name}"


def table(group: str, table_name: str) -> str:
    """Return the folder of an Iceberg table; `group` is its domain's name, or the table's own."""
    return f"{ICEBERG}/{group}/{table_name}"
