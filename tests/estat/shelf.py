"""Tables for the sandbox that differ in what a list says of them."""

from __future__ import annotations

from typing import Any

from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.tables.facts import Survey, Title, facts

CENSUS = Survey("00200521", "国勢調査", "00200", "総務省")
WAGES = Survey("00450091", "賃金構造基本統計調査", "00450", "厚生労働省")


def shelf_table(
    table_id: str,
    title: str = "人口",
    *,
    survey: Survey = CENSUS,
    field: str = "0201",
    cycle: str = "年次",
    updated: str = "2024-05-01",
    records: int | None = 1,
    area: str = "都道府県",
    survey_date: str = "0",
    statistics: str = "",
    item: str = "全国",
    small_area: int = 0,
) -> Table:
    """Return a table of one cell."""
    inf: dict[str, Any] = facts(
        table_id,
        Title(title),
        survey=survey,
        categories=(statistics or survey.name,),
        field=field,
        cycle=cycle,
        opened="2020-01-01",
        updated=updated,
        collect_area=area,
        survey_date=survey_date,
        total=records,
    )
    axes = (Axis("area", "地域", (Item("00000", item),)),)
    return Table({**inf, "SMALL_AREA": small_area}, axes, lambda: [Cell(("00000",), "1")])
