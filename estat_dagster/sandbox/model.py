"""What a statistical table is: its facts, its axes, its symbols and its cells.

How any of it looks in an answer belongs to `wire` and to the functions of the API; which tables there are, to `tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

Wire = dict[str, Any]
"""A part of an answer: what JSON can hold, and `wire.Fragment`."""


@dataclass(frozen=True)
class Item:
    """One code of an axis (CLASS). `parent` may name a code that the axis does not have, as on e-Stat itself."""

    code: str
    name: str
    level: str = "1"
    unit: str | None = None
    parent: str | None = None
    added: str | None = None


@dataclass(frozen=True)
class Axis:
    """One axis (CLASS_OBJ): `id` is tab, cat01 ... cat15, area or time; `explanations` are pairs of code and text."""

    id: str
    name: str
    items: tuple[Item, ...]
    description: str | None = None
    explanations: tuple[tuple[str, str], ...] = ()


class Cell(NamedTuple):
    """One record (VALUE): a code for each axis of the table, in its order; the value as text; unit; footnote sign."""

    codes: tuple[str, ...]
    value: str
    unit: str | None = None
    annotation: str | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """One table of the sandbox, unchangeable: a changed table is another one with the same id.

    Args:
        facts: TABLE_INF as answers show it. An OVERALL_TOTAL_NUMBER of None stands for the number of cells.
        axes: the axes in the order of the answer.
        produce: makes the cells, in the order of the answer, when they are first asked for.
        notes: (symbol, meaning) for the symbols that stand for a value (NOTE).
        annotations: (sign, text) for the footnotes of cells (ANNOTATION).
        glossary: English for texts of the table (`lang=E`). Texts that it lacks have no English.
    """

    facts: Wire
    axes: tuple[Axis, ...]
    produce: Callable[[], Iterable[Cell]]
    notes: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    glossary: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The statsDataId, ten digits."""
        return str(self.facts["@id"])

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All records."""
        return tuple(self.produce())

    @cached_property
    def table_inf(self) -> Wire:
        """TABLE_INF with its total counted."""
        if self.facts["OVERALL_TOTAL_NUMBER"] is not None:
            return self.facts
        return {**self.facts, "OVERALL_TOTAL_NUMBER": len(self.cells)}

    def revised(self, *, updated: str | None = None, cells: Iterable[Cell] | None = None) -> Table:
        """Return the table as a later release would bring it: another UPDATED_DATE (yyyy-mm-dd), other cells."""
        facts = self.facts if updated is None else {**self.facts, "UPDATED_DATE": updated}
        kept = self.cells if cells is None else tuple(cells)
        return replace(self, facts=facts, produce=lambda: kept)
