"""The table of the domain health: 9900000007."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.tables.axes import axis, items, nation_and_prefectures, years
from estat_dagster.sandbox.tables.cells import Codes, draw, grid
from estat_dagster.sandbox.tables.facts import Title, generated, made_up

TABLE_ID = "9900000007"
_CHANGED, _PARTLY = "J1", "J2"


def tables() -> list[Table]:
    """Return the table: footnotes on cells, diseases whose parents are no items, symbols, rates with decimals."""
    diseases = (
        *items("A15 結核", level="3", parent="A00-B99"),
        *items("C16 胃の悪性新生物＜腫瘍＞,C34 肺の悪性新生物＜腫瘍＞", level="3", parent="C00-D48"),
        *items("E11 2型糖尿病", level="3", parent="E00-E90"),
    )
    axes = (
        axis("tab", "表章項目", [Item("1", "患者数", unit="千人"), Item("2", "受療率", unit="人口10万対")]),
        axis("cat01", "傷病分類", (Item("000", "総数"), *diseases)),
        axis("cat02", "施設の種類", items("1 総数,2 病院,3 一般診療所,4 歯科診療所")),
        axis("area", "都道府県", nation_and_prefectures()),
        axis("time", "時間軸（年次）", years((2017, 2020))),
    )
    inf = generated(
        TABLE_ID,
        Title("傷病分類，施設の種類別患者数及び受療率－都道府県", number="25"),
        survey=made_up("007", "患者の調査"),
        field="1504",
        cycle="-",
        collect_area="都道府県",
        survey_date="202010",
    )
    notes = (("-", "計数のない場合"), ("…", "計数不明又は計数を表章することが不適当な場合"))
    footnotes = ((_CHANGED, "2020年は調査の方法を変更した。"), (_PARTLY, "一部の地域を除く。"))
    return [Table(inf, axes, lambda: _cells(axes), notes, footnotes)]


def _cells(axes: tuple[Axis, ...]) -> Iterator[Cell]:
    """Dentists treat none of the single diseases; Fukushima's figures of 2017 leave out a part of it."""
    source = draw(TABLE_ID)
    values: dict[Codes, object] = {}
    signs: dict[Codes, str] = {}
    for codes in product(*([item.code for item in each.items] for each in axes)):
        _, disease, facility, area, time = codes
        values[codes] = f"{300 * source.random():.1f}"
        if facility == "4" and disease != "000":
            values[codes] = "-"
        elif facility == "3" and disease == "A15":
            values[codes] = "…"
        if time == "2020000000":
            signs[codes] = _CHANGED
        elif area == "07000":
            signs[codes] = _PARTLY
    return grid(axes, values, signs)
