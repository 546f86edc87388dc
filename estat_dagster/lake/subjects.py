"""What can be exported: the rows of a dataset, of a table, or of an answer, and what is to be said of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set

import pyarrow as pa

from estat_dagster.columns import EXTRA_AXES, axis_columns
from estat_dagster.domains import DOMAINS
from estat_dagster.errors import DataError
from estat_dagster.lake.about import DIMENSION_COLUMNS, DIMENSIONS, INVENTORY, INVENTORY_COLUMNS
from estat_dagster.lake.datapackage import Subject, source
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.reading import LakeReader
from estat_dagster.lake.registry import DatasetEntry, held_release

ANSWER = "query"
IDS = re.compile(r"(?<!\d)\d{10}(?!\d)", re.ASCII)


def dataset(lake: Lake, dataset_id: str) -> tuple[pa.RecordBatchReader, Subject]:
    """Return a dataset's rows as its last load left them, and what they are.

    Raises:
        DataError: it is not in the lake, or was not loaded yet.
    """
    entry = held_release(lake.registry.get_dataset_info(dataset_id))
    if entry.table_name is None:
        raise DataError(f"{dataset_id} has no rows yet.", hint=f"Load it: `estat load {dataset_id}`.")
    found = lake.tables.load(entry.table_name)
    kept = entry.snapshot_id is not None and found.snapshot_by_id(entry.snapshot_id) is not None
    snapshot = entry.snapshot_id if kept else found.metadata.current_snapshot_id
    batches = LakeReader(lake).stream(entry.table_name, where=f"dataset_id = '{dataset_id}'", as_of=snapshot)
    provenance = {"table": entry.table_name, "snapshotId": str(snapshot), "contentHash": entry.content_hash}
    return batches, Subject(
        dataset_id, entry.title, _comments(lake, entry.table_name), [source(entry)], entry.credit, provenance
    )


def table(lake: Lake, name: str) -> tuple[pa.RecordBatchReader, Subject]:
    """Return the rows of a table as it is now, and what they are.

    Raises:
        ValidationError: there is no such table.
    """
    reader = LakeReader(lake)
    found = reader.load(name)
    snapshot = found.metadata.current_snapshot_id
    batches = reader.stream(name, as_of=snapshot)
    held = _held(lake, {name})
    provenance = {"table": name, "snapshotId": str(snapshot)}
    return batches, Subject(
        name, name, _comments(lake, name), [source(entry) for entry in held], _credit(held), provenance
    )


def answer(lake: Lake, sql: str, names: Sequence[str]) -> Subject:
    """Return what is to be said of the answer to a query; a column with a name of the lake's has its meaning.

    Its sources are the datasets that the query names by their ids; where it names none, those of the tables it names.
    """
    domains = [column for domain in DOMAINS.values() for column in domain.columns]
    axes = [column for axis in EXTRA_AXES for column in axis_columns(axis)]
    known = {column.name: column.comment for column in (*INVENTORY_COLUMNS, *DIMENSION_COLUMNS, *domains, *axes)}
    tables, ids = set(re.findall(r"\w+", sql.lower())), set(IDS.findall(sql))
    held = [entry for entry in _held(lake, tables) if not ids or entry.dataset_id in ids]
    columns = {name: known[name] for name in names if name in known}
    return Subject(ANSWER, sql, columns, [source(entry) for entry in held], _credit(held), {"sql": sql})


def _held(lake: Lake, tables: Set[str]) -> list[DatasetEntry]:
    """Return the datasets whose rows are in the tables, as they were loaded; the tables about datasets hold all."""
    entries = [held_release(entry) for entry in lake.registry if entry.snapshot_id is not None]
    return entries if tables & {INVENTORY, DIMENSIONS} else [entry for entry in entries if entry.table_name in tables]


def _credit(entries: Iterable[DatasetEntry]) -> str:
    return "\n".join(dict.fromkeys(entry.credit for entry in entries))


def _comments(lake: Lake, name: str) -> dict[str, str]:
    return {field.name: field.doc or "" for field in lake.tables.get_table_schema(name).fields}
