"""What a reader handed over, held against the truth: cell by cell, in the plainest way there is.

Nothing here is shared with the project's own reading of e-Stat.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.peers.table import AXES, FOOTNOTE, MARK, SYMBOLS, Fact

Columns = Mapping[str, Sequence[Any]]

RIGHT, AS_TEXT = "right", "as text"
DROPPED, INVENTED, CHANGED, ABSENT = "dropped", "invented", "changed", "row absent"
WRONG = (DROPPED, INVENTED, CHANGED, ABSENT)
SYMBOL_KINDS = frozenset(kind.name for kind in SYMBOLS)


@dataclass
class Kept:
    """How many of the cells that have something (a label, a unit ...) still have it; `offered` where a column is."""

    offered: bool = False
    of: int = 0
    kept: int = 0

    def count(self, kept: bool) -> None:
        self.of += 1
        self.kept += kept


@dataclass
class Comparison:
    """Verdicts on values by kind of cell, what was kept of the rest, and codes that lost the zeros they start with."""

    rows: int = 0
    surplus_rows: int = 0
    verdicts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    kept: dict[str, Kept] = field(default_factory=lambda: defaultdict(Kept))
    zeros_lost: int = 0

    def count(self, *verdicts: str) -> int:
        """Return the number of cells with one of these verdicts."""
        return sum(counts[verdict] for counts in self.verdicts.values() for verdict in verdicts)

    @property
    def wrong(self) -> int:
        """The number of cells whose value is not the table's."""
        return self.count(*WRONG)


def unpack(cells: Mapping[str, Mapping[str, list[Any]]]) -> dict[str, list[Any]]:
    """Return the columns that a driver packed."""
    return {name: [column["distinct"][at] for at in column["at"]] for name, column in cells.items()}


def compare(facts: Sequence[Fact], columns: Columns) -> Comparison:
    """Compare every cell of the truth with what was handed over."""
    rows = max((len(column) for column in columns.values()), default=0)
    found = Comparison(rows=rows)
    for name, offered in _offers(columns).items():
        found.kept[name].offered = offered
    places = _places(facts, columns, rows)
    found.surplus_rows = rows - len({place for place in places if place is not None})
    for fact, place in zip(facts, places, strict=True):
        if place is None:
            found.verdicts[fact.kind][ABSENT] += 1
            continue
        row = {name: column[place] for name, column in columns.items()}
        found.verdicts[fact.kind][judge(fact, row)] += 1
        _count_kept(found, fact, row)
    return found


def judge(fact: Fact, row: Mapping[str, Any]) -> str:
    """Return the verdict on a cell's value.

    A number that is still a text, or a symbol that is still itself, is `as text`: the work is left, nothing is lost.
    """
    value = row.get("value")
    if value is None:
        gone = fact.value is not None or (fact.kind not in SYMBOL_KINDS and row.get("text") != fact.text)
        return DROPPED if gone else RIGHT
    if isinstance(value, str):
        if value == fact.text:
            return AS_TEXT if fact.value is not None or fact.kind in SYMBOL_KINDS else RIGHT
        return AS_TEXT if fact.value is not None and _number(value) == fact.value else CHANGED
    if fact.value is None:
        return INVENTED
    return RIGHT if value == fact.value else CHANGED


def _number(words: str) -> float | None:
    try:
        return float(words)
    except ValueError:
        return None


def _offers(columns: Columns) -> dict[str, bool]:
    def has(name: str) -> bool:
        return name in columns

    return {
        **{f"{axis} code": has(f"{axis}_code") for axis in AXES},
        **{f"{axis} label": has(f"{axis}_name") for axis in AXES},
        "unit": has("unit"),
        "symbol": True,
        "meaning": has("reason"),
        "footnote": has("annotation"),
        "footnote sign": has("annotation"),
    }


def _count_kept(found: Comparison, fact: Fact, row: Mapping[str, Any]) -> None:
    for axis, code, name in zip(AXES, fact.codes, fact.names, strict=True):
        found.kept[f"{axis} code"].count(row.get(f"{axis}_code") == code)
        found.kept[f"{axis} label"].count(row.get(f"{axis}_name") == name)
    found.zeros_lost += any(_lost_zeros(c, row.get(f"{axis}_code")) for axis, c in zip(AXES, fact.codes, strict=True))
    if fact.unit:
        found.kept["unit"].count(row.get("unit") == fact.unit)
    if fact.kind in SYMBOL_KINDS:
        found.kept["symbol"].count(fact.text in (row.get("value"), row.get("text")))
    if fact.reason:
        found.kept["meaning"].count(row.get("reason") == fact.reason)
    if fact.annotation:
        found.kept["footnote"].count(row.get("annotation") == FOOTNOTE)
        found.kept["footnote sign"].count(row.get("annotation") in (MARK, FOOTNOTE))


def _lost_zeros(code: str, got: Any) -> bool:
    return got is not None and str(got) != code and str(got).split(".")[0] == code.lstrip("0")


def _places(facts: Sequence[Fact], columns: Columns, rows: int) -> list[int | None]:
    """Return for each fact the row that holds it: found by codes, else by labels, else by the order of the answer."""
    for ending, coordinates in (("code", [fact.codes for fact in facts]), ("name", [fact.names for fact in facts])):
        offered = [at for at, axis in enumerate(AXES) if f"{axis}_{ending}" in columns]
        truths = [tuple(each[at] for at in offered) for each in coordinates]
        if len(set(truths)) == len(truths):
            held = zip(*(columns[f"{AXES[at]}_{ending}"] for at in offered), strict=True)
            place_of = {key: place for place, key in enumerate(held)}
            if any(truth in place_of for truth in truths):
                return [place_of.get(truth) for truth in truths]
    return [place if place < rows else None for place in range(len(facts))]
