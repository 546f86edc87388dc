"""Totals against their parts: does a parent's value equal the sum of its children's, along one axis at a time.

Only complete families are compared: every child that CLASS_INF names is there with a number and the parent's unit. What
does not add up by nature (rates, means, indices) is left out by its words. A difference is a remark, never a rejection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from estat_dagster.estat.models import Axis, Metadata
from estat_dagster.measures import NOT_ADDITIVE, NOT_ADDITIVE_UNITS
from estat_dagster.records.order import coordinate_columns
from estat_dagster.records.quality import SAMPLES

MEMORY = "1GB"


@dataclass
class Reconciliation:
    """How many families were compared, how many differ by more than rounding, and a few of those."""

    compared: int = 0
    differing: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)


def reconcile_totals(frames: Iterable[pa.Table], metadata: Metadata, columns: list[str]) -> Reconciliation:
    """Compare parents with their children on every axis that has both."""
    result = Reconciliation()
    families = {axis.id: _families(axis) for axis in metadata.axes}
    if not any(families.values()):
        return result
    coordinates = coordinate_columns(columns)
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        _load(connection, frames, coordinates)
        for axis_id, members in families.items():
            column = _column(axis_id, metadata)
            if members and column in coordinates:
                own = (column, f"{axis_id}_code")  # without cat01 the category repeats the measure
                _compare(connection, members, column, [name for name in coordinates if name not in own], result)
    return result


def _families(axis: Axis) -> list[tuple[str, str, int]]:
    """Return (child, parent, number of the parent's children) where the parent is on the axis too."""
    codes = {item.code for item in axis.classes}
    children: dict[str, list[str]] = defaultdict(list)
    for item in axis.classes:
        if item.parent_code in codes and item.parent_code != item.code:
            children[item.parent_code or ""].append(item.code)
    return [(child, parent, len(members)) for parent, members in children.items() for child in members]


def _column(axis_id: str, metadata: Metadata) -> str:
    if axis_id == "cat01" or (axis_id == "tab" and metadata.axis("cat01") is None):
        return "category_code"
    return {"area": "region_code"}.get(axis_id, f"{axis_id}_code")


def _load(connection: duckdb.DuckDBPyConnection, frames: Iterable[pa.Table], coordinates: list[str]) -> None:
    needed = [*coordinates, "value", "unit", "tab_name", "category_name"]
    for number, frame in enumerate(frames):
        names = ", ".join(
            f'"{name}"' if name in frame.column_names else f'CAST(NULL AS VARCHAR) AS "{name}"' for name in needed
        )
        connection.register("frame", frame)
        verb = "INSERT INTO cells" if number else "CREATE TEMP TABLE cells AS"
        connection.execute(
            f"{verb} SELECT {names} FROM frame "  # noqa: S608
            f"WHERE NOT regexp_matches(concat_ws(' ', unit, tab_name, category_name), '{NOT_ADDITIVE}') "
            f"AND NOT coalesce(regexp_matches(unit, '{NOT_ADDITIVE_UNITS}'), false)"
        )
        connection.unregister("frame")


def _compare(
    connection: duckdb.DuckDBPyConnection,
    members: list[tuple[str, str, int]],
    column: str,
    others: list[str],
    result: Reconciliation,
) -> None:
    child, parent, size = zip(*members, strict=True)
    connection.register("family", pa.table({"child": child, "parent": parent, "size": size}))
    same = " AND ".join(f'p."{name}" IS NOT DISTINCT FROM s."{name}"' for name in others) or "TRUE"
    keys = "".join(f', c."{name}"' for name in others)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE compared AS
        WITH sums AS (
            SELECT f.parent, c.unit{keys}, any_value(f.size) AS size, count(c.value) AS present, sum(c.value) AS total,
                   max({_decimals("c.value")}) AS decimals
            FROM cells c JOIN family f ON c."{column}" = f.child
            GROUP BY ALL
        )
        SELECT s.parent AS code, p.value AS value, s.total AS total, p.unit AS unit,
               abs(p.value - s.total)
                   > 0.5 * (s.size + 1) * pow(10, -greatest(s.decimals, {_decimals("p.value")})) + 1e-9 * abs(p.value)
                   AS differs
        FROM sums s JOIN cells p ON p."{column}" = s.parent AND p.unit IS NOT DISTINCT FROM s.unit AND {same}
        WHERE s.present = s.size AND p.value IS NOT NULL
        """  # noqa: S608
    )
    connection.unregister("family")
    counts = connection.execute("SELECT count(*), count(*) FILTER (differs) FROM compared").fetchone() or (0, 0)
    result.compared += counts[0]
    result.differing += counts[1]
    worst = "SELECT code, value, total, unit FROM compared WHERE differs ORDER BY abs(value - total) DESC, code LIMIT ?"
    for code, value, total, unit in connection.execute(worst, [SAMPLES - len(result.samples)]).fetchall():
        result.samples.append({"axis": column, "code": code, "value": value, "sum_of_parts": total, "unit": unit})


def _decimals(number: str) -> str:
    """Return SQL for the digits behind the point of a double; `30.0` has none, `1.5e-07` has eight."""
    mantissa, exponent = (f"split_part(CAST({number} AS VARCHAR), 'e', {part})" for part in (1, 2))
    digits = f"length(rtrim(split_part({mantissa}, '.', 2), '0'))"
    return f"greatest(0, {digits} - coalesce(TRY_CAST({exponent} AS INTEGER), 0))"
