"""The table of the domain education: 9900000006."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.tables.axes import axis, items, nation_and_prefectures, prefectures, years
from estat_dagster.sandbox.tables.cells import Codes, all_into, draw, grid, with_totals
from estat_dagster.sandbox.tables.facts import Title, generated, made_up

TABLE_ID = "9900000006"
_GRADES = {"1": 6, "2": 3, "3": 3}
_PUPILS, _CLASSES = "100", "200"


def tables() -> list[Table]:
    """Return the table: no tab axis, the measure in cat03; a sparse grid, as schools differ in grades; `…` for some."""
    grades = (Item(f"0{grade}", f"{grade}学年", "2", parent="00") for grade in range(1, 7))
    axes = (
        axis("cat01", "学校種別", items("1 小学校,2 中学校,3 高等学校")),
        axis("cat02", "学年", (Item("00", "計"), *grades)),
        axis("cat03", "集計項目", [Item(_PUPILS, "在学者数", unit="人"), Item(_CLASSES, "学級数", unit="学級")]),
        axis("area", "都道府県", nation_and_prefectures(parent="00000")),
        axis("time", "時間軸（年次）", years((2021, 2022, 2023))),
    )
    inf = generated(
        TABLE_ID,
        Title("学校種別，学年別在学者数及び学級数－都道府県", number="7"),
        survey=made_up("006", "学校の調査"),
        field="1201",
        collect_area="都道府県",
        survey_date="202105-202305",
    )
    return [Table(inf, axes, lambda: _cells(axes), (("…", "計数出現があり得ない場合又は調査対象とならなかった場合"),))]


def _cells(axes: tuple[Axis, ...]) -> Iterator[Cell]:
    """High schools have no count of classes, and no count by grade in 2021."""
    source, areas = draw(TABLE_ID), [item.code for item in prefectures()]
    counts: dict[Codes, int] = {}
    for school, area, time in product(_GRADES, areas, (item.code for item in axes[4].items)):
        for grade in range(1, _GRADES[school] + 1):
            pupils = int(1_000 + 40_000 * source.random())
            counts[school, f"0{grade}", _PUPILS, area, time] = pupils
            if school != "3":
                counts[school, f"0{grade}", _CLASSES, area, time] = pupils // 30
    counts = with_totals(counts, 1, all_into("00", [f"0{grade}" for grade in range(1, 7)]))
    counts = with_totals(counts, 3, all_into("00000", areas))
    unknown: dict[Codes, object] = {
        codes: "…" for codes in counts if codes[0] == "3" and codes[1] != "00" and codes[4] == "2021000000"
    }
    return grid(axes, {**counts, **unknown})
