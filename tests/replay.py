"""Real answers of getStatsData as tables of the sandbox, so that they come through HTTP again.

`real_document` reads one of the samples beside the checkout; a test that needs one skips, with a reason, without it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from estat_dagster.sandbox.model import Axis, Cell, Item, Table

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "estat-samples"

WHOLE_TABLES = (
    "getStatsData_ssds_prefecture_A1101.json",
    "getStatsData_ssds_municipality_B_limit10.json",
    "getStatsData_lfs_monthly_202401.json",
    "getStatsData_wages2020_wire_style.json",
    "derived_getStatsData_gdp_quarterly_0003109741.json",
)
"""The samples of getStatsData. The municipalities' is one page of many; its ten records are taken for a whole table."""


def real_text(name: str) -> str:
    """Return a sample as it is, or skip the test."""
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"no sample {name}: the folder {SAMPLES} is not here")
    return path.read_text("utf-8")


def real_document(name: str) -> dict[str, Any]:
    """Return a sample as parsed JSON, or skip the test."""
    document: dict[str, Any] = json.loads(real_text(name))
    return document


def table_from_document(document: dict[str, Any]) -> Table:
    """Return the table that an answer of getStatsData shows: served again, it gives the same answer."""
    data = document["GET_STATS_DATA"]["STATISTICAL_DATA"]
    axes = tuple(_axis(part) for part in as_list(data["CLASS_INF"]["CLASS_OBJ"]))
    cells = [_cell(value, axes) for value in as_list(data["DATA_INF"]["VALUE"])]
    return Table(
        facts=data["TABLE_INF"],
        axes=axes,
        produce=lambda: cells,
        notes=tuple((note["@char"], note["$"]) for note in as_list(data["DATA_INF"].get("NOTE"))),
        annotations=tuple((note["@annotation"], note["$"]) for note in as_list(data["DATA_INF"].get("ANNOTATION"))),
    )


def as_list(part: Any) -> list[Any]:
    """Return a part that may be a list, a single object or absent as a list."""
    if part is None:
        return []
    return part if isinstance(part, list) else [part]


def _axis(part: dict[str, Any]) -> Axis:
    explanations = tuple((text["@id"], text["$"]) for text in as_list(part.get("EXPLANATION")))
    items = tuple(_item(item) for item in as_list(part["CLASS"]))
    return Axis(part["@id"], part["@name"], items, part.get("@description"), explanations)


def _item(part: dict[str, str]) -> Item:
    optional = (part.get(name) for name in ("@unit", "@parentCode", "@addInf"))
    return Item(part["@code"], part["@name"], part["@level"], *optional)


def _cell(value: dict[str, str], axes: tuple[Axis, ...]) -> Cell:
    codes = tuple(value[f"@{axis.id}"] for axis in axes)
    return Cell(codes, value["$"], value.get("@unit"), value.get("@annotation"))
