"""From figures to cells: reading the carried ones, making up the others, adding totals, laying out the grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import product
from random import Random

from estat_dagster.sandbox.model import Axis, Cell

Codes = tuple[str, ...]
"""A cell's coordinates: one code for each axis, in the table's order."""


def carried(table_id: str) -> dict[tuple[str, str], str]:
    """Return the published figures of a table by (row code, column code), as `figures/{id}.tsv` holds them."""
    text = files(__package__).joinpath("figures", f"{table_id}.tsv").read_text("utf-8")
    (_, *columns), *rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {(row, column): value for row, *values in rows for column, value in zip(columns, values, strict=True)}


def draw(table_id: str) -> Random:
    """Return the source of made-up figures of a table: its id is the seed, so they are the same every time."""
    return Random(table_id)  # noqa: S311 - figures to look at, nothing secret


def with_totals(figures: Mapping[Codes, int], place: int, parents: Mapping[str, Sequence[str]]) -> dict[Codes, int]:
    """Add sums along the axis at this place: `parents` names the totals that each detail goes into."""
    sums = dict(figures)
    for codes, value in figures.items():
        for parent in parents[codes[place]]:
            total = (*codes[:place], parent, *codes[place + 1 :])
            sums[total] = sums.get(total, 0) + value
    return sums


def all_into(total: str, details: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the `parents` of a flat axis: every detail goes into one total."""
    return dict.fromkeys(details, (total,))


def grid(
    axes: Sequence[Axis], values: Mapping[Codes, object], annotations: Mapping[Codes, str] | None = None
) -> Iterator[Cell]:
    """Yield the cells that have a value, in the order of the axes, with the unit of the first item that names one."""
    signs = annotations or {}
    for found in product(*(axis.items for axis in axes)):
        codes = tuple(item.code for item in found)
        if codes in values:
            unit = next((item.unit for item in found if item.unit), None)
            yield Cell(codes, str(values[codes]), unit, signs.get(codes))
