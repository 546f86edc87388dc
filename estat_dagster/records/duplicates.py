"""Rows that stand at the same place of their axes: copies of one another, or contradictions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Flags = npt.NDArray[np.bool_]
CELL = ["value", "value_text", "unit", "annotation"]


def find_duplicates(rows: pa.Table, repeats: Flags) -> tuple[Flags, Flags]:
    """Return which rows contradict another at their place, and which are later copies of an earlier one.

    Args:
        rows: in order, so that rows at one place stand together.
        repeats: of each row, whether it stands at the place of the one before it.
    """
    conflicting, repeated = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    shared = np.flatnonzero(repeats | np.append(repeats[1:], [False]) if len(rows) else repeats)
    if not len(shared):
        return conflicting, repeated
    later = repeats[shared]
    cells = [tuple(cell.values()) for cell in rows.select(CELL).take(pa.array(shared)).to_pylist()]
    first = np.maximum.accumulate(np.where(later, 0, np.arange(len(shared))))
    differs = np.array([cell != cells[at] for cell, at in zip(cells, first.tolist(), strict=True)])
    in_conflict = np.isin(first, first[differs])
    conflicting[shared], repeated[shared] = in_conflict, later & ~in_conflict
    return conflicting, repeated
