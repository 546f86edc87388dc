"""Tables of the domain population: 0000010101 (published figures), 9900000002."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from estat_dagster.sandbox.model import Cell, Item, Table
from estat_dagster.sandbox.tables import glossary
from estat_dagster.sandbox.tables.axes import axis, fiscal_years, items, nation_and_prefectures, prefectures, years
from estat_dagster.sandbox.tables.cells import Codes, all_into, carried, draw, grid, with_totals
from estat_dagster.sandbox.tables.facts import Survey, Title, facts, generated, made_up

SSDS = Survey("00200502", "社会・人口統計体系", "00200", "総務省")
SSDS_NOTES = (
    ("***", "調査又は集計していないもの"),
    ("-", "データが得られないもの"),
    ("X", "数値が秘匿されているもの"),
)
OBSERVED = axis("tab", "観測値", items("00001 観測値"))


def tables() -> list[Table]:
    """Return the tables of this module."""
    return [_total_population(), _age_and_sex()]


def _total_population() -> Table:
    """Total population of 48 areas in 14 fiscal years, an excerpt of the real table; category その他."""
    table_id = "0000010101"
    axes = (
        OBSERVED,
        axis("cat01", "Ａ　人口・世帯", items("A1101 A1101_総人口", unit="人")),
        axis("area", "地域", nation_and_prefectures()),
        axis("time", "調査年", fiscal_years((*range(1975, 2020, 5), *range(2020, 2025)))),
    )

    def cells() -> Iterator[Cell]:
        figures = carried(table_id)
        return grid(axes, {("00001", "A1101", area, time): value for (area, time), value in figures.items()})

    inf = facts(
        table_id,
        Title("Ａ　人口・世帯", number=table_id),
        survey=SSDS,
        categories=("都道府県データ", "基礎データ"),
        field="9999",
        cycle="年度次",
        opened="2025-06-30",
        updated="2025-06-30",
    )
    return Table(inf, axes, cells, SSDS_NOTES, glossary=glossary.SYSTEM)


def _age_and_sex() -> Table:
    """Calendar years; totals beside details on three axes (sex, age, area) that add up exactly."""
    table_id = "9900000002"
    ages = [Item(f"{n + 1:03d}", f"{5 * n}～{5 * n + 4}歳", "2", parent="000") for n in range(17)]
    ages.append(Item("018", "85歳以上", "2", parent="000"))
    sexes = items("1 男,2 女", level="2", parent="0")
    axes = (
        axis("tab", "表章項目", items("020 人口", unit="人")),
        axis("cat01", "男女", (Item("0", "総数"), *sexes)),
        axis("cat02", "年齢（5歳階級）", (Item("000", "総数"), *ages)),
        axis("area", "全国・都道府県", nation_and_prefectures(parent="00000")),
        axis("time", "時間軸（年次）", years((2015, 2020))),
    )

    def cells() -> Iterator[Cell]:
        source, details = draw(table_id), [[item.code for item in part] for part in (sexes, ages, prefectures())]
        people: dict[Codes, int] = {
            ("020", sex, age, area, time): round(4_000 + 90_000 * source.random())
            for sex, age, area, time in product(*details, ("2015000000", "2020000000"))
        }
        for place, total in ((1, "0"), (2, "000"), (3, "00000")):
            people = with_totals(people, place, all_into(total, details[place - 1]))
        return grid(axes, people)

    inf = generated(
        table_id,
        Title("年齢（5歳階級），男女別人口－全国，都道府県", number="1"),
        survey=made_up("002", "人口の調査"),
        field="0201",
        collect_area="都道府県",
    )
    return Table(inf, axes, cells, (("-", "該当数値がないもの"),), glossary=glossary.AGE_AND_SEX)
