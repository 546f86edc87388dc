"""A table in English (`lang=E`), by its own glossary. What the glossary lacks is left out, as e-Stat leaves it out.

Only texts change: the codes, and the records but for their units, are those of the Japanese table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from estat_dagster.sandbox.model import Axis, Item, Table, Wire
from estat_dagster.sandbox.parameters import Params

_YEAR = re.compile(r"(\d{4})年(度?)")
_PLAIN = frozenset(("@id", "SURVEY_DATE", "OPEN_DATE", "SMALL_AREA", "OVERALL_TOTAL_NUMBER", "UPDATED_DATE"))

Translate = Callable[[str], str]


def spoken(table: Table, params: Params) -> Table:
    """Return a table in the language that a request asks for."""
    return in_english(table) if params.get("lang") == "E" else table


@lru_cache(maxsize=256)
def in_english(table: Table) -> Table:
    """Return the table with its texts in English; a text without one is empty."""

    def say(text: str) -> str:
        year = _YEAR.fullmatch(text)
        if year and table.glossary:
            return f"FY{year[1]}" if year[2] else year[1]
        return table.glossary.get(text, "")

    return replace(
        table,
        facts=_facts(table.table_inf, say),
        axes=tuple(_axis(axis, say) for axis in table.axes),
        produce=lambda: [cell._replace(unit=_unit(cell.unit, say)) for cell in table.cells],
        notes=tuple((sign, say(text)) for sign, text in table.notes),
        annotations=tuple((sign, say(text)) for sign, text in table.annotations),
    )


def _facts(facts: Mapping[str, Any], say: Translate) -> Wire:
    return {key: value if key in _PLAIN else _part(value, say) for key, value in facts.items()}


def _part(value: Any, say: Translate) -> Any:
    if not isinstance(value, dict):
        return say(value) if isinstance(value, str) else value
    parts = {key: part if key.startswith("@") else _part(part, say) for key, part in value.items()}
    return {key: part for key, part in parts.items() if key != "$" or part}


def _axis(axis: Axis, say: Translate) -> Axis:
    return Axis(
        axis.id,
        say(axis.name),
        tuple(_item(item, say) for item in axis.items),
        say(axis.description or "") or None,
        tuple((code, say(text)) for code, text in axis.explanations if say(text)),
    )


def _item(item: Item, say: Translate) -> Item:
    added = say(item.added or "") or None
    return replace(item, name=say(item.name), unit=_unit(item.unit, say), added=added)


def _unit(unit: str | None, say: Translate) -> str | None:
    return say(unit or "") or None
