"""The publishing steps: valid rows to the Parquet file, and from there to the Iceberg table and the registry."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from estat_dagster.assets.steps.job import VALIDATED, DatasetJob, StepResult, content_of, preview
from estat_dagster.columns import EXTRA_AXES, Column, axis_columns
from estat_dagster.domains import Domain
from estat_dagster.errors import DataError
from estat_dagster.estat.credit import table_credit
from estat_dagster.estat.models import Metadata, TableInfo
from estat_dagster.lake import inventory, paths, schemas
from estat_dagster.lake.history import load_of
from estat_dagster.lake.iceberg import summarise
from estat_dagster.lake.parquet import read_groups, read_version, stamped, write_parquet
from estat_dagster.lake.registry import LOADED, RELEASE, now
from estat_dagster.lake.summary import VERSION, load_properties
from estat_dagster.records.classes import distinct_axes

if TYPE_CHECKING:
    from pyiceberg.table import Table


def write_file(job: DatasetJob) -> StepResult:
    """Write the valid rows as one Parquet file under the columns of the domain's table, in its order."""
    lake, frames = job.bench.lake, job.frames(VALIDATED)
    report, path = frames.require_report(), paths.parquet(job.domain, job.dataset_id)
    version = report["version"]
    unchanged = not job.force and read_version(lake.store, path) == version
    if not unchanged:
        table = lake.tables.prepare(job.domain, _columns(job.domain, frames.column_names()))
        schema = schemas.file_schema(table.schema())
        write_parquet(lake.store, path, stamped(frames.runs(), schema, datetime.now(UTC)), schema, version)
    facts = {"rows": report["valid"], "bytes": lake.store.size(path)}
    with lake.store.open(path) as file:
        schema = pq.read_schema(file)
    uri = lake.store.uri(path)
    return StepResult(facts, uri, content_of(version), unchanged, report["valid"], schema=schema)


def load_table(job: DatasetJob) -> StepResult:
    """Commit the rows of the Parquet file to the domain's Iceberg table, in place of the dataset's before."""
    lake, domain, path = job.bench.lake, job.domain, paths.parquet(job.domain, job.dataset_id)
    version = read_version(lake.store, path)
    if version is None:
        raise DataError(
            f"{job.dataset_id} has no Parquet file that can be read.",
            hint="Materialize parquet_file first.",
            dataset_id=job.dataset_id,
        )
    unchanged = not job.force and _is_held(job, version)
    metadata = functools.cache(job.metadata)  # of a raw page
    held = job.entry.loaded_release if unchanged else None  # a later release with equal rows leaves it
    known = _known(job, version) | {"loaded_release": held or _release(job, metadata().table)}
    if not unchanged:
        known |= _commit(job, path, version, known, metadata())
    known |= {"checked_at": now(), "run_id": job.run_id or job.entry.run_id}
    entry = lake.registry.update_status(job.dataset_id, LOADED, **known)
    inventory.put_inventory(lake.tables, entry)
    table = lake.tables.load(domain.table_name)
    facts = {
        "snapshot_id": str(entry.snapshot_id),
        "rows": entry.valid_count,
        "changed_at": entry.changed_at,
        **whole_table(table),
        "table_datasets": len(lake.store.names(paths.parquet(domain))),
    }
    return StepResult(
        facts,
        lake.store.uri(paths.table(domain.name, domain.table_name)),
        content_of(version),
        unchanged,
        entry.valid_count,
        table_name=f"{lake.tables.namespace}.{domain.table_name}",
        schema=schemas.file_schema(table.schema()),
        preview=preview(job.frames(VALIDATED)),
    )


def _is_held(job: DatasetJob, version: str) -> bool:
    """Whether the table holds the rows of a version, by the registry, and by the table where it still tells.

    They differ where two processes changed the dataset at once: the one that committed last may have told first.
    """
    if job.entry.loaded_version != version or job.entry.snapshot_id is None:
        return False
    table = job.bench.lake.tables.load(job.domain.table_name)
    held = table.current_snapshot()
    return held is not None and load_of(table, job.dataset_id, held.snapshot_id).get(VERSION, version) == version


def whole_table(table: Table) -> dict[str, int]:
    """Return facts of the whole table: those of its snapshot's summary, and how many snapshots it has."""
    snapshot = table.current_snapshot()
    summary = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
    return {
        "table_rows": int(summary.get("total-records", 0)),
        "table_files": int(summary.get("total-data-files", 0)),
        "table_bytes": int(summary.get("total-files-size", 0)),
        "table_snapshots": len(table.snapshots()),
    }


def _commit(job: DatasetJob, path: str, version: str, known: dict[str, Any], metadata: Metadata) -> dict[str, Any]:
    """Put the rows and the classes in place of those before, and return what the registry keeps of it."""
    lake, domain = job.bench.lake, job.domain
    schema = schemas.file_schema(lake.tables.get_table_schema(domain.table_name))
    properties = load_properties(job.dataset_id, {**known, "loaded_version": version})
    snapshot = lake.tables.replace_rows(
        domain.table_name, job.dataset_id, read_groups(lake.store, path, schema), properties
    )
    inventory.put_dimensions(lake.tables, job.dataset_id, dimension_rows(job.dataset_id, metadata), properties)
    return {"snapshot_id": snapshot, "loaded_version": version, "changed_at": now()}


def _known(job: DatasetJob, version: str) -> dict[str, Any]:
    """Return what the registry keeps of a load, apart from the snapshot and the times."""
    lake = job.bench.lake
    uri, manifest = job.manifest()
    report = job.frames(VALIDATED).require_report()
    return {
        "loaded_scope": manifest.scope,
        "total_number": manifest.total_number,
        "record_count": report["rows_in"],
        "valid_count": report["valid"],
        "quarantined_count": report["quarantined"],
        "null_count": report["nulls"],
        "table_name": job.domain.table_name,
        "content_hash": content_of(version),
        "raw_uri": uri,
        "parquet_uri": lake.store.uri(paths.parquet(job.domain, job.dataset_id)),
        "run_id": job.run_id,
    }


def _release(job: DatasetJob, table: TableInfo) -> dict[str, str]:
    """Return what e-Stat said of the rows' release, as their raw pages say."""
    _, manifest = job.manifest()
    credit = table_credit(table, manifest.source, processed=True)
    return {name: credit if name == "credit" else getattr(table, name) for name in RELEASE}


def dimension_rows(dataset_id: str, metadata: Metadata) -> Iterator[dict[str, Any]]:
    """Return the classes of every axis, each code once, as rows of `dataset_dimensions`."""
    for axis in distinct_axes(metadata).axes:
        for position, item in enumerate(axis.classes, start=1):
            yield {
                "dataset_id": dataset_id,
                "axis_id": axis.id,
                "axis_name": axis.name,
                "position": position,
                **vars(item),
            }


def table_facts(job: DatasetJob) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return rows, nulls and value sum of the Parquet file, and of the dataset in the Iceberg table."""
    lake, path = job.bench.lake, paths.parquet(job.domain, job.dataset_id)
    with lake.store.open(path) as file:
        values = pq.read_table(file, columns=["value"]).column("value")
    return summarise(values), lake.tables.count_rows(job.domain.table_name, job.dataset_id)


def _columns(domain: Domain, names: Iterable[str]) -> tuple[Column, ...]:
    held = set(names)
    axes = [column for axis in EXTRA_AXES for column in axis_columns(axis) if column.name in held]
    return (*domain.columns, *axes)
