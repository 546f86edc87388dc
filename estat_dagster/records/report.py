"""The quality of a dataset for people: what came, what is good, and what to look at, as Markdown.

It reads what the steps keep beside the staged rows: the mapping's oddities and the validation's counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

REMARKS = {
    "unknown_codes": "Codes that CLASS_INF does not name",
    "dangling_parents": "Classes whose parent is not on their axis",
    "repeated_classes": "Axes that CLASS_INF has twice, and codes that it names in two ways (the first name counts)",
    "doubtful_periods": "Time codes that are unknown or differ from their names",
    "unexplained_symbols": "Symbols that NOTE does not explain",
    "unknown_attributes": "Attributes of cells that belong to no axis",
    "mixed_units": "Measures (tab, category and axes with units) whose cells have different units",
}
MOST = 10
SHOWN = (
    "source_page",
    "source_position",
    "tab_code",
    "category_code",
    "region_code",
    "time_code",
    "value",
    "value_text",
)


def shares(validation: Mapping[str, Any]) -> dict[str, int]:
    """Return where the rows of a validation went, as kind -> rows, which together are the rows that came."""
    return {
        "a number": validation["valid"] - validation["nulls"],
        **{f"no number: {reason}": rows for reason, rows in validation["missing_reasons"].items()},
        "no number: a text that NOTE does not explain": validation["texts"],
        **{f"quarantined: {reason}": rows for reason, rows in validation["quarantined_reasons"].items()},
    }


def rates(validation: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of each of these among the rows that came, from 0 to 1; nothing where none came."""
    came = validation["rows_in"]
    return {kind: rows / came for kind, rows in shares(validation).items() if rows}


def to_markdown(mapping: Mapping[str, Any], validation: Mapping[str, Any]) -> str:
    """Return the report of a dataset from what its transformation and its validation found."""
    rows, came = shares(validation), validation["rows_in"]
    counts = [(kind, f"{rows[kind]:,}", f"{rate:.2%}") for kind, rate in rates(validation).items()]
    parts = [
        f"**{came:,} rows came: {validation['valid']:,} are valid, {validation['quarantined']:,} in quarantine.**",
        table(("rows with", "rows", "share"), counts),
    ]
    found = {**mapping, **validation}
    for name, title in REMARKS.items():
        if found.get(name):
            parts.append(f"**{title}: {len(found[name]):,}**\n\n{_items(found[name])}")
    for reason, samples in validation["samples"].items():
        lines = [[row.get(name, "") for name in SHOWN] for row in samples]
        parts.append(f"**In quarantine, for example: {text(reason)}**\n\n{table(SHOWN, lines)}")
    return "\n\n".join(parts)


def table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as a Markdown table."""
    lines = [names, ["---"] * len(names), *([text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(cell: Any) -> str:
    """Return a cell as text that stays in its place in a Markdown table, whatever the data hold."""
    words = "" if cell is None else f"{cell:,.10g}" if isinstance(cell, float) else str(cell)
    plain = "".join(char if char.isprintable() else " " for char in words)
    return "".join(f"\\{char}" if char in "\\|*_`[]<>#" else char for char in plain)


def _items(found: Mapping[str, Any]) -> str:
    shown = [f"- {text(name)}: {_of(detail)}" for name, detail in list(found.items())[:MOST]]
    return "\n".join([*shown, *([f"- and {len(found) - MOST:,} more"] if len(found) > MOST else [])])


def _of(detail: Any) -> str:
    return f"{detail:,} rows" if isinstance(detail, int) else ", ".join(text(part or "(none)") for part in detail)
