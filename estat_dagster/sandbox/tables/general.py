"""Tables of the domain general, each of a rare shape: 9900000008 to 9900000013."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.tables.axes import axis, items, nation_and_prefectures, prefectures, years
from estat_dagster.sandbox.tables.cells import Codes, all_into, draw, grid, with_totals
from estat_dagster.sandbox.tables.facts import Title, generated, made_up


def tables() -> list[Table]:
    """Return the tables of this module."""
    return [_manufacturing(), _trade(), _rice_year(), _eleven_digits(), _four_digits(), _single_cell()]


def _manufacturing() -> Table:
    """No tab and no time axis: SURVEY_DATE names the year. Three levels that add up, `X` for some details."""
    table_id = "9900000008"
    middle = items("09 【09】食料品製造業,10 【10】飲料・たばこ・飼料製造業,11 【11】繊維工業", level="2", parent="00")
    small = [
        Item(f"{parent.code}{digit}", f"{parent.name}（細分類{digit}）", "3", parent=parent.code)
        for parent in middle
        for digit in (1, 2)
    ]
    industries = sorted((Item("00", "【00】製造業計"), *middle, *small), key=lambda item: item.code)
    axes = (
        axis("cat01", "産業分類(コード付加)", industries),
        axis("cat02", "集計項目", items("01010 事業所数,01020 出荷額（百万円）", level="2", parent="01000")),
        axis("area", "都道府県", nation_and_prefectures(parent="00000")),
    )

    def cells() -> Iterator[Cell]:
        source, areas = draw(table_id), [item.code for item in prefectures()]
        figures: dict[Codes, int] = {}
        for industry, area in product((item.code for item in small), areas):
            places = 1 + int(60 * source.random())
            figures[industry, "01010", area] = places
            figures[industry, "01020", area] = int(places * (200 + 5_000 * source.random()))
        totals = with_totals(figures, 0, {item.code: (item.code[:2], "00") for item in small})
        totals = with_totals(totals, 2, all_into("00000", areas))
        hidden: dict[Codes, object] = {
            (industry, "01020", area): "X"
            for (industry, measure, area), places in figures.items()
            if measure == "01010" and places <= 2
        }
        return grid(axes, {**totals, **hidden})

    inf = generated(
        table_id,
        Title("産業分類別事業所数及び出荷額－都道府県", number="1-02"),
        survey=made_up("008", "工業の調査"),
        field="0502",
        survey_date="202001-202012",
    )
    return Table(inf, axes, cells, (("X", "秘匿"), ("-", "該当数値なし")))


def _trade() -> Table:
    """Values that are text, the unit of quantity, beside numbers; an area axis of countries; a sparse grid."""
    table_id = "9900000009"
    goods = {"010121000": "ＮＯ", "020130000": "ＫＧ", "870323000": "ＮＯ"}
    axes = (
        axis("tab", "数量・金額", [Item("100", "単位"), Item("110", "数量"), Item("120", "金額", unit="千円")]),
        axis("cat01", "品目", [Item(code, f"'{code[:4]}.{code[4:]}'") for code in goods]),
        axis("area", "国", items("50103 大韓民国,50105 中華人民共和国,50304 アメリカ合衆国")),
        axis("time", "時間軸（年次）", years((2021, 2022, 2023))),
    )

    def cells() -> Iterator[Cell]:
        source, values = draw(table_id), dict[Codes, object]()
        for good, country, time in product(goods, *([item.code for item in each.items] for each in axes[2:])):
            if source.random() < 0.7:
                values["100", good, country, time] = goods[good]
                values["110", good, country, time] = int(5_000 * source.random())
                values["120", good, country, time] = int(900_000 * source.random())
        return grid(axes, values)

    inf = generated(
        table_id,
        Title("品別国別表－輸入"),
        survey=made_up("009", "貿易の調査"),
        field="1601",
        collect_area="該当なし",
    )
    return Table(inf, axes, cells)


def _rice_year() -> Table:
    """Years from October to September under the code of October, beside a real October; no area axis."""
    times = [Item(f"{year}001010", f"{year}年10月～{year + 1}年9月") for year in (2018, 2019, 2020)]
    axes = (
        axis("tab", "表章項目", items("1 需要量", unit="千トン")),
        axis("cat01", "農産物", items("01 米,02 小麦,03 大豆")),
        axis("time", "時間軸", (*times, *items("2021001010 2021年10月,2021001111 2021年11月"))),
    )
    return _plain("9900000010", Title("農産物の需要量"), "食料の調査", "0401", axes)


def _eleven_digits() -> Table:
    """Time codes of eleven digits."""
    axes = (
        axis("tab", "表章項目", items("1 契約数", unit="万件")),
        axis("cat01", "サービスの種類", items("1 固定,2 移動")),
        axis("area", "地域", items("00000 全国")),
        axis("time", "年次", (Item(f"{year}0000000", f"{year}年") for year in range(2019, 2024))),
    )
    return _plain("9900000011", Title("サービスの種類別契約数", number="3"), "通信の調査", "1101", axes)


def _four_digits() -> Table:
    """Time codes of four digits."""
    axes = (
        axis("tab", "表章項目", items("1 住宅数", unit="戸")),
        axis("area", "地域", nation_and_prefectures()),
        axis("time", "年次", items("2018 2018年,2023 2023年")),
    )
    return _plain("9900000012", Title("住宅数－都道府県", number="4"), "住宅の調査", "0801", axes)


def _single_cell() -> Table:
    """One record: every list of the answer is a single object, and the record has a footnote."""
    axes = (
        axis("tab", "表章項目", items("1 施設数", unit="か所")),
        axis("cat01", "施設の種類", items("1 総数")),
        axis("area", "地域", items("00000 全国")),
        axis("time", "時間軸（年次）", items("2020000000 2020年")),
    )
    inf = generated("9900000013", Title("施設数"), survey=made_up("013", "施設の調査"), field="1301", cycle="-")
    cell = Cell(("1", "1", "00000", "2020000000"), "42", "か所", "J1")
    return Table(inf, axes, lambda: (cell,), (("-", "該当数値なし"),), (("J1", "暫定値である。"),))


def _plain(table_id: str, title: Title, survey: str, field: str, axes: tuple[Axis, ...]) -> Table:
    """Return a table with a number in every cell."""

    def cells() -> Iterator[Cell]:
        source = draw(table_id)
        codes = product(*([item.code for item in each.items] for each in axes))
        return grid(axes, {each: int(100 + 9_000 * source.random()) for each in codes})

    inf = generated(table_id, title, survey=made_up(table_id[-3:], survey), field=field)
    return Table(inf, axes, cells, (("-", "該当数値なし"),))
