"""Names, years and levels of a filter become codes of the table, or are refused with what may be meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ValidationError
from estat_dagster.estat.models import Axis, ClassItem, Metadata, TableInfo
from estat_dagster.estat.resolve import resolve_scope
from estat_dagster.estat.scope import describe_scope, narrowing, normal_scope, parse_filters, split_scope

AREAS = (
    ClassItem("00000", "全国", "1"),
    ClassItem("13000", "東京都", "2"),
    ClassItem("13206", "府中市", "3", "13000"),
    ClassItem("27000", "大阪府", "2"),
    ClassItem("34208", "府中市", "3", "34000"),
    ClassItem("13A01", "東京都　区部", "3", "13000"),
)
TIMES = (
    ClassItem("2020100000", "2020年度", "1"),
    ClassItem("2020000000", "2020年", "1"),
    ClassItem("2020000101", "2020年1月", "4"),
    ClassItem("2020001212", "2020年12月", "4"),
    ClassItem("2022000101", "2022年1月", "4"),
    ClassItem("2022000000", "2022年", "1"),
)
TABLE = Metadata(
    TableInfo("0000000001", "表"),
    (Axis("cat01", "男女別", (ClassItem("max", "総数"),)), Axis("area", "地域", AREAS), Axis("time", "時間軸", TIMES)),
)


@pytest.mark.parametrize(
    ("scope", "resolved"),
    [
        ({"area": "東京都"}, {"area": "13000"}),
        ({"area": "大阪府,東京都,00000"}, {"area": "00000,13000,27000"}),
        ({"area": "13000,東京都"}, {"area": "13000"}),
        ({"area": " 東京都 区部"}, {"area": "13A01"}),
        ({"area": "東京都..大阪府"}, {"area": "13000..27000"}),
        ({"area": "..大阪府"}, {"area": "..27000"}),
        ({"area": "level:2"}, {"area": "level:2"}),
        ({"area": "level:2-"}, {"area": "level:2-"}),
        ({"area": "level:3:東京都..大阪府"}, {"area": "level:3:13000..27000"}),
        ({"area": "level:2:東京都,府中市"}, None),
        ({"area": "max"}, {"area": "max"}),
        ({"cat01": "max"}, {"cat01": "max"}),
        ({"area": "min..13000"}, {"area": "min..13000"}),
        ({"time": "2020"}, {"time": "2020100000,2020000000,2020000101,2020001212"}),
        ({"time": "2020年"}, {"time": "2020000000"}),
        ({"time": "２０２０年度"}, {"time": "2020100000"}),
        ({"time": "2020..2022"}, {"time": "2020000000..2022000101"}),
        ({"time": "2022年", "area": "13000"}, {"area": "13000", "time": "2022000000"}),
        ({}, {}),
    ],
)
def test_a_scope_becomes_codes_in_the_order_of_the_table(scope: dict[str, str], resolved: dict[str, str] | None):
    if resolved is None:
        with pytest.raises(ValidationError, match="the name of 2 classes"):
            resolve_scope(scope, TABLE)
    else:
        assert list(resolve_scope(scope, TABLE).items()) == list(resolved.items())
        assert resolve_scope(resolved, TABLE) == resolved


@pytest.mark.parametrize(
    ("scope", "message", "hint"),
    [
        ({"area": "東京"}, "no code 東京 on the axis area 地域", "13000 東京都, 13A01 東京都　区部"),
        ({"area": "府中市"}, "the name of 2 classes", "13206 府中市, 34208 府中市"),
        ({"area": "大阪符"}, "no code 大阪符", "27000 大阪府"),
        ({"area": "99999"}, "no code 99999", "estat describe 0000000001 --axis area"),
        ({"area": "東京都..x"}, "no code x", "estat describe"),
        ({"time": "2021"}, "no code 2021", ""),
        ({"area": "2020"}, "no code 2020", ""),
        ({"area": "level:4"}, "has no level 4", "Its levels are 1, 2, 3"),
        ({"time": "level:2-3"}, "has no level 2-3", "Its levels are 1, 4"),
        ({"cat02": "1"}, "has no axis 'cat02'", "cat01, area, time"),
        ({"place": "1"}, "no axis 'place'", ""),
    ],
)
def test_what_the_table_does_not_have_is_refused_with_what_may_be_meant(scope: dict[str, str], message: str, hint: str):
    with pytest.raises(ValidationError, match=message) as caught:
        resolve_scope(scope, TABLE)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("scope", "parameters"),
    [
        ({"area": "level:2"}, {"lvArea": "2"}),
        ({"cat01": "level:1-3"}, {"lvCat01": "1-3"}),
        ({"tab": "level:-2"}, {"lvTab": "-2"}),
        ({"area": "level:3:13000..13999"}, {"lvArea": "3", "cdAreaFrom": "13000", "cdAreaTo": "13999"}),
        ({"area": "level:2-:13000,27000"}, {"lvArea": "2-", "cdArea": "13000,27000"}),
    ],
)
def test_levels_become_parameters(scope: dict[str, str], parameters: dict[str, str]):
    assert narrowing(scope) == parameters


@pytest.mark.parametrize("words", ["level:", "level:0", "level:10", "level:a", "level:1-2-3", "level:-"])
def test_what_is_no_level_is_refused(words: str):
    with pytest.raises(ValidationError, match="is not a level"):
        narrowing({"area": words})


CODES = st.lists(st.integers(0, 99_999).map("{:05}".format), min_size=1, max_size=450, unique=True)


@given(CODES, CODES)
def test_long_lists_are_split_so_that_every_pair_of_codes_is_asked_for_once(areas: list[str], kinds: list[str]):
    pieces = split_scope({"area": ",".join(areas), "cat01": ",".join(kinds), "time": "2020.."})
    together = [(area, kind) for p in pieces for area in p["area"].split(",") for kind in p["cat01"].split(",")]
    assert len(together) == len(set(together)) == len(areas) * len(kinds)
    assert all(narrowing(piece) for piece in pieces)
    assert list(dict.fromkeys(area for area, _ in together)) == areas
    assert len(pieces) == -(-len(areas) // 100) * -(-len(kinds) // 100)


def test_a_list_in_a_filter_is_several_codes_and_one_that_repeats_counts_once():
    assert normal_scope({"area": ["13000", "27000", "13000"], "time": "2020"}) == {
        "area": "13000,27000",
        "time": "2020",
    }
    assert parse_filters(("area=東京都,大阪府", "time=level:1:2020..")) == {
        "area": "東京都,大阪府",
        "time": "level:1:2020..",
    }


def test_a_long_list_is_shown_short():
    codes = ",".join(f"{code:05}" for code in range(150))
    assert describe_scope({"area": codes, "time": "2020"}) == "area=00000,00001,00002,... (150 codes) time=2020"
