"""The contract of both engines as text: queries, expressions, and what Athena answers to them.

`queries.txt` holds blocks: the SQL, then a line `> ` with the types of the columns, then a line of JSON for each row.
`expressions.txt` holds one expression a line, with its type and value: `substr('abc', 2) > varchar "bc"`.
`# ` begins a heading. In SQL, `{population_data 2}` stands for the id of that table's second snapshot, and
`{population_data 2 time}` for its moment; in JSON, dates, decimals and the like are their texts, maps lists of pairs.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyiceberg.catalog import Catalog

_FOLDER = Path(__file__).parent / "contract"
_SNAPSHOT = re.compile(r"\{(\w+) (\d+)( time)?\}")


@dataclass(frozen=True)
class Case:
    """One query and its answer: types of the columns in Athena's words, rows as `plain` writes them."""

    sql: str
    types: list[str]
    rows: list[list[Any]]


def queries() -> list[Case]:
    """Return the cases of `queries.txt`."""
    return [_case(block) for block in re.split(r"\n{2,}", _text("queries"))]


def expressions() -> list[Case]:
    """Return the cases of `expressions.txt`, each the SELECT of one expression."""
    cases = []
    for line in _text("expressions").splitlines():
        expression, _, answer = line.rpartition(" > ")
        kind, _, value = answer.partition(" | ")
        cases.append(Case(f"SELECT {expression}", [kind], [[json.loads(value)]]))
    return cases


def at_snapshots(sql: str, catalog: Catalog, namespace: str) -> str:
    """Return the SQL with the snapshots of a lake in their places."""

    def snapshot(match: re.Match[str]) -> str:
        found = catalog.load_table((namespace, match[1])).metadata.snapshots[int(match[2]) - 1]
        moment = dt.datetime.fromtimestamp(found.timestamp_ms / 1000, dt.UTC)
        return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f} UTC'" if match[3] else str(found.snapshot_id)

    return _SNAPSHOT.sub(snapshot, sql)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: its text where it is no number, truth value, list or NULL."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        case Decimal():
            return str(value)
        case dt.datetime():
            return _moment(value)
        case bytes():
            return value.hex()
        case Mapping():
            return sorted(([plain(key), plain(one)] for key, one in value.items()), key=repr)
        case Sequence():
            return [plain(one) for one in value]
        case _:
            return str(value)


def same(one: Any, other: Any) -> bool:
    """Say whether two values of `plain` are equal; doubles may differ in their last digits."""
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def _moment(value: dt.datetime) -> str:
    in_utc = value.astimezone(dt.UTC) if value.tzinfo else value
    return f"{in_utc:%Y-%m-%d %H:%M:%S.%f}" + (" UTC" if value.tzinfo else "")


def _text(name: str) -> str:
    lines = (_FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("# ")).strip()


def _case(block: str) -> Case:
    sql, _, answer = f"{block}\n".partition("\n> ")
    types, _, rows = answer.partition("\n")
    return Case(sql, types.split(" | "), [json.loads(row) for row in rows.splitlines()])
