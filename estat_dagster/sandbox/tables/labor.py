"""Tables of the domain labor: 0003005798 and 0003425893 (published figures), 9900000001, 9900000003."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.tables import glossary
from estat_dagster.sandbox.tables.axes import (
    NATION,
    axis,
    fiscal_years,
    items,
    months,
    nation_and_prefectures,
    prefectures,
)
from estat_dagster.sandbox.tables.cells import Codes, all_into, carried, draw, grid, with_totals
from estat_dagster.sandbox.tables.facts import Survey, Title, facts, generated, made_up
from estat_dagster.sandbox.tables.population import OBSERVED, SSDS_NOTES


def tables() -> list[Table]:
    """Return the tables of this module."""
    return [_labour_force_survey(), _wages(), _labour_of_prefectures(), _status_and_occupation()]


def _labour_force_survey() -> Table:
    """January 2024, a month. The symbol "0" is a marker here. Four axes of a single item."""
    table_id = "0003005798"
    axes = (
        axis("tab", "表章項目", [Item("01", "実数(人口)", level="", unit="万人")]),
        axis("cat01", "産業", items("000 全産業")),
        axis("cat02", "就業状態", items("00 15歳以上人口,01 労働力人口,02 就業者,08 完全失業者,09 非労働力人口")),
        axis("cat03", "性別", items("0 総数,1 男,2 女")),
        axis("area", "地域", (NATION,)),
        axis("time", "時間軸（月次）", items("2024000101 2024年1月")),
    )

    def cells() -> Iterator[Cell]:
        figures = carried(table_id)
        return grid(
            axes, {("01", "000", row, sex, "00000", "2024000101"): value for (row, sex), value in figures.items()}
        )

    inf = facts(
        table_id,
        Title("就業状態別15歳以上人口（2000年1月～）", number="1-1-1"),
        survey=Survey("00200531", "労働力調査", "00200", "総務省"),
        categories=("労働力調査", "基本集計　全都道府県", "全国", "月次"),
        field="0301",
        cycle="月次",
        opened="2024-08-30",
        updated="2024-08-30",
    )
    notes = (
        ("*", "分母が小さいため比率を計算していない。"),
        ("***", "該当数値がないもの　又は　集計していないもの(2002年２月以降)。"),
        ("0", "数値が表章単位に満たないもの(2002年２月以降)。"),
        ("…", "東日本大震災の影響により、調査の実施が困難となったため掲載していません。"),
    )
    return Table(inf, axes, cells, notes, glossary=glossary.LABOUR_FORCE)


def _wages() -> Table:
    """Six categories, no area axis, a single symbol. cat03 and cat06 name parents that are not items."""
    table_id = "0003425893"
    ages = (
        "02 ～19歳,03 20～24歳,04 25～29歳,05 30～34歳,06 35～39歳,07 40～44歳,08 45～49歳,09 50～54歳,10 55～59歳,"
        "11 60～64歳,12 65～69歳,13 70歳～"
    )
    axes = (
        axis("tab", "表章項目", [Item("33", "年齢", "", "歳"), Item("40", "きまって支給する現金給与額", "", "千円")]),
        axis("cat01", "企業規模_基本", items("01 企業規模計（10人以上）")),
        axis("cat02", "産業分類", items("01 Ｔ１ 産業計")),
        axis("cat03", "性別_基本", items("02 男", level="2", parent="01")),
        axis("cat04", "年齢階級_基本", items(ages)),
        axis("cat05", "学歴_基本８区分（2020年～）", items("01 学歴計")),
        axis("cat06", "民・公区分", items("02 民営事業所", level="2", parent="01")),
        axis("time", "時間軸（2020～2023）", items("2020000000 2020年")),
    )

    def cells() -> Iterator[Cell]:
        figures = carried(table_id)
        return grid(
            axes,
            {(tab, "01", "01", "02", age, "01", "02", "2020000000"): value for (age, tab), value in figures.items()},
        )

    inf = facts(
        table_id,
        Title("一般_産業大・中分類_年齢階級別DB", number="1"),
        survey=Survey("00450091", "賃金構造基本統計調査", "00450", "厚生労働省"),
        categories=("賃金構造基本統計調査",),
        field="0302",
        cycle="-",
        opened="2021-05-21",
        updated="2021-07-16",
    )
    return Table(inf, axes, cells, (("-", "計数のない場合"),))


def _labour_of_prefectures() -> Table:
    """Category その他, fiscal years. Symbols for values: `***` for a whole year, `-` and `X` for single cells."""
    table_id = "9900000001"
    measures = ("F1101 F1101_労働力人口", "F1102 F1102_就業者数", "F1107 F1107_完全失業者数")
    axes = (
        OBSERVED,
        axis("cat01", "Ｆ　労働", items(",".join(measures), unit="人")),
        axis("area", "地域", nation_and_prefectures()),
        axis("time", "調査年", fiscal_years((2005, 2010, 2015, 2020, 2021))),
    )
    surveyed = [item.code for item in axes[3].items[:-1]]

    def cells() -> Iterator[Cell]:
        source, areas = draw(table_id), [item.code for item in prefectures()]
        not_surveyed = product(("00001",), ("F1101", "F1102", "F1107"), ("00000", *areas), ("2021100000",))
        values: dict[Codes, object] = dict.fromkeys(not_surveyed, "***")
        for time in surveyed:
            people: dict[Codes, int] = {}
            for area in areas:
                working, out_of_work = int(3e5 + 3e6 * source.random()), int(1e4 + 1e5 * source.random())
                people["00001", "F1101", area, time] = working + out_of_work
                people["00001", "F1102", area, time] = working
                people["00001", "F1107", area, time] = out_of_work
            values |= with_totals(people, 2, all_into("00000", areas))
        values |= {("00001", "F1107", area, "2005100000"): "X" for area in ("31000", "32000")}
        values["00001", "F1102", "47000", "2005100000"] = "-"
        return grid(axes, values)

    inf = generated(
        table_id,
        Title("Ｆ　労働", number=table_id),
        survey=made_up("001", "社会・人口統計体系"),
        field="9999",
        cycle="年度次",
    )
    return Table(inf, axes, cells, SSDS_NOTES)


def _status_and_occupation() -> Table:
    """Months. Counts in which "0" is a marker, rates with a decimal, `*` for small bases, `…` for a whole month."""
    table_id = "9900000003"
    statuses = items("1 自営業主,2 家族従業者,3 雇用者", level="2", parent="0")
    jobs = items("1 管理的職業従事者,2 専門的・技術的職業従事者,3 事務従事者,4 販売従事者", level="2", parent="0")
    axes = (
        axis("tab", "表章項目", [Item("01", "就業者数", "", "万人"), Item("02", "構成比", "", "％")]),
        axis("cat01", "従業上の地位", (Item("0", "総数"), *statuses)),
        axis("cat02", "職業", (Item("0", "総数"), *jobs)),
        axis("area", "地域", (NATION,)),
        axis("time", "時間軸（月次）", months((2022, 2023))),
    )
    inf = generated(
        table_id,
        Title("従業上の地位，職業別就業者数及び構成比", number="2-3"),
        survey=made_up("003", "就業の調査"),
        field="0301",
        cycle="月次",
    )
    notes = (
        ("*", "分母が小さいため比率を計算していないもの"),
        ("0", "数値が表章単位に満たないもの"),
        ("…", "公表していないもの"),
    )
    return Table(inf, axes, lambda: _monthly_cells(table_id, axes), notes)


def _monthly_cells(table_id: str, axes: tuple[Axis, ...]) -> Iterator[Cell]:
    source, details = draw(table_id), [[item.code for item in axes[place].items[1:]] for place in (1, 2)]
    size = {"1": 60, "2": 6, "3": 900}
    values: dict[Codes, object] = {}
    for time in (item.code for item in axes[4].items):
        people: dict[Codes, int] = {
            ("01", status, job, "00000", time): int(size[status] * source.random()) for status, job in product(*details)
        }
        for place in (1, 2):
            people = with_totals(people, place, all_into("0", details[place - 1]))
        for (_, status, job, area, _), count in people.items():
            base = people["01", status, "0", area, time]
            values["02", status, job, area, time] = "*" if base < 8 else f"{100 * count / base:.1f}"
        values |= people
    missing = axes[4].items[2].code
    return grid(axes, {codes: "…" if codes[4] == missing else value for codes, value in values.items()})
