"""Pictures of results: what is chosen, what is refused, and that a missing value never looks like 0."""

from __future__ import annotations

import datetime as dt
import io
import math
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ValidationError
from estat_dagster.pictures import charts, drawing, points, tilegrid, tilemap
from estat_dagster.pictures.drawing import draw
from estat_dagster.prefectures import prefectures
from tests.hypothesis_profiles import use_profile
from tests.test_pictures import size_of

use_profile()
pytestmark = pytest.mark.filterwarnings("error")  # a letter without a glyph, parts that do not fit

LINE = {"year": [2019, 2020, 2021, 2022], "value": [1.0, None, 3.0, 4.0], "unit": ["人"] * 4}


def table(**columns: Any) -> pa.Table:
    return pa.table(columns)


def of_prefectures(**columns: Any) -> pa.Table:
    codes = [one.code for one in prefectures()]
    return table(region_code=codes, region_name=[one.kanji for one in prefectures()], **columns)


def test_a_missing_value_is_a_gap_in_its_line() -> None:
    [axes] = charts.draw_lines(points.read(table(**LINE))).axes
    [line] = axes.get_lines()
    drawn = line.get_ydata().tolist()
    assert [None if math.isnan(value) else value for value in drawn] == LINE["value"]
    assert axes.get_ylabel() == "単位：人"


def test_japanese_names_of_columns_are_understood() -> None:
    [axes] = charts.draw_lines(points.read(table(年=LINE["year"], 値=LINE["value"], 単位=LINE["unit"]))).axes
    assert axes.get_lines()[0].get_xdata().tolist() == LINE["year"]
    assert "人" in axes.get_ylabel()


def test_a_result_without_a_finite_number_is_refused() -> None:
    with pytest.raises(ValidationError, match="no finite number"):
        draw(table(year=[2019, 2020], value=[math.inf, math.nan]))


def test_a_missing_value_is_a_bar_that_is_not_there() -> None:
    read = points.read(table(region_name=["甲", "乙", "丙"], value=[1.0, None, -2.0], unit=["人"] * 3))
    [axes] = charts.draw_bars(read).axes
    assert [bar.get_width() for bar in axes.patches] == [1.0, -2.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["甲", "丙", "乙"]
    assert [text.get_text().strip() for text in axes.texts] == ["値なし"]


def test_a_missing_value_is_a_hatched_tile_and_so_is_a_prefecture_without_a_row() -> None:
    values: list[float | None] = [float(number) for number in range(47)]
    values[12] = None
    figure = tilemap.draw_map(points.read(of_prefectures(value=values).slice(0, 46)))
    hatched = [tile for tile in figure.axes[0].patches if tile.get_hatch()]
    assert len(figure.axes[0].patches) == 47
    corners = {tuple(round(at - 0.03) for at in tile.get_xy()) for tile in hatched}
    assert corners == {tilegrid.places()["13000"], tilegrid.places()["47000"]}
    assert sum(text.get_text() == "値なし" for text in figure.axes[0].texts) == 2


def test_every_prefecture_has_a_tile_of_its_own() -> None:
    places = tilegrid.places()
    assert set(places) == {one.code for one in prefectures()}
    assert len(set(places.values())) == 47
    assert places["01000"][1] < places["13000"][1] < places["47000"][1]  # north is above
    assert places["40000"][0] < places["27000"][0] < places["13000"][0]  # west is left


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (table(**LINE), "lines"),
        (table(year=[2020, 2020], region_name=["甲", "乙"], value=[1, 2]), "bars"),
        (of_prefectures(value=list(range(47))), "map"),
        (of_prefectures(value=list(range(47)), year=[2020] * 47), "map"),
        (of_prefectures(value=list(range(47))).slice(0, 20), "bars"),
        (table(period_start=[dt.date(2020, 1, 1), dt.date(2020, 2, 1)], value=[1, 2]), "lines"),
        (table(category_name=["甲", "乙"], total=[1, 2]), "bars"),
    ],
)
def test_the_picture_that_fits_is_chosen(rows: pa.Table, kind: str) -> None:
    assert drawing.choose(points.read(rows)) == kind
    assert size_of(draw(rows, credit="出典：統計"))[0] > 500


def test_the_map_and_the_bars_show_the_last_period_that_has_numbers() -> None:
    rows = pa.concat_tables([of_prefectures(year=[year] * 47, value=[value] * 47, time_name=[f"{year}年度"] * 47)
                             for year, value in ((2019, 1.0), (2020, 2.0))])  # fmt: skip
    empty = of_prefectures(year=[2021] * 47, value=pa.nulls(47, pa.float64()), time_name=["2021年度"] * 47)
    last = points.read(pa.concat_tables([rows, empty])).of_last_period()
    assert tilemap.values_by_prefecture(last) == {one.code: 2.0 for one in prefectures()}
    assert last.common == "2020年度"


