"""The results as text, as Markdown for docs/benchmarks.md, and as JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from benchmarks.peers.compare import AS_TEXT, INVENTED, Comparison, Kept
from benchmarks.peers.readers import DOWNLOAD, OURS
from benchmarks.peers.runs import Result
from benchmarks.peers.table import AXES, KINDS

Rows = list[list[str]]
LOST = "lost"


def speed(results: Sequence[Result], records: int) -> Rows:
    """Return the table of speeds, the fastest first."""
    ours = next((min(r.seconds) for r in results if r.reader.name == OURS and r.seconds), None)
    rows = [["reader", "takes", "seconds, best", "all runs", "rows/s", "CPU s", "peak MB", "time of ours"]]
    for result in sorted((r for r in results if r.seconds), key=lambda r: min(r.seconds)):
        best = min(result.seconds)
        rows.append(
            [
                result.reader.name,
                result.reader.takes,
                f"{best:.2f}",
                " ".join(f"{seconds:.2f}" for seconds in result.seconds),
                f"{records / best:,.0f}",
                f"{min(result.cpu):.2f}",
                f"{result.peak_mb:,.0f}",
                f"× {best / ours:.1f}" if ours else "",
            ]
        )
    return rows


def losses(results: Sequence[Result]) -> Rows:
    """Return the table of what each reader keeps of the cells."""
    rows = [["reader", "cells wrong", "values left as text", *_KEPT]]
    for result in results:
        if found := result.comparison:
            wrong = f"{found.wrong:,}"
            wrong += f" ({found.count(INVENTED):,} invented)" if found.count(INVENTED) else ""
            wrong += f", {found.surplus_rows:,} rows too many" if found.surplus_rows else ""
            rows.append(
                [result.reader.name, wrong, f"{found.count(AS_TEXT):,}", *(say(found) for say in _KEPT.values())]
            )
    return rows


def wrong_by_kind(results: Sequence[Result]) -> Rows:
    """Return, for each kind of cell, how many there are and what becomes of those that a reader gets wrong."""
    compared = [(r.reader.name, r.comparison) for r in results if r.comparison]
    rows = [["cells", "there are", *(name for name, found in compared if found.wrong)]]
    for kind in KINDS if compared else ():
        there_are = compared[0][1].verdicts[kind].total()
        rows.append([kind, f"{there_are:,}", *(_wrong(found, kind) for _, found in compared if found.wrong)])
    return rows


def _wrong(found: Comparison, kind: str) -> str:
    verdicts = {verdict: n for verdict, n in found.verdicts[kind].items() if verdict not in ("right", AS_TEXT)}
    return ", ".join(f"{n:,} {verdict}" for verdict, n in verdicts.items()) or "0"


def _axes(found: Comparison, what: str) -> str:
    lost = [axis for axis in AXES if not found.kept[f"{axis} {what}"].offered]
    damaged = [f"{axis} {_share(found.kept[f'{axis} {what}'])}" for axis in AXES if axis not in lost]
    parts = [f"{LOST}: {', '.join(lost)}" if len(lost) < len(AXES) else LOST] if lost else []
    parts += [part for part in damaged if not part.endswith("kept")]
    parts += [f"zeros lost in {found.zeros_lost:,}"] if what == "code" and found.zeros_lost else []
    return "; ".join(parts) or "kept"


def _share(kept: Kept) -> str:
    if not kept.offered or not kept.kept:
        return LOST
    return "kept" if kept.kept == kept.of else f"{LOST} in {kept.of - kept.kept:,}"


def _footnotes(found: Comparison) -> str:
    text, sign = found.kept["footnote"], found.kept["footnote sign"]
    return "kept" if _share(text) == "kept" else f"sign only, text {LOST}" if _share(sign) == "kept" else LOST


_KEPT = {
    "codes": lambda found: _axes(found, "code"),
    "labels": lambda found: _axes(found, "label"),
    "units": lambda found: _share(found.kept["unit"]),
    "symbols": lambda found: _share(found.kept["symbol"]),
    "what they mean": lambda found: _share(found.kept["meaning"]),
    "footnotes": _footnotes,
}


def environment(results: Sequence[Result]) -> Rows:
    """Return the versions that ran, and what was said of the running."""
    rows = [["reader", "Python", "versions", "remarks"]]
    for result in results:
        if result.reader.name != DOWNLOAD:
            versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
            remarks = [f"not run: {result.failure}"] if result.failure else result.remarks
            rows.append([result.reader.name, result.python, versions, "; ".join(remarks)])
    return rows


def markdown(rows: Rows) -> str:
    """Return rows as a Markdown table, the first as its head, with the losses in bold."""
    head, *rest = [[re.sub(r"\blost\b", "**lost**", re.sub(r"([|*])", r"\\\1", cell)) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rest])


def as_json(result: Result, records: int) -> dict[str, Any]:
    """Return what was measured of a reader as JSON."""
    found = result.comparison
    return {
        "name": result.reader.name,
        "takes": result.reader.takes,
        "failure": result.failure or None,
        "seconds": result.seconds,
        "rows_per_second": records / min(result.seconds) if result.seconds else None,
        "cpu_seconds": result.cpu,
        "peak_mb": result.peak_mb,
        "python": result.python,
        "versions": result.versions,
        "remarks": result.remarks,
        "cells_wrong": found.wrong if found else None,
        "surplus_rows": found.surplus_rows if found else None,
        "verdicts": {kind: dict(counts) for kind, counts in found.verdicts.items()} if found else None,
        "kept": {name: [kept.kept, kept.of] if kept.offered else None for name, kept in found.kept.items()}
        if found
        else None,
    }
