"""Tables, axes and notes as objects: e-Stat's lists of one and texts turned numbers end in the models."""

from __future__ import annotations

from typing import Any

import pytest

from estat_dagster.estat.models import as_list, parse_axes, parse_pairs, parse_table, text
from tests.estat.answers import real_metadata


@pytest.mark.parametrize(
    ("node", "parts"), [(None, []), ("", []), ({"$": "a"}, [{"$": "a"}]), ([], []), ([1, 2], [1, 2]), (0, [0])]
)
def test_a_part_is_a_list_however_it_is_written(node: Any, parts: list[Any]):
    assert as_list(node) == parts


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (None, ""),
        ("", ""),
        ("0012", "0012"),
        (201510, "201510"),
        (0, "0"),
        (1.5, "1.5"),
        ({"@no": "1", "$": "表"}, "表"),
        ({"@no": "1", "$": 2015}, "2015"),
        ({"@no": "1"}, ""),
    ],
)
def test_a_text_is_a_text_even_where_json_holds_a_number(node: Any, words: str):
    assert text(node) == words


def test_a_table_with_every_text_that_looks_like_a_number_as_a_number():
    table = parse_table(
        {
            "@id": "0000010101",
            "STAT_NAME": {"@code": "00200502", "$": "社会・人口統計体系"},
            "GOV_ORG": {"@code": "00200", "$": "総務省"},
            "TITLE": 2015,
            "CYCLE": "-",
            "SURVEY_DATE": 201510,
            "OPEN_DATE": 20160226,
            "UPDATED_DATE": 2016,
            "MAIN_CATEGORY": {"@code": 15, "$": "社会保障・衛生"},
            "OVERALL_TOTAL_NUMBER": "1872",
        }
    )
    assert (table.id, table.title, table.survey_date, table.updated_date) == ("0000010101", "2015", "201510", "2016")
    assert (table.stat_code, table.stat_name, table.gov_org) == ("00200502", "社会・人口統計体系", "総務省")
    assert (table.field_code, table.field_name, table.overall_total_number) == ("15", "社会保障・衛生", 1872)
    assert (table.cycle, table.open_date, table.collect_area) == ("-", "20160226", "")


def test_a_table_of_which_nothing_is_told_is_empty_texts():
    table = parse_table({})
    assert (table.id, table.title, table.stat_code, table.overall_total_number) == ("", "", "", None)


def test_a_class_keeps_its_codes_as_texts_and_its_absent_parts_absent():
    class_inf = {
        "CLASS_OBJ": {
            "@id": "cat01",
            "@name": 2015,
            "CLASS": [
                {"@code": 1, "@name": 15, "@level": 2, "@parentCode": 0, "@unit": 1000, "@addInf": 5},
                {"@code": "01", "@name": "男", "@level": ""},
            ],
        }
    }
    [axis] = parse_axes(class_inf)
    first, second = axis.classes
    assert (axis.id, axis.name, axis.description) == ("cat01", "2015", "")
    assert (first.code, first.name, first.level) == ("1", "15", "2")
    assert (first.parent_code, first.unit, first.description) == ("0", "1000", "5")
    assert (second.code, second.level, second.parent_code, second.unit, second.description) == ("01", "") + (None,) * 3


@pytest.mark.parametrize("class_inf", [None, "", {}, {"CLASS_OBJ": ""}, {"CLASS_OBJ": []}])
def test_no_classes_are_no_axes(class_inf: Any):
    assert parse_axes(class_inf) == ()


def test_an_axis_may_have_no_classes():
    [axis] = parse_axes({"CLASS_OBJ": {"@id": "time", "@name": "年", "CLASS": ""}})
    assert axis.classes == ()


@pytest.mark.parametrize(
    ("nodes", "pairs"),
    [
        (None, {}),
        ("", {}),
        ({"@char": "-", "$": "なし"}, {"-": "なし"}),
        ([{"@char": "0", "$": "単位未満"}, {"@char": "X", "$": "秘匿"}], {"0": "単位未満", "X": "秘匿"}),
        ([{"@char": 0, "$": 1}], {"0": "1"}),
        ([{"@char": "X", "$": "秘匿"}, {"@char": "X", "$": "秘匿"}], {"X": "秘匿"}),
        ([{"@char": "X", "$": "秘匿"}, {"@char": "X", "$": "不詳"}], {"X": "秘匿 / 不詳"}),
        ([{"@char": "-"}], {"-": ""}),
    ],
)
def test_notes_are_symbols_with_their_meanings(nodes: Any, pairs: dict[str, str]):
    assert parse_pairs(nodes, "@char") == pairs


def test_parents_that_are_not_in_the_list_are_kept_as_they_are():
    area = real_metadata("getStatsData_ssds_municipality_B_limit10.json").axis("area")
    codes = {item.code for item in area.classes}
    assert len(codes) == 1913
    assert sum(item.parent_code not in codes for item in area.classes) == 1719


def test_a_table_may_lack_tab_time_and_area():
    assert [axis.id for axis in real_metadata("getMetaInfo_no_tab_no_time_0003448099.json").axes] == [
        "cat01",
        "cat02",
        "area",
    ]
    gdp = real_metadata("derived_getStatsData_gdp_quarterly_0003109741.json")
    assert [axis.id for axis in gdp.axes] == ["tab", "cat01", "time"]
    assert gdp.axis("area") is None
