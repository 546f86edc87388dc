"""Frames of mapped rows from a few words, and what duplicates among them are, found the slow way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from estat_dagster.records.texts import TEXTS

TYPES = {"value": pa.float64(), "source_page": pa.int32(), "source_position": pa.int64()}
COLUMNS = (
    *("dataset_id", "region_code", "category_code", "category_name", "value", "unit", "tab_code", "tab_name"),
    *("time_code", "value_text", "missing_reason", "annotation", "source_page", "source_position"),
)
CELL = ("value", "value_text", "unit", "annotation")


def frame(rows: Sequence[dict[str, Any]], extra: Iterable[str] = ()) -> pa.Table:
    """Return rows as a frame, its texts dictionary-encoded; what a row does not say is null."""
    names = (*COLUMNS, *extra)
    return pa.table({name: pa.array([row.get(name) for row in rows], TYPES.get(name, TEXTS)) for name in names})


def numbered(rows: Sequence[dict[str, Any]], page: int, start: int) -> list[dict[str, Any]]:
    """Return the rows of a page of table 0000000001 with their positions."""
    where = {"dataset_id": "0000000001", "source_page": page}
    return [{**where, **row, "source_position": start + number} for number, row in enumerate(rows)]


def duplicates(rows: Sequence[dict[str, Any]], coordinates: Iterable[str]) -> tuple[list[int], list[int]]:
    """Return the numbers of repeated rows and of conflicting rows."""
    names = list(coordinates)
    places: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        places[tuple(row.get(name) for name in names)].append(number)
    repeated, conflicting = [], []
    for members in places.values():
        cells = {tuple(rows[number].get(name) for name in CELL) for number in members}
        if len(cells) > 1:
            conflicting += members
        else:
            repeated += members[1:]
    return sorted(repeated), sorted(conflicting)