def test_months_are_drawn_as_months() -> None:
    by_day = table(year=[2020, 2020], period_start=[dt.date(2020, 1, 1), dt.date(2020, 4, 1)], value=[1, 2])
    assert points.read(by_day).periods == [dt.date(2020, 1, 1), dt.date(2020, 4, 1)]
    by_number = table(year=[2020, 2020, 2021], quarter=[1, 3, 1], value=[1, 2, 3])
    assert points.read(by_number).periods == [2020, 2020.5, 2021]


@pytest.mark.parametrize("years", [[1950, 2018, 2019, 2020], [*range(2010, 2025)], [2020, 2021], [1920, 2020], [2024]])
def test_the_years_below_the_axis_do_not_touch(years: list[int]) -> None:
    figure = charts.draw_lines(points.read(table(year=years, region_name=["甲"] * len(years), value=[1] * len(years))))
    figure.savefig(io.BytesIO())
    shown = [label.get_window_extent() for label in figure.axes[0].get_xticklabels() if label.get_text()]
    assert shown
    assert all(left.x1 < right.x0 for left, right in pairwise(shown))


def test_only_the_greatest_lines_are_drawn_and_the_legend_says_of_how_many() -> None:
    rows = pa.concat_tables([of_prefectures(year=[year] * 47, value=list(range(47))) for year in (2019, 2020)])
    figure = charts.draw_lines(points.read(rows))
    assert len(figure.axes[0].get_lines()) == 10
    [legend] = figure.legends
    assert legend.get_title().get_text() == "10/47"
    assert legend.get_texts()[0].get_text() == "沖縄県"


@pytest.mark.parametrize(
    ("rows", "kind", "words"),
    [
        (table(year=[2020, 2020], value=[1, 2]), "auto", r"several numbers for 2020\."),
        (table(year=[2020, 2020], month=[7, 7], value=[1, 2]), "auto", r"several numbers for 2020-07\."),
        (table(year=[2020, 2021], value=[1, 2], unit=["人", "％"]), "auto", "several units: 人, ％"),
        (table(year=[2020, 2021], name=["a", "b"]), "auto", "no column of numbers"),
        (table(value=[1]), "auto", "no year, region or name"),
        (table(region_name=["甲"], value=[1]), "lines", "need a period"),
        (table(region_name=["甲"], value=[1]), "map", "No prefecture"),
        (of_prefectures(value=pa.nulls(47, pa.float64())), "map", "No prefecture has a number"),
        (table(year=pa.array([], pa.int32()), value=pa.array([], pa.int32())), "auto", "0 rows"),
        (table(year=[2020], value=[1]), "pie", "no picture 'pie'"),
    ],
)
def test_what_cannot_be_drawn_is_told(rows: pa.Table, kind: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        draw(rows, kind)


def test_a_map_of_two_series_is_refused() -> None:
    rows = pa.concat_tables([of_prefectures(tab_name=[name] * 47, value=[1.0] * 47) for name in ("甲", "乙")])
    with pytest.raises(ValidationError, match="one series"):
        draw(rows, "map")


@pytest.mark.parametrize("words", ["$a_{$", "$x$", "①～〜％‰△▲", "a\nb", "_x"])
@pytest.mark.parametrize("kind", ["lines", "bars"])
def test_any_words_are_drawn_as_they_are(words: str, kind: Any) -> None:
    rows = table(year=[2019, 2019, 2020], tab_name=["甲", words, words], value=[1, 2, 3], unit=[words] * 3)
    assert size_of(draw(rows, kind, title=words, credit=words))


@pytest.mark.parametrize(
    ("value", "words"),
    [(14_040_000, "1,404万"), (126_146_099, "1.26億"), (98.5, "98.5"), (9999, "9,999"), (-12_345, "-1.23万"), (0, "0")],
)
def test_numbers_on_tiles_are_short(value: float, words: str) -> None:
    assert tilemap.short(value) == words


@given(
    st.lists(st.tuples(st.integers(1975, 2030), st.none() | st.floats(-1e9, 1e9)), min_size=1, unique_by=lambda p: p[0])
)
def test_every_number_and_gap_is_a_point_of_the_line(rows: list[tuple[int, float | None]]) -> None:
    read = points.read(table(year=[year for year, _ in rows], value=pa.array([v for _, v in rows], pa.float64())))
    [line] = charts.draw_lines(read).axes[0].get_lines()
    drawn = dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))
    assert {year: None if math.isnan(value) else value for year, value in drawn.items()} == dict(rows)
