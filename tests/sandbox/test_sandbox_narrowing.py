"""Narrowing by codes, ranges and levels on every axis."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estat_dagster.sandbox import narrowing
from estat_dagster.sandbox.tables.catalogue import catalogue
from tests.replay import as_list

TABLES = {table.id: table for table in catalogue()}
POPULATION, AGES, INDUSTRIES = "0000010101", "9900000002", "9900000008"


def axis(data, axis_id):
    return next(part for part in data["CLASS_INF"]["CLASS_OBJ"] if part["@id"] == axis_id)


def codes(data, axis_id):
    return [item["@code"] for item in as_list(axis(data, axis_id)["CLASS"])]


@pytest.mark.parametrize(
    ("params", "axis_id", "expected"),
    [
        ({"cdArea": "13000"}, "area", ["13000"]),
        ({"cdArea": "13000,00000,27000"}, "area", ["00000", "13000", "27000"]),
        ({"cdArea": "13000,99999"}, "area", ["13000"]),
        ({"cdTime": "min"}, "time", ["1975100000"]),
        ({"cdTime": "max"}, "time", ["2024100000"]),
        ({"cdTimeFrom": "2021100000"}, "time", ["2021100000", "2022100000", "2023100000", "2024100000"]),
        ({"cdTimeTo": "1980100000"}, "time", ["1975100000", "1980100000"]),
        ({"cdTimeFrom": "2019100000", "cdTimeTo": "2021100000"}, "time", ["2020100000", "2021100000"]),
        ({"cdTimeFrom": "2023100000", "cdTimeTo": "max"}, "time", ["2023100000", "2024100000"]),
        ({"cdTimeFrom": "min", "cdTimeTo": "min"}, "time", ["1975100000"]),
        ({"cdArea": "13000,27000,47000", "cdAreaFrom": "20000"}, "area", ["27000", "47000"]),
        ({"lvArea": "1"}, "area", ["00000"]),
        ({"lvArea": "2", "cdArea": "00000,01000"}, "area", ["01000"]),
    ],
)
def test_a_condition_leaves_the_codes_it_names(client, params, axis_id, expected):
    data = client.data(POPULATION, **params)
    assert codes(data, axis_id) == expected
    assert list(dict.fromkeys(value[f"@{axis_id}"] for value in data["DATA_INF"]["VALUE"])) == expected
    assert data["RESULT_INF"]["TOTAL_NUMBER"] == len(data["DATA_INF"]["VALUE"])


@pytest.mark.parametrize(
    ("level", "expected"), [("1", {1}), ("2", {2}), ("2-3", {2, 3}), ("-2", {1, 2}), ("2-", {2, 3}), ("1-9", {1, 2, 3})]
)
def test_levels_are_narrowed_in_all_four_forms(client, level, expected):
    data = client.data(INDUSTRIES, lvCat01=level)
    assert {int(item["@level"]) for item in as_list(axis(data, "cat01")["CLASS"])} == expected
    assert {value["@cat01"] for value in data["DATA_INF"]["VALUE"]} == set(codes(data, "cat01"))


def test_every_axis_can_be_narrowed_at_once(client):
    data = client.data(
        "0003425893",
        cdTab="40",
        cdCat01="01",
        cdCat03="02",
        cdCat04From="05",
        cdCat04To="06",
        lvCat06="2",
        cdTime="max",
    )
    assert [(value["@tab"], value["@cat04"], value["$"]) for value in data["DATA_INF"]["VALUE"]] == [
        ("40", "05", "322.3"),
        ("40", "06", "362.8"),
    ]


def test_axes_without_a_condition_keep_all_their_codes(client):
    data = client.data(AGES, cdCat01="1")
    assert len(codes(data, "cat01")) == 1
    assert len(codes(data, "cat02")) == 19
    assert len(codes(data, "area")) == 48


def test_a_narrowed_axis_of_one_code_has_a_single_object(client):
    assert axis(client.data(POPULATION, cdArea="13000"), "area")["CLASS"] == {
        "@code": "13000",
        "@name": "東京都",
        "@level": "2",
    }


@pytest.mark.parametrize(
    "params",
    [{"cdArea": "99999"}, {"cdCat15": "1"}, {"lvArea": "9"}, {"cdTimeFrom": "2020100000", "cdTimeTo": "2010100000"}],
)
def test_conditions_that_leave_nothing_are_no_data(client, params):
    answer = client.ask("getStatsData", statsDataId=POPULATION, **params)
    assert answer["RESULT"]["STATUS"] == 1
    assert answer["STATISTICAL_DATA"]["RESULT_INF"] == {"TOTAL_NUMBER": 0}
    assert "DATA_INF" not in answer["STATISTICAL_DATA"]


def test_conditions_are_repeated_in_the_answer_as_real_ones_are(client):
    answer = client.ask(
        "getStatsData",
        statsDataId=POPULATION,
        cdCat01="A1101",
        cdTimeFrom="2020100000",
        cdTimeTo="max",
        lvArea="2",
        cdTab="00001",
    )
    assert answer["PARAMETER"] == {
        "LANG": "J",
        "STATS_DATA_ID": "0000010101",
        "NARROWING_COND": {
            "CODE_TAB_SELECT": "00001",
            "CODE_TIME_FROM": 2020100000,
            "CODE_TIME_TO": "max",
            "LEVEL_AREA_COND": 2,
            "CODE_CAT01_SELECT": "A1101",
        },
        "DATA_FORMAT": "J",
        "START_POSITION": 1,
        "METAGET_FLG": "Y",
    }


def test_a_hundred_codes_are_taken_and_one_more_is_refused(client):
    hundred = [f"{number:05d}" for number in range(13_000, 13_100)]
    assert client.status("getStatsData", statsDataId=POPULATION, cdArea=",".join(hundred))[0] == 0
    status = client.status("getStatsData", statsDataId=POPULATION, cdArea=",".join([*hundred, "13100"]))
    assert status == (102, "地域事項(コード 単一)（cdArea）の値が正しくありません。")


@pytest.mark.parametrize(
    "params",
    [
        {"cdArea": "min,13000"},
        {"cdArea": "min,max"},
        {"lvArea": "0"},
        {"lvArea": "1,2"},
        {"lvArea": "-"},
        {"lvArea": "1--2"},
        {"lvCat01": "x"},
    ],
)
def test_a_malformed_condition_is_refused(client, params):
    assert client.status("getStatsData", statsDataId=POPULATION, **params)[0] == 102


@st.composite
def narrowed(draw):
    """A table with a few conditions on its axes, in any of their forms."""
    table = TABLES[draw(st.sampled_from([POPULATION, "0003425893", "9900000004", "9900000006", INDUSTRIES]))]
    params = {}
    for each in draw(st.lists(st.sampled_from(table.axes), unique_by=lambda each: each.id, max_size=3)):
        name = each.id.capitalize()
        code = st.sampled_from([*(item.code for item in each.items), "min", "max", "00500"])
        plain = st.sampled_from([item.code for item in each.items])
        if draw(st.booleans()):
            params[f"cd{name}"] = ",".join(draw(st.lists(plain, min_size=1, max_size=30, unique=True)))
        if draw(st.booleans()):
            params[f"cd{name}From"] = draw(code)
        if draw(st.booleans()):
            params[f"cd{name}To"] = draw(code)
        if draw(st.booleans()):
            params[f"lv{name}"] = draw(st.sampled_from(["1", "2", "3", "1-2", "-2", "2-"]))
    return table, params


LEVELS = {"1": "1", "2": "2", "3": "3", "1-2": "12", "-2": "12", "2-": "23456789"}


def plainly_wanted(table, cell, params):
    """The specification, said once more in the plainest way: one record, all conditions."""
    for each, code in zip(table.axes, cell.codes, strict=True):
        name, all_codes = each.id.capitalize(), sorted(item.code for item in each.items)
        level = next(item.level for item in each.items if item.code == code)
        keyword = {"min": all_codes[0], "max": all_codes[-1]}
        chosen = [keyword.get(part, part) for part in params.get(f"cd{name}", code).split(",")]
        first, last = params.get(f"cd{name}From", "min"), params.get(f"cd{name}To", "max")
        in_range = keyword.get(first, first) <= code <= keyword.get(last, last)
        in_level = f"lv{name}" not in params or (level != "" and level in LEVELS[params[f"lv{name}"]])
        if code not in chosen or not in_range or not in_level:
            return False
    return True


@given(narrowed())
@settings(max_examples=60, deadline=None)
def test_narrowing_equals_a_plain_filter_over_all_records(case):
    table, params = case
    expected = [cell for cell in table.cells if plainly_wanted(table, cell, params)]
    assert list(narrowing.select(table, narrowing.parse(params))) == expected
