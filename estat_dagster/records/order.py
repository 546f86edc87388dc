"""The order of a dataset's rows, and runs of ordered rows merged into one sequence in bounded memory.

Each page is put in order by itself; the pages are then merged part by part. Rows at the same coordinates stand next to
one another afterwards, which is how duplicates are found. A row's place is packed into a 64-bit number, so that the
index over all rows takes 8 bytes a row whatever the codes are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.parallel import side_by_side
from estat_dagster.records.texts import take

Keys = npt.NDArray[np.int64]
WORD = 2**62
SAMPLE = 256


class Run(Protocol):
    """Rows in order, read where they are wanted."""

    @property
    def num_rows(self) -> int:
        """Number of rows."""

    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""

    def distinct(self, columns: list[str]) -> Mapping[str, pa.Array]:
        """Return the different values of some columns, and perhaps more."""

    def select(self, columns: list[str]) -> pa.Table:
        """Return some columns of all rows."""

    def slice(self, offset: int, length: int) -> pa.Table:
        """Return all columns of some rows."""


class TableRun:
    """A table as a run."""

    def __init__(self, table: pa.Table) -> None:
        self._table, self.num_rows, self.column_names = table, table.num_rows, table.column_names
        self.select, self.slice = table.select, table.slice

    def distinct(self, columns: list[str]) -> Mapping[str, pa.Array]:
        """Return the different values of some columns, and perhaps more."""
        return {name: _distinct(self._table.column(name)) for name in columns}


class Merged(NamedTuple):
    """A part of the merged rows; `repeats` says of each row whether it stands at the place of the one before it."""

    rows: pa.Table
    repeats: npt.NDArray[np.bool_]


def coordinate_columns(names: Iterable[str]) -> list[str]:
    """Return which of a frame's columns are coordinates: tab, category, the extra axes, region and time."""
    return [
        name
        for name in names
        if name in ("tab_code", "category_code", "region_code", "time_code")
        or (name.startswith("cat") and name.endswith("_code") and name != "category_code")
    ]


def order_columns(leading: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return the columns that decide the order: the leading ones, then the other coordinates among `names`."""
    return list(dict.fromkeys([*leading, *sorted(coordinate_columns(names))]))


def _distinct(column: pa.ChunkedArray) -> pa.Array:
    """Return the different values of a column, or those of its dictionaries."""
    if not pa.types.is_dictionary(column.type):
        return pc.unique(column)
    return pc.unique(pa.chunked_array([chunk.dictionary for chunk in column.chunks], column.type.value_type))


def sort_rows(rows: pa.Table, by: Sequence[str]) -> pa.Table:
    """Return the rows in order, null last; rows at the same place stay as they stood."""
    order, _ = _in_order(_Places([TableRun(rows)], by).words(rows))
    return rows if order is None else take(rows, pa.array(order))


def merge(runs: Sequence[Run], by: Sequence[str], most: int) -> list[Callable[[], Merged]]:
    """Return the rows of all runs in order, as parts of about `most` rows that can be read side by side.

    Rows at one place are never parted; those of earlier runs come first.
    """
    keys = _keys(runs, by)
    bounds = _bounds([words[0] for words in keys], most)
    return [partial(_part, runs, keys, low, high) for low, high in pairwise(bounds)]


def _part(runs: Sequence[Run], keys: list[list[Keys]], low: int, high: int) -> Merged:
    """Return the rows whose first word is from low to below high."""
    spans = [np.searchsorted(words[0], [low, high]).tolist() for words in keys]
    found = [run.slice(a, b - a) for run, (a, b) in zip(runs, spans, strict=True) if b > a]
    rows = pa.concat_tables(found, promote_options="default").unify_dictionaries().combine_chunks()
    spanned = [[word[a:b] for word in words] for words, (a, b) in zip(keys, spans, strict=True)]
    order, words = _in_order([np.concatenate(parts) for parts in zip(*spanned, strict=True)])
    return Merged(rows if order is None else take(rows, pa.array(order)), _repeats(words))


def count_repeats(runs: Sequence[Run], by: Sequence[str]) -> int:
    """Return how many rows stand at a place where a row stands already, in whatever order the rows are."""
    words = [np.concatenate(parts) for parts in zip(*_keys(runs, by), strict=True)]
    return int(np.count_nonzero(_repeats(_in_order(words)[1]))) if words else 0


def _keys(runs: Sequence[Run], by: Sequence[str]) -> list[list[Keys]]:
    """Return the words of each run's rows."""
    places = _Places(runs, by)
    return list(side_by_side(lambda run: places.words(run.select(places.held(run))), runs))


class _Places:
    """Where each value stands among all values of its column, over all runs."""

    def __init__(self, runs: Sequence[Run], by: Sequence[str]) -> None:
        self._by = by
        values = [run.distinct(self.held(run)) for run in runs]
        self._known = {name: _sorted([held[name] for held in values if name in held]) for name in by}

    def held(self, run: Run) -> list[str]:
        """Return the columns of the order that a run has."""
        return [name for name in self._by if name in run.column_names]

    def words(self, rows: pa.Table) -> list[Keys]:
        """Return each row's place as one or more mixed-radix numbers, each below 2**62, the most significant first."""
        words, room = [np.zeros(len(rows), np.int64)], WORD
        for name, known in self._known.items():
            radix = len(known) + 1
            if room // radix == 0:
                words.append(np.zeros(len(rows), np.int64))
                room = WORD
            room //= radix
            words[-1] = words[-1] * radix + _ranks(rows, name, known)
        return words


def _sorted(values: list[pa.Array]) -> pa.Array:
    if not values:
        return pa.nulls(0)
    known = pc.unique(pa.chunked_array(values)).drop_null()
    return known.take(pc.array_sort_indices(known))


def _ranks(rows: pa.Table, name: str, known: pa.Array) -> Keys | int:
    """Return each row's place among the known values; null comes after them."""
    if name not in rows.column_names:
        return len(known)
    column = rows.column(name).combine_chunks()
    if not pa.types.is_dictionary(column.type):
        return _numbers(pc.index_in(column, known), len(known))
    places = np.append(_numbers(pc.index_in(column.dictionary, known), len(known)), len(known))
    ranks: Keys = places[_numbers(column.indices, len(places) - 1)]
    return ranks


def _numbers(places: pa.Array, absent: int) -> Keys:
    numbers: Keys = (places.fill_null(absent) if places.null_count else places).to_numpy().astype(np.int64, copy=False)
    return numbers


def _in_order(words: list[Keys]) -> tuple[Keys | None, list[Keys]]:
    """Return how to put rows in order, None where they are, and their words in that order."""
    if len(words) == 1 and np.all(words[0][1:] >= words[0][:-1]):
        return None, words
    order = np.argsort(words[0], kind="stable") if len(words) == 1 else np.lexsort(words[::-1])
    return order, [word[order] for word in words]


def _repeats(words: list[Keys]) -> npt.NDArray[np.bool_]:
    repeats = np.zeros(len(words[0]), bool)
    repeats[1:] = np.logical_and.reduce([word[1:] == word[:-1] for word in words])
    return repeats


def _bounds(keys: list[Keys], most: int) -> list[int]:
    """Return numbers between which about `most` keys lie each; the keys are in order in every run."""
    sample = np.sort(np.concatenate([run[::SAMPLE] for run in keys])) if keys else np.empty(0, np.int64)
    if not len(sample):
        return []
    inner = np.unique(sample[:: max(1, most // SAMPLE)])[1:]
    return [0, *inner.tolist(), WORD]
