"""The VALUE part of an answer: cells as JSON, pages of a hundred thousand at a time.

Each code, unit and sign is written once and the pieces are joined, and the last pages are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from estat_dagster.sandbox import narrowing, wire
from estat_dagster.sandbox.model import Cell, Table
from estat_dagster.sandbox.narrowing import Conditions

_REPLACEMENTS = {"1": "0", "2": "", "3": "NA"}


class Style(NamedTuple):
    """How cells are shown: with their footnote signs (annotationGetFlg), with which symbols (replaceSpChars)."""

    annotated: bool = True
    replace: str = "0"


class Page(NamedTuple):
    """The records of one page as JSON, and the footnote signs on them."""

    values: wire.Fragment
    signs: frozenset[str]


@lru_cache(maxsize=8)
def page(table: Table, conditions: Conditions, start: int, limit: int, style: Style) -> Page:
    """Return the records from `start` (1-based) on, at most `limit`, of those that the conditions leave."""
    cells = narrowing.select(table, conditions)[start - 1 : start - 1 + limit]
    texts = _texts(table, cells, style)
    values = texts[0] if len(texts) == 1 else "[" + ",".join(texts) + "]"
    signs = frozenset(cell.annotation for cell in cells if cell.annotation) if style.annotated else frozenset()
    return Page(wire.Fragment(values), signs)


def _texts(table: Table, cells: Sequence[Cell], style: Style) -> list[str]:
    codes = [
        {code: _attribute(axis.id, code) for code in {cell.codes[at] for cell in cells}}
        for at, axis in enumerate(table.axes)
    ]
    units = {unit: _attribute("unit", unit) for unit in {cell.unit for cell in cells}}
    signs = {
        sign: _attribute("annotation", sign if style.annotated else None) for sign in {c.annotation for c in cells}
    }
    values = {value: wire.quote(_shown(table, value, style)) for value in {cell.value for cell in cells}}
    return [
        "{"
        + "".join([part[code] for part, code in zip(codes, cell.codes, strict=True)])
        + f'{units[cell.unit]}{signs[cell.annotation]}"$":{values[cell.value]}}}'
        for cell in cells
    ]


def _attribute(name: str, value: str | None) -> str:
    return "" if value is None else f'"@{name}":{wire.quote(value)},'


def _shown(table: Table, value: str, style: Style) -> str:
    symbols = {symbol for symbol, _ in table.notes}
    return _REPLACEMENTS.get(style.replace, value) if value in symbols else value
