"""Tables of the domain economy: 0003109741 (published figures), 9900000004, 9900000005."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from estat_dagster.sandbox.model import Cell, Item, Table
from estat_dagster.sandbox.tables.axes import NATION, axis, fiscal_years, half_years, items, months, quarters, years
from estat_dagster.sandbox.tables.cells import Codes, carried, draw, grid
from estat_dagster.sandbox.tables.facts import Survey, Title, facts, generated, made_up


def tables() -> list[Table]:
    """Return the tables of this module."""
    return [_gdp(), _price_index(), _business_conditions()]


def _gdp() -> Table:
    """Quarters whose parents, half-years, are no items; no area axis; a title without a number."""
    table_id = "0003109741"
    expenditures = (
        "11 国内総生産(支出側),12 民間最終消費支出,15 民間住宅,16 民間企業設備,18 政府最終消費支出,19 公的固定資本形成,"
        "22 財貨・サービス_輸出,23 財貨・サービス_輸入"
    )
    times = [
        Item(item.code, item.name, "3", parent=f"{item.code[:4]}0{1 if item.code < f'{item.code[:4]}0005' else 2}0000")
        for item in quarters(range(2015, 2023))[:30]
    ]
    axes = (
        axis("tab", "表章項目", [Item("11", "金額", level="", unit="10億円")]),
        axis("cat01", "国内総生産_名目原系列", items(expenditures)),
        axis("time", "時間軸（四半期）", times),
    )

    def cells() -> Iterator[Cell]:
        return grid(axes, {("11", cat01, time): value for (time, cat01), value in carried(table_id).items()})

    inf = facts(
        table_id,
        Title("名目原系列（1994年1Q～）", category="国内総生産（支出側）及び各需要項目", sub_category="2015暦年基準"),
        survey=Survey("00100409", "国民経済計算", "00100", "内閣府"),
        categories=("四半期別ＧＤＰ速報",),
        field="0705",
        cycle="四半期",
        survey_date="202204-202206",
        opened="2022-09-08",
        updated="2022-09-16",
        collect_area="該当なし",
    )
    return Table(inf, axes, cells, (("***", "数字が得られないもの"), ("-", "数字が得られないもの")))


def _price_index() -> Table:
    """Calendar years, fiscal years, quarters and months in one axis; decimals; negative rates; `-` for some."""
    table_id = "9900000004"
    three = range(2020, 2023)
    axes = (
        axis("tab", "表章項目", [Item("1", "指数"), Item("3", "前年比", unit="％")]),
        axis("cat01", "品目", items("0001 総合,0002 食料,0045 住居,0161 生鮮食品を除く総合")),
        axis("area", "地域", (NATION, Item("13100", "東京都区部", "2"))),
        axis(
            "time",
            "時間軸（年・年度・四半期・月）",
            (
                *years(three),
                *fiscal_years((2020, 2021)),
                *quarters((2021, 2022), level="2"),
                *months((2021, 2022), level="3", in_quarters=True),
            ),
        ),
    )

    def cells() -> Iterator[Cell]:
        source, values = draw(table_id), dict[Codes, object]()
        codes = [[item.code for item in each.items] for each in axes[1:]]
        for good, area, time in product(*codes):
            values["1", good, area, time] = f"{98 + 8 * source.random():.1f}"
            values["3", good, area, time] = "-" if time.startswith("2020") else f"{5 * source.random() - 2:.1f}"
        return grid(axes, values)

    inf = generated(
        table_id,
        Title("品目別価格指数－全国，東京都区部", number="1-1"),
        survey=made_up("004", "物価の調査"),
        field="0703",
        cycle="月次",
    )
    return Table(inf, axes, cells, (("-", "該当数値なし"),))


def _business_conditions() -> Table:
    """Half-years, industries at two levels, whole numbers of both signs, no area axis though the table is of 全国."""
    table_id = "9900000005"
    axes = (
        axis("tab", "表章項目", items("10 業況判断指数", unit="％ポイント")),
        axis("cat01", "産業", (Item("000", "全産業"), *items("100 製造業,200 非製造業", level="2", parent="000"))),
        axis("cat02", "企業規模", items("1 大企業,2 中堅企業,3 中小企業")),
        axis("time", "時間軸（半期）", half_years(range(2018, 2024))),
    )

    def cells() -> Iterator[Cell]:
        source = draw(table_id)
        codes = product(*([item.code for item in each.items] for each in axes))
        return grid(axes, {each: round(60 * source.random() - 35) for each in codes})

    inf = generated(
        table_id,
        Title("産業，企業規模別業況判断"),
        survey=made_up("005", "企業の景況の調査"),
        field="0701",
        cycle="半期",
    )
    return Table(inf, axes, cells, (("-", "該当数値なし"),))
