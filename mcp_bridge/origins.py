"""Where a query's rows are from: the tables it names, their snapshots, and the datasets whose rows it can need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcp_bridge.answers import Source

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.expressions import BooleanExpression

    from estat_dagster.lake.iceberg import IcebergTableManager
    from estat_dagster.snapshots import AsOf

INVENTORY, DIMENSIONS, DATASET = "dataset_inventory", "dataset_dimensions", "dataset_id"
MOST_SOURCES = 5
_FIELDS = ("dataset_id", "title", "stat_name", "gov_org", "updated_date", "snapshot_id", "credit")


@dataclass(frozen=True)
class Origins:
    """What a query reads: table -> snapshot id, and the datasets, of which only the first few are described."""

    snapshots: dict[str, str] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    dataset_ids: list[str] = field(default_factory=list)


def find_origins(tables: IcebergTableManager, sql: str, as_of: AsOf | None = None, only: str | None = None) -> Origins:
    """Return what a query that may run reads; SHOW and DESCRIBE read nothing.

    Args:
        only: the one dataset whose rows it reads, None where its WHERE decides: without a dataset in it, all datasets
            of the tables count. Tables about datasets count where no others are read.
    """
    from estat_dagster.query import pruning, statements
    from estat_dagster.query.tables import references

    places = references(statements.read(sql, namespace=tables.namespace).tree)
    known = set(tables.names())
    loaded = {id(place): tables.load(name) for place in places if (name := place.name.lower()) in known}
    schemas = {key: table.schema() for key, table in loaded.items()}
    asked: dict[str, set[str] | None] = {}
    for place in places:
        if id(place) in loaded and len(loaded) == len(places):
            fixed = _fixed_datasets(pruning.row_filter(place, schemas))
            name, before = place.name.lower(), asked.get(place.name.lower(), set())
            asked[name] = None if fixed is None or before is None else before | fixed
    data = {name: {only} if only else ids for name, ids in asked.items() if name not in (INVENTORY, DIMENSIONS)}
    held = list(_inventory(tables, data or asked)) if asked else []
    snapshots = {name: _snapshot(tables, name, as_of) for name in asked}
    return Origins(
        snapshots={name: snapshot for name, snapshot in snapshots.items() if snapshot},
        sources=[_source(row) for row in held[:MOST_SOURCES]],
        dataset_ids=[row[DATASET] for row in held],
    )


def _fixed_datasets(condition: BooleanExpression) -> set[str] | None:
    """Return the datasets that a filter names, None where it names none."""
    from pyiceberg.expressions import And, EqualTo, In

    match condition:
        case And():
            left, right = _fixed_datasets(condition.left), _fixed_datasets(condition.right)
            return right if left is None else left if right is None else left & right
        case EqualTo() if _name(condition) == DATASET:
            return {str(condition.literal.value)}
        case In() if _name(condition) == DATASET:
            return {str(literal.value) for literal in condition.literals}
        case _:
            return None


def _name(condition: Any) -> str:
    return str(condition.term.name)


def _snapshot(tables: IcebergTableManager, name: str, as_of: AsOf | None) -> str | None:
    from estat_dagster.snapshots import snapshot_as_of

    table = tables.load(name)
    if as_of is not None:
        return str(snapshot_as_of(table, as_of))
    current = table.current_snapshot()
    return str(current.snapshot_id) if current else None


def _inventory(tables: IcebergTableManager, asked: dict[str, set[str] | None]) -> Iterator[dict[str, Any]]:
    """Yield the inventory's rows of the datasets, by id."""
    rows = scan(tables, INVENTORY, {}, (*_FIELDS, "table_name"))
    for row in sorted(rows.to_pylist(), key=lambda row: str(row[DATASET])):
        tables_of_it = {row["table_name"], DIMENSIONS if DIMENSIONS in asked else None} & set(asked)
        if any(asked[name] is None or row[DATASET] in (asked[name] or ()) for name in tables_of_it):
            yield row


def describe_datasets(tables: IcebergTableManager, dataset_ids: set[str]) -> list[Source]:
    """Return where the data of these datasets is from, by id."""
    rows = scan(tables, INVENTORY, {DATASET: dataset_ids}, _FIELDS).to_pylist() if INVENTORY in tables.names() else []
    return sorted(map(_source, rows), key=lambda source: source.dataset_id)


def _source(row: dict[str, Any]) -> Source:
    return Source(
        dataset_id=row[DATASET],
        title=row["title"] or "",
        survey=row["stat_name"] or "",
        organisation=row["gov_org"] or "",
        updated=row["updated_date"] or "",
        snapshot_id=None if row["snapshot_id"] is None else str(row["snapshot_id"]),
        credit=row["credit"] or "",
    )


def scan(tables: IcebergTableManager, name: str, wanted: dict[str, set[str]], fields: Sequence[str]) -> pa.Table:
    """Return the columns of the rows whose columns hold one of the values wanted."""
    from pyiceberg.expressions import AlwaysTrue, And, In

    is_in: Any = In  # mypy takes its signature from pydantic, which it does not have
    condition: Any = AlwaysTrue()
    for column, values in wanted.items():
        condition = And(condition, is_in(column, values))
    return tables.load(name).scan(row_filter=condition, selected_fields=tuple(fields)).to_arrow()
