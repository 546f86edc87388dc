"""Filters as e-Stat's narrowing parameters."""

from __future__ import annotations

import pytest

from estat_dagster.errors import ValidationError
from estat_dagster.estat.scope import narrowing, parse_filters

HUNDRED = ",".join(f"{code:05}" for code in range(100))


@pytest.mark.parametrize(
    ("scope", "parameters"),
    [
        ({}, {}),
        ({"area": "13000"}, {"cdArea": "13000"}),
        ({"area": "13000,27000", "time": "2020000000"}, {"cdArea": "13000,27000", "cdTime": "2020000000"}),
        ({"tab": "min"}, {"cdTab": "min"}),
        ({"cat01": "A1101"}, {"cdCat01": "A1101"}),
        ({"cat15": "1"}, {"cdCat15": "1"}),
        ({"time": "2015..2020"}, {"cdTimeFrom": "2015", "cdTimeTo": "2020"}),
        ({"time": "2015.."}, {"cdTimeFrom": "2015"}),
        ({"time": "..2020"}, {"cdTimeTo": "2020"}),
        ({"area": HUNDRED}, {"cdArea": HUNDRED}),
    ],
)
def test_a_scope_becomes_parameters(scope: dict[str, str], parameters: dict[str, str]):
    assert narrowing(scope) == parameters


@pytest.mark.parametrize("axis", ["", "Area", "region", "cat00", "cat16", "cat1", "cat001", "time ", "tab\n", "cd"])
def test_an_axis_that_e_stat_does_not_have_is_refused(axis: str):
    with pytest.raises(ValidationError, match="There is no axis"):
        narrowing({axis: "1"})


@pytest.mark.parametrize(
    "codes", ["", ",", "1,", ",1", "1,,2", "..", "1 2", "東京", "1&limit=1", "1..2..3", "1.. ", "1\n", "1,2..3", "a=b"]
)
def test_what_is_no_code_is_refused(codes: str):
    with pytest.raises(ValidationError, match="is not a code of the axis 'area'"):
        narrowing({"area": codes})


def test_more_than_a_hundred_codes_are_refused_with_the_range_as_a_way_out():
    with pytest.raises(ValidationError, match="101 codes") as caught:
        narrowing({"area": f"{HUNDRED},99999"})
    assert "area=00000..99999" in caught.value.hint


def test_filters_are_read_as_a_command_line_gives_them():
    assert parse_filters(()) == {}
    assert parse_filters(("area=13000,27000", "time=2015..2020")) == {"area": "13000,27000", "time": "2015..2020"}


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (("area",), "is not AXIS=CODES"),
        (("area=1", "area=2"), "filtered twice"),
        (("place=1",), "There is no axis 'place'"),
        (("area=",), "is not a code"),
        (("area=level:x",), "is not a level"),
        (("area=max,13000",), "cannot stand among other codes"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(filters: tuple[str, ...], words: str):
    with pytest.raises(ValidationError, match=words):
        parse_filters(filters)
