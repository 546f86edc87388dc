"""lang=E: what has English is in English, what has none has no name, and the figures stay."""

from __future__ import annotations

import json
import re

import pytest

from tests.replay import as_list

WHOLE, PARTLY, NONE = "0003005798", "9900000002", "9900000001"


def classes(client, table_id, axis_id, **params):
    objects = as_list(
        client.ask("getMetaInfo", statsDataId=table_id, **params)["METADATA_INF"]["CLASS_INF"]["CLASS_OBJ"]
    )
    axis = next(node for node in objects if node["@id"] == axis_id)
    return axis, as_list(axis["CLASS"])


@pytest.mark.parametrize("table_id", ["0000010101", WHOLE])
def test_a_table_with_a_glossary_has_no_japanese_left(client, table_id):
    data = client.data(table_id, lang="E", limit=50)
    assert not re.search("[ぁ-んァ-ヶ一-龠]", json.dumps(data, ensure_ascii=False))
    assert [key for key, text in data["TABLE_INF"].items() if text == ""] == ["DESCRIPTION"]
    assert all(text["$"] for key in ("STAT_NAME", "GOV_ORG") for text in [data["TABLE_INF"][key]])
    assert all(item["@name"] for node in data["CLASS_INF"]["CLASS_OBJ"] for item in [node, *as_list(node["CLASS"])])
    assert all(note["$"] for note in as_list(data["DATA_INF"]["NOTE"]))


def test_classes_units_and_notes_are_in_english(client):
    axis, items = classes(client, WHOLE, "cat02", lang="E")
    assert axis["@name"] == "Labour force status"
    assert [item["@name"] for item in items][1:3] == ["Labour force", "Employed person"]
    assert {value["@unit"] for value in client.values(WHOLE, lang="E")} == {"10 thousand persons"}
    assert client.data(WHOLE, lang="E")["DATA_INF"]["NOTE"][2] == {"@char": "0", "$": "Less than the unit."}


def test_the_figures_are_those_of_the_japanese_answer(client):
    def figures(**params):
        return [
            {key: text for key, text in value.items() if key != "@unit"} for value in client.values(WHOLE, **params)
        ]

    assert figures(lang="E") == figures() == figures(lang="J")


def test_years_are_in_english_where_the_table_is(client):
    _, years = classes(client, "0000010101", "time", lang="E")
    assert years[0] == {"@code": "1975100000", "@name": "FY1975", "@level": "1"}
    _, years = classes(client, PARTLY, "time", lang="E")
    assert [item["@name"] for item in years] == ["2015", "2020"]
    _, years = classes(client, NONE, "time", lang="E")
    assert not any("@name" in item for item in years)


def test_a_class_without_english_has_no_name_and_its_neighbours_have(client):
    _, ages = classes(client, PARTLY, "cat02", lang="E")
    assert {item["@code"] for item in ages if "@name" not in item} == {"017", "018"}
    assert next(item for item in ages if item["@code"] == "001")["@name"] == "0 to 4 years old"


def test_a_table_without_english_has_codes_alone(client):
    answer = client.ask("getMetaInfo", statsDataId=NONE, lang="E")
    inf = answer["METADATA_INF"]["TABLE_INF"]
    assert answer["RESULT"]["STATUS"] == 0
    assert answer["PARAMETER"]["LANG"] == "E"
    assert set(inf["STAT_NAME"]) == {"@code"}
    assert inf["CYCLE"] == ""
    objects = as_list(answer["METADATA_INF"]["CLASS_INF"]["CLASS_OBJ"])
    assert not any(
        "@name" in node for node in [*objects, *(item for node in objects for item in as_list(node["CLASS"]))]
    )
    japanese = client.ask("getMetaInfo", statsDataId=NONE)["METADATA_INF"]["TABLE_INF"]
    same = ("@id", "SURVEY_DATE", "OPEN_DATE", "UPDATED_DATE", "OVERALL_TOTAL_NUMBER")
    assert {key: inf[key] for key in same} == {key: japanese[key] for key in same}


def test_a_search_in_english_finds_english_words_and_shows_them(client):
    assert client.ids(searchWord="unemployed") == []
    assert client.ids(searchWord="unemployed", lang="E") == [WHOLE]
    assert client.ids(searchWord="完全失業者", lang="E") == []
    shown = client.ask("getStatsList", statsCode="00200531", lang="E")["DATALIST_INF"]["TABLE_INF"]
    assert shown["STAT_NAME"] == {"@code": "00200531", "$": "Labour Force Survey"}


def test_codes_and_areas_are_searched_alike_in_both_languages(client):
    assert client.ids(collectArea="2", lang="E") == client.ids(collectArea="2") != []
