"""What changed between two snapshots of a dataset: rows added, removed and revised, by their coordinates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.columns import EXTRA_AXES, arrow_schema, axis_columns
from estat_dagster.domains import DOMAINS
from estat_dagster.errors import DataError
from estat_dagster.lake.history import current_snapshot, find_table, previous_snapshot
from estat_dagster.lake.iceberg import IcebergTableManager
from estat_dagster.lake.problems import explaining
from estat_dagster.lake.replacing import rows_of
from estat_dagster.snapshots import AsOf, snapshot_as_of

if TYPE_CHECKING:
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.table import Table

COORDINATES = ("tab_code", "category_code", *(f"{axis}_code" for axis in EXTRA_AXES), "region_code", "time_code")
COMPARED = ("value", "value_text", "missing_reason", "unit", "annotation")
NAMES = tuple(name.removesuffix("_code") + "_name" for name in COORDINATES)
SLICE = 1_000_000  # rows of one snapshot that are compared at a time
SAMPLE = 1_000

_COLUMNS = (*DOMAINS["general"].columns, *(column for axis in EXTRA_AXES for column in axis_columns(axis)))
_TYPES = {field.name: field.type for field in arrow_schema(_COLUMNS)}


@dataclass(frozen=True)
class Comparison:
    """What changed of a dataset from one snapshot to another.

    `added` and `removed` hold coordinates, their names and the compared columns; `revised` holds coordinates, names
    and each compared column twice, as `old_value`, `new_value` and so on. They stop at the sample's size, the counts
    are of all rows. A number in place of NULL is a revision, as is the reverse.
    """

    dataset_id: str
    table_name: str
    before: int
    after: int
    added: pa.Table
    removed: pa.Table
    revised: pa.Table
    added_count: int
    removed_count: int
    revised_count: int
    unchanged_count: int

    @property
    def is_equal(self) -> bool:
        """Whether nothing changed."""
        return not (self.added_count or self.removed_count or self.revised_count)


def compare(
    tables: IcebergTableManager,
    dataset_id: str,
    before: AsOf | None = None,
    after: AsOf | None = None,
    *,
    sample: int | None = SAMPLE,
) -> Comparison:
    """Compare a dataset's rows in two snapshots of its table.

    Args:
        tables: the lake's tables.
        dataset_id: the dataset.
        before: the earlier state; None is the one before the dataset's last load.
        after: the later state; None is the current one.
        sample: rows kept of each kind; None keeps all of them. All are counted.

    Raises:
        DataError: no table holds the dataset, or it has no earlier load.
        ValidationError: `before` or `after` is no snapshot.
        StorageError: a file of theirs cannot be read.
    """
    table = find_table(tables, dataset_id)
    old = previous_snapshot(table, dataset_id) if before is None else snapshot_as_of(table, before)
    new = current_snapshot(table) if after is None else snapshot_as_of(table, after)
    with explaining(f"The rows of {dataset_id} could not be compared", reading=True):
        return _compare(table, dataset_id, old, new, sample)


def _compare(table: Table, dataset_id: str, old: int, new: int, sample: int | None) -> Comparison:
    sides = (_Side(table, dataset_id, old), _Side(table, dataset_id, new))
    names = [name for name in COORDINATES if any(side.has(name) for side in sides)]
    kept = Differences(names, sample)
    for part in _slices(*sides):
        kept.add(*(side.read(part) for side in sides))
    return Comparison(
        dataset_id,
        table.name()[-1],
        old,
        new,
        *(pa.concat_tables(parts).slice(0, sample) for parts in (kept.added, kept.removed, kept.revised)),
        *kept.counts,
    )


class _Side:
    """A dataset's rows in one snapshot, under the columns that are compared."""

    def __init__(self, table: Table, dataset_id: str, snapshot_id: int) -> None:
        self._table, self._dataset_id, self._snapshot_id = table, dataset_id, snapshot_id
        scan = table.scan(snapshot_id=snapshot_id)
        self._columns = [name for name in (*COORDINATES, *NAMES, *COMPARED) if name in scan.projection().column_names]

    def has(self, name: str) -> bool:
        return name in self._columns

    def read(self, part: BooleanExpression) -> pa.Table:
        """Return the rows of a part; columns that the snapshot did not have yet are null."""
        held = self._scan(part, self._columns)
        return pa.table({name: _column(held, name) for name in (*COORDINATES, *NAMES, *COMPARED)})

    def rows_by_time(self) -> dict[str | None, int]:
        counts = _column(self._scan(_expressions().AlwaysTrue(), ["time_code"]), "time_code").value_counts()
        return {item["values"]: item["counts"] for item in counts.to_pylist()}

    def _scan(self, part: BooleanExpression, columns: list[str]) -> pa.Table:
        mine = _expressions().And(rows_of(self._dataset_id), part)
        return self._table.scan(mine, selected_fields=tuple(columns), snapshot_id=self._snapshot_id).to_arrow()


