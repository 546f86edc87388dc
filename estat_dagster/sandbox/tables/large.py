"""The large table 9900000014: 250,000 records, which need three pages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.tables.axes import PREFECTURE_NAMES, axis, items, years
from estat_dagster.sandbox.tables.cells import draw
from estat_dagster.sandbox.tables.facts import Title, generated, made_up

TABLE_ID = "9900000014"
MUNICIPALITIES = 1_000
YEARS = range(1999, 2024)
_PERSONS = "01 出生数,02 死亡数,05 転入者数,06 転出者数,08 外国人住民数,09 15歳未満人口,10 65歳以上人口"
_COUPLES = "03 婚姻件数,04 離婚件数"
_HOUSEHOLDS = "07 世帯数"


def tables() -> list[Table]:
    """Return the table: 10 measures of 1,000 municipalities in 25 years, one record for each, all of them numbers."""
    measures = (*items(_PERSONS, unit="人"), *items(_COUPLES, unit="組"), *items(_HOUSEHOLDS, unit="世帯"))
    axes = (
        axis("tab", "表章項目", items("001 実数")),
        axis("cat01", "人口動態の項目", sorted(measures, key=lambda item: item.code)),
        axis("area", "市区町村", _municipalities()),
        axis("time", "時間軸（年次）", years(YEARS)),
    )
    inf = generated(
        TABLE_ID,
        Title("人口動態の項目別実数－市区町村", number="25-1"),
        survey=made_up("014", "人口動態の調査"),
        field="0203",
        collect_area="市区町村",
        total=10 * MUNICIPALITIES * len(YEARS),
    )
    return [Table(inf, axes, lambda: _cells(axes), (("-", "該当数値がないもの"),))]


def _cells(axes: tuple[Axis, ...]) -> Iterator[Cell]:
    source, (tab, measures, areas, times) = draw(TABLE_ID), (each.items for each in axes)
    for measure, area, time in product(measures, areas, times):
        yield Cell((tab[0].code, measure.code, area.code, time.code), str(int(5_000 * source.random())), measure.unit)


def _municipalities() -> list[Item]:
    """Return 21 or 22 for each prefecture, with codes from PP801 on, where no real ones are. No parent is an item."""
    return [
        Item(f"{number:02d}{800 + order}", f"{name} 生成市{order:02d}", "2", parent=f"{number:02d}000")
        for number, name in enumerate(PREFECTURE_NAMES, start=1)
        for order in range(1, 22 + (number <= MUNICIPALITIES % 47))
    ]
