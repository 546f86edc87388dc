"""The index of coordinates: which rows of a dataset stand at the same place of its axes.

Each row's codes are packed into one 64-bit number, so that the index takes 8 bytes a row whatever the codes are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Keys = npt.NDArray[np.int64]
WORD = 2**62


@dataclass(frozen=True)
class Duplicates:
    """Rows, numbered from 0 over all frames, that share their coordinates with others.

    `repeated` are later copies of a row with the same cell; `conflicting` are all rows of a place whose cells differ.
    """

    repeated: Keys
    conflicting: Keys


def coordinate_columns(names: Sequence[str]) -> list[str]:
    """Return which of a frame's columns are coordinates: tab, category, the extra axes, region and time."""
    return [
        name
        for name in names
        if name in ("tab_code", "category_code", "region_code", "time_code")
        or (name.startswith("cat") and name.endswith("_code") and name != "category_code")
    ]


def find_duplicates(frames: Iterable[pa.Table]) -> Duplicates:
    """Return the rows that share their coordinates. `frames` is iterated three times at most."""
    keys = _keys(frames)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    same_as_before = np.zeros(len(keys), dtype=bool)
    same_as_before[1:] = ordered[1:] == ordered[:-1]
    if not same_as_before.any():
        return Duplicates(np.empty(0, np.int64), np.empty(0, np.int64))
    groups = np.cumsum(~same_as_before)
    shared = np.isin(groups, groups[same_as_before])
    rows, groups, later = order[shared], groups[shared], same_as_before[shared]
    cells = _cells(frames, rows)
    firsts = np.repeat(np.flatnonzero(~later), np.diff([*np.flatnonzero(~later), len(rows)]))
    differs = np.array([cells[n] != cells[first] for n, first in enumerate(firsts)])
    conflicting = np.isin(groups, groups[differs])
    return Duplicates(np.sort(rows[later & ~conflicting]), np.sort(rows[conflicting]))


def _keys(frames: Iterable[pa.Table]) -> Keys:
    places: dict[str, dict[str | None, int]] = {}
    for frame in frames:
        for name in coordinate_columns(frame.column_names):
            known = places.setdefault(name, {None: 0})
            for code in pc.unique(frame.column(name)).to_pylist():
                known.setdefault(code, len(known))
    parts = [_pack(frame, places) for frame in frames]
    return _merge([np.concatenate(words) for words in zip(*parts, strict=True)]) if parts else np.empty(0, np.int64)


def _pack(frame: pa.Table, places: dict[str, dict[str | None, int]]) -> list[Keys]:
    """Return each row's codes as one or more mixed-radix numbers, each below 2**62."""
    words, room = [np.zeros(len(frame), np.int64)], WORD
    for name, known in places.items():
        radix = len(known)
        if room // radix == 0:
            words.append(np.zeros(len(frame), np.int64))
            room = WORD
        room //= radix
        words[-1] = words[-1] * radix + _places(frame, name, known)
    return words


def _places(frame: pa.Table, name: str, known: dict[str | None, int]) -> Keys | int:
    if name not in frame.column_names:
        return known[None]
    codes = pa.array([code for code in known if code is not None], pa.string())
    found = pc.fill_null(pc.add(pc.index_in(frame.column(name), codes), 1), 0)
    places: Keys = found.to_numpy().astype(np.int64)
    return places


def _merge(words: list[Keys]) -> Keys:
    """Return one number for each distinct combination of words."""
    merged = words[0]
    for word in words[1:]:
        _, left = np.unique(merged, return_inverse=True)
        _, right = np.unique(word, return_inverse=True)
        merged = left.astype(np.int64) * (int(right.max(initial=0)) + 1) + right
    return merged


def _cells(frames: Iterable[pa.Table], rows: Keys) -> list[tuple[object, ...]]:
    """Return what the cells of some rows hold, in the order of `rows`."""
    wanted: dict[int, tuple[object, ...]] = {}
    ordered, start = np.sort(rows), 0
    for frame in frames:
        mine = ordered[(ordered >= start) & (ordered < start + len(frame))]
        cells = frame.select(["value", "value_text", "unit", "annotation"]).take(pa.array(mine - start))
        for row, cell in zip(mine.tolist(), cells.to_pylist(), strict=True):
            wanted[row] = tuple(cell.values())
        start += len(frame)
    return [wanted[row] for row in rows.tolist()]