def _column(rows: pa.Table, name: str) -> pa.ChunkedArray:
    if name in rows.column_names:
        return rows.column(name).cast(_TYPES[name])
    return pa.chunked_array([pa.nulls(len(rows), _TYPES[name])])


def _expressions() -> Any:
    """Return PyIceberg's expressions, whose declared types know neither names nor positions."""
    from pyiceberg import expressions

    return expressions


def _slices(old: _Side, new: _Side) -> Iterator[BooleanExpression]:
    """Return expressions that cut both sides at the same time codes, into parts that fit into memory."""
    expressions = _expressions()

    counts, others = old.rows_by_time(), new.rows_by_time()
    sizes = {code: max(counts.get(code, 0), others.get(code, 0)) for code in counts.keys() | others.keys()}
    starts, held = [""], sizes.pop(None, 0)
    for code in sorted(code for code in sizes if code is not None):
        if held and held + sizes[code] > SLICE:
            starts.append(code)
            held = 0
        held += sizes[code]
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        part = expressions.GreaterThanOrEqual("time_code", start)
        if end is not None:
            part = expressions.And(part, expressions.LessThan("time_code", end))
        yield expressions.Or(part, expressions.IsNull("time_code")) if start == "" else part


class Differences:
    """Gathers what differs between two sides, part by part; a part holds the same coordinates of both."""

    def __init__(self, coordinates: list[str], sample: int | None) -> None:
        self._coordinates, self._sample = coordinates, sample
        self._names = [name for name in NAMES if name.removesuffix("_name") + "_code" in coordinates]
        self.added: list[pa.Table] = []
        self.removed: list[pa.Table] = []
        self.revised: list[pa.Table] = []
        self.counts = [0, 0, 0, 0]

    def add(self, old: pa.Table, new: pa.Table) -> None:
        """Compare two sides of a part."""
        old_keys, new_keys = _keys(old, new, self._coordinates)
        _, at_old, at_new = np.intersect1d(old_keys, new_keys, assume_unique=True, return_indices=True)
        both = old.take(at_old), new.take(at_new)
        differs = _differs(*both)
        changed = [rows.filter(differs) for rows in both]
        added, removed = new.filter(_others(len(new), at_new)), old.filter(_others(len(old), at_old))
        for place, count in enumerate((len(added), len(removed), len(changed[0]), len(both[0]) - len(changed[0]))):
            self.counts[place] += count
        shown = [*self._coordinates, *self._names]
        self.added.append(self._cut(added.select([*shown, *COMPARED])))
        self.removed.append(self._cut(removed.select([*shown, *COMPARED])))
        twice = {
            f"{when}_{name}": rows.column(name) for name in COMPARED for when, rows in zip(AGES, changed, strict=True)
        }
        self.revised.append(self._cut(pa.table({name: changed[1].column(name) for name in shown} | twice)))

    def _cut(self, rows: pa.Table) -> pa.Table:
        return rows.sort_by([(name, "ascending") for name in reversed(self._coordinates)]).slice(0, self._sample)


AGES = ("old", "new")


def _keys(old: pa.Table, new: pa.Table, coordinates: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return a number a row that is the same where all coordinates are, on both sides; NULL is a code of its own.

    Raises:
        DataError: a side has two rows at the same place.
    """
    keys = np.zeros(len(old) + len(new), np.int64)
    for name in coordinates:
        codes = pa.chunked_array([*old.column(name).chunks, *new.column(name).chunks], pa.string()).combine_chunks()
        places = pc.dictionary_encode(codes, null_encoding="encode").indices.to_numpy().astype(np.int64)
        _, keys = np.unique(keys * (places.max(initial=0) + 1) + places, return_inverse=True)
    sides = keys[: len(old)], keys[len(old) :]
    for side in sides:
        if len(np.unique(side)) != len(side):
            raise DataError("A snapshot has several rows at the same coordinates.", hint="Load the dataset again.")
    return sides


def _differs(old: pa.Table, new: pa.Table) -> pa.Array:
    """Return for each row whether any compared column differs; NULL equals NULL and nothing else."""
    differs = np.zeros(len(old), bool)
    for name in COMPARED:
        one, other = old.column(name).combine_chunks(), new.column(name).combine_chunks()
        unlike = pc.fill_null(pc.not_equal(one, other), False)
        differs |= pc.or_(unlike, pc.xor(one.is_null(), other.is_null())).to_numpy(zero_copy_only=False)
    return pa.array(differs)


def _others(length: int, places: np.ndarray) -> pa.Array:
    mask = np.ones(length, bool)
    mask[places] = False
    return pa.array(mask)
