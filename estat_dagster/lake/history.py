"""What happened to a table: its snapshots, which of them changed a dataset, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from estat_dagster.domains import DOMAINS, Domain, check_dataset_id
from estat_dagster.errors import DataError
from estat_dagster.lake import summary
from estat_dagster.lake.iceberg import IcebergTableManager
from estat_dagster.lake.replacing import files_of, holds_any, holds_only

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot


@dataclass(frozen=True)
class SnapshotFacts:
    """A snapshot, as its own properties describe it.

    `action` is load, rollback, delete, compact or repair; "" where another program made the snapshot. `operation` is
    Iceberg's word. `rows` are the dataset's after it, None where the snapshot is of no single dataset or older than
    this property. Rows of other datasets that were only written again count as neither added nor removed.
    """

    snapshot_id: int
    parent_id: int | None
    made_at: datetime
    operation: str
    action: str
    dataset_id: str | None
    run_id: str | None
    content_hash: str | None
    schema_version: str | None
    rows: int | None
    rows_added: int
    rows_removed: int
    is_current: bool


def snapshots(table: Table) -> list[SnapshotFacts]:
    """Return the snapshots that a table still has, the newest first."""
    current = table.metadata.current_snapshot_id
    found = sorted(table.snapshots(), key=lambda s: s.sequence_number or 0, reverse=True)
    return [_facts(snapshot, current) for snapshot in found]


def dataset_snapshots(table: Table, dataset_id: str) -> list[SnapshotFacts]:
    """Return the snapshots that loaded, rolled back or deleted a dataset, the newest first."""
    check_dataset_id(dataset_id)
    return [facts for facts in snapshots(table) if facts.dataset_id == dataset_id]


def find_table(tables: IcebergTableManager, dataset_id: str) -> Table:
    """Return the domain table that holds a dataset, or held it in a snapshot that is still there.

    Raises:
        DataError: none does.
    """
    found = list(tables_with(tables, dataset_id))
    if not found:
        raise DataError(
            f"No table holds {dataset_id}, nor did in any snapshot that is left.",
            hint="`estat status` lists the datasets of the lake.",
            dataset_id=dataset_id,
        )
    return min(found, key=lambda table: not files_of(table, dataset_id))


def tables_with(tables: IcebergTableManager, dataset_id: str) -> Iterator[Table]:
    """Return every domain table that holds a dataset or tells of it."""
    check_dataset_id(dataset_id)
    names = set(tables.names())
    for domain in DOMAINS.values():
        if domain.table_name in names:
            table = tables.load(domain.table_name)
            if files_of(table, dataset_id) or dataset_snapshots(table, dataset_id):
                yield table


def domain_of_rows(tables: IcebergTableManager, dataset_id: str) -> Domain | None:
    """Return the domain whose table has rows of a dataset, None where none has."""
    names = set(tables.names())
    for domain in DOMAINS.values():
        if domain.table_name not in names:
            continue
        table = tables.load(domain.table_name)
        for file in files_of(table, dataset_id):
            if holds_only(file, dataset_id, table) or holds_any(tables.store, file, dataset_id):
                return domain
    return None


def current_snapshot(table: Table) -> int:
    """Return the snapshot that readers see, which is not the newest one where the table was set back.

    Raises:
        DataError: nothing was ever written to the table.
    """
    current = table.metadata.current_snapshot_id
    if current is None:
        raise DataError(f"{table.name()[-1]} has no snapshot yet.", hint="Load a dataset: `estat load ID`.")
    return current


def line_of(table: Table, snapshot_id: int) -> list[int]:
    """Return a snapshot and those before it that it was made of, as far as they are kept, the newest first."""
    line: list[int] = []
    found = table.snapshot_by_id(snapshot_id)
    while found is not None:
        line.append(found.snapshot_id)
        found = table.snapshot_by_id(found.parent_snapshot_id) if found.parent_snapshot_id is not None else None
    return line


def load_of(table: Table, dataset_id: str, snapshot_id: int) -> dict[str, str]:
    """Return what the load said whose rows a snapshot holds; nothing where its own snapshot is not kept any more."""
    line = set(line_of(table, snapshot_id))
    for facts in dataset_snapshots(table, dataset_id):
        if facts.snapshot_id in line:
            snapshot = table.snapshot_by_id(facts.snapshot_id)
            said = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
            return {name: said[name] for name in summary.OF_A_LOAD if name in said}
    return {}


def previous_snapshot(table: Table, dataset_id: str) -> int:
    """Return the snapshot before the dataset's last load: what its rows were then is what they were before.

    Raises:
        DataError: there was no load before, or its snapshot is not kept any more.
    """
    line = set(line_of(table, current_snapshot(table)))
    own = [facts for facts in dataset_snapshots(table, dataset_id) if facts.snapshot_id in line]
    before = own[0].parent_id if own else None
    if before is not None and table.snapshot_by_id(before) and files_of(table, dataset_id, snapshot_id=before):
        return before
    raise DataError(
        f"{table.name()[-1]} keeps no snapshot of {dataset_id} before its last load.",
        hint=f"`estat history {dataset_id}` lists those that are kept.",
        dataset_id=dataset_id,
    )


def _facts(snapshot: Snapshot, current: int | None) -> SnapshotFacts:
    said = dict(snapshot.summary.additional_properties) if snapshot.summary else {}
    carried = int(said.get(summary.CARRIED, 0))
    return SnapshotFacts(
        snapshot_id=snapshot.snapshot_id,
        parent_id=snapshot.parent_snapshot_id,
        made_at=datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC),
        operation=snapshot.summary.operation.value if snapshot.summary else "",
        action=said.get(summary.ACTION, summary.LOADED if summary.DATASET in said else ""),
        dataset_id=said.get(summary.DATASET),
        run_id=said.get(summary.RUN) or None,
        content_hash=said.get(summary.CONTENT),
        schema_version=said.get(summary.SCHEMA_VERSION),
        rows=int(said[summary.ROWS]) if summary.ROWS in said and summary.DATASET in said else None,
        rows_added=int(said.get("added-records", 0)) - carried,
        rows_removed=int(said.get("deleted-records", 0)) - carried,
        is_current=snapshot.snapshot_id == current,
    )
