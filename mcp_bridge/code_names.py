"""Japanese names beside codes: what the codes of a result mean where the query did not ask for their names."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from mcp_bridge.origins import DIMENSIONS, scan

if TYPE_CHECKING:
    from estat_dagster.lake.iceberg import IcebergTableManager

_AXES = {"region_code": ("area",), "category_code": ("cat01", "tab"), "time_code": ("time",), "tab_code": ("tab",)}
_EXTRA = re.compile(r"(cat\d\d)_code", re.ASCII)
_BETWEEN = " / "

Names = dict[str, dict[str, str]]


def names_of_codes(
    tables: IcebergTableManager, columns: Sequence[str], rows: Sequence[Sequence[Any]], dataset_ids: Collection[str]
) -> Names:
    """Return the names of the codes in columns such as `region_code` that stand there without their names.

    Returns:
        Column -> code -> name; names that datasets do not agree on stand side by side.
    """
    codes = {
        name: {row[place] for row in rows if isinstance(row[place], str)}
        for place, name in enumerate(columns)
        if axes_of(name) and name.replace("_code", "_name") not in columns
    }
    wanted = {"dataset_id": set(dataset_ids), "code": set().union(*codes.values())}
    if not all(wanted.values()) or DIMENSIONS not in tables.names():
        return {}
    known = scan(tables, DIMENSIONS, wanted, ("axis_id", "code", "name")).to_pylist()
    return {name: found for name, held in codes.items() if (found := _named(held, axes_of(name), known))}


def axes_of(column: str) -> tuple[str, ...]:
    """Return the axes that a column of codes can be from, the first that has the code counts."""
    extra = _EXTRA.fullmatch(column)
    return (extra[1],) if extra else _AXES.get(column, ())


def _named(codes: set[str], axes: Sequence[str], known: Sequence[dict[str, Any]]) -> dict[str, str]:
    named: dict[str, str] = {}
    for code in sorted(codes):
        for axis in axes:
            found = dict.fromkeys(row["name"] for row in known if (row["axis_id"], row["code"]) == (axis, code))
            if names := [name for name in found if name]:
                named[code] = _BETWEEN.join(names)
                break
    return named
