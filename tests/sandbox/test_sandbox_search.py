"""getStatsList: words, fields, codes, dates, areas, names of surveys."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.sandbox import periods, words
from estat_dagster.sandbox.refusal import RefusalError
from estat_dagster.sandbox.server import Sandbox
from tests.replay import real_document
from tests.sandbox.client import Client

POPULATION, LABOUR, WAGES, GDP = "0000010101", "0003005798", "0003425893", "0003109741"


@pytest.mark.parametrize(
    ("word", "found", "not_found"),
    [
        ("総人口", [POPULATION], [LABOUR]),
        ("労働力調査", [LABOUR], [WAGES]),
        ("就業者 AND 性別", [LABOUR], ["9900000001"]),
        ("就業者 性別", [LABOUR], ["9900000001"]),
        ("GDP", [GDP], [LABOUR]),
        ("ｇｄｐ", [GDP], [LABOUR]),
        ("GDP OR 賃金構造基本統計調査", [GDP, WAGES], [LABOUR]),
        ("就業 NOT 労働力調査", ["9900000001"], [LABOUR]),
        ("NOT 生成データ", [POPULATION, LABOUR, WAGES, GDP], ["9900000001"]),
        ("GDP OR 就業者 AND NOT 生成データ", [GDP, LABOUR], ["9900000001"]),
        ("東京都 NOT 総人口", ["9900000012"], [POPULATION]),
    ],
)
def test_words_are_searched_in_titles_statistics_surveys_and_items(client, word, found, not_found):
    ids = client.ids(searchWord=word)
    assert set(found) <= set(ids)
    assert not set(not_found) & set(ids)
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    "word", ["AND", "人口 AND", "OR 人口", "人口 OR", "人口 AND AND 世帯", "NOT", "NOT NOT 人口", "人口 AND OR 世帯"]
)
def test_an_operator_without_its_word_is_refused(client, word):
    status = client.status("getStatsList", searchWord=word)
    assert status == (102, "検索キーワード（searchWord）の値が正しくありません。")


terms = st.tuples(st.sampled_from(["人口", "世帯", "ＧＤＰ", "2020年"]), st.booleans())


@given(
    st.lists(st.lists(terms, min_size=1, max_size=3), min_size=1, max_size=3),
    st.sets(st.sampled_from(["人口", "世帯", "GDP", "2020年"])),
    st.sampled_from([" ", "\u3000", "  "]),
    st.booleans(),
)
def test_words_mean_what_they_say(alternatives, present, space, spell_and):
    """Words written from a list of alternatives match exactly the texts that the list describes."""
    joined = f"{space}AND{space}" if spell_and else space
    written = f"{space}OR{space}".join(
        joined.join(word if wanted else f"NOT{space}{word}" for word, wanted in group) for group in alternatives
    )
    have = {words.fold(word) for word in present}
    expected = any(all((words.fold(word) in have) is wanted for word, wanted in group) for group in alternatives)
    assert words.parse(written).matches(words.fold("、".join(sorted(present)))) is expected


def parsed_or_refused(text):
    try:
        return words.parse(text)
    except RefusalError as refused:
        return refused


@given(st.text(alphabet="AND ORT人口", max_size=30))
def test_any_text_is_either_a_query_or_refused(text):
    result = parsed_or_refused(text)
    assert result.status[0] == 102 if isinstance(result, RefusalError) else all(result.alternatives)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"statsField": "07"}, [GDP, "9900000004", "9900000005"]),
        ({"statsField": "0705"}, [GDP]),
        ({"statsField": "0201"}, ["9900000002"]),
        ({"statsCode": "00200531"}, [LABOUR]),
        ({"statsCode": "00200"}, [POPULATION, LABOUR]),
        ({"statsField": "03", "statsCode": "00450"}, [WAGES]),
        ({"collectArea": "3"}, ["9900000014"]),
        ({"searchKind": "1", "statsField": "0302"}, [WAGES]),
        ({"searchKind": "2"}, []),
        ({"openYears": "2022"}, [GDP]),
        ({"openYears": "202209"}, [GDP]),
        ({"openYears": "202105-202209"}, [GDP, WAGES]),
        ({"updatedDate": "2025"}, [POPULATION]),
        ({"updatedDate": "202408"}, [LABOUR]),
        ({"updatedDate": "20220916"}, [GDP]),
        ({"updatedDate": "20210716-20220915"}, [WAGES]),
        ({"surveyYears": "2022", "statsCode": "00100"}, [GDP]),
        ({"surveyYears": "202205"}, [GDP, "9900000006"]),
        ({"surveyYears": "201912-202001"}, ["9900000008"]),
        ({"surveyYears": "2020"}, ["9900000007", "9900000008"]),
        ({"surveyYears": "0500"}, []),
    ],
)
def test_each_filter_finds_its_tables(client, params, expected):
    assert client.ids(**params) == sorted(expected)


@pytest.mark.parametrize(
    "params",
    [
        {"updatedDate": "2022-09-16"},
        {"updatedDate": "202213"},
        {"updatedDate": "20220916-"},
        {"updatedDate": "20220917-20220916"},
        {"openYears": "20220916"},
        {"surveyYears": "22"},
        {"surveyYears": "2015-2020"},
    ],
)
def test_a_malformed_date_is_refused(client, params):
    assert client.status("getStatsList", **params)[0] == 102


@given(st.dates(), st.dates())
def test_a_day_is_in_the_periods_that_hold_it(day, other):
    one, two = sorted((f"{day:%Y%m%d}".zfill(8), f"{other:%Y%m%d}".zfill(8)))
    span = periods.span(day.isoformat())
    assert periods.overlap(span, periods.parse("updatedDate", f"{one}-{two}"))
    assert periods.overlap(span, periods.parse("updatedDate", one)) is (one == span[0])
    assert periods.overlap(span, periods.span(span[0][:4]))


def test_small_area_tables_are_another_kind_and_have_no_collect_area(sandbox):
    small = replace(sandbox.tables[POPULATION], facts={**sandbox.tables[POPULATION].facts, "SMALL_AREA": 2})
    with Sandbox([small, sandbox.tables[LABOUR]]) as own:
        client = Client(own.base_url)
        assert client.ids(searchKind="2", collectArea="3") == [POPULATION]
        assert client.ids() == [LABOUR]


def test_the_names_of_surveys_are_listed_once_each(client):
    answer = client.ask("getStatsList", statsNameList="Y", statsCode="00200")
    assert answer["PARAMETER"] == {"LANG": "J", "STATS_CODE": "00200", "STATS_NAME_LIST": "Y", "DATA_FORMAT": "J"}
    assert answer["DATALIST_INF"] == {
        "NUMBER": 2,
        "RESULT_INF": {"FROM_NUMBER": 1, "TO_NUMBER": 2},
        "LIST_INF": [
            {
                "@id": code,
                "STAT_NAME": {"@code": code, "$": name},
                "GOV_ORG": {"@code": "00200", "$": "総務省"},
            }
            for code, name in (("00200502", "社会・人口統計体系"), ("00200531", "労働力調査"))
        ],
    }


def test_one_survey_is_a_single_object(client):
    listed = client.ask("getStatsList", statsNameList="Y", statsCode="00100409")["DATALIST_INF"]
    assert listed["LIST_INF"]["STAT_NAME"]["$"] == "国民経済計算"


def test_a_list_has_the_shape_of_a_real_one(client):
    real = real_document("getStatsList_single_table.json")["GET_STATS_LIST"]
    ours = client.ask("getStatsList", statsCode="00200502", limit=1)
    assert ours["PARAMETER"] == real["PARAMETER"]
    assert ours["DATALIST_INF"]["RESULT_INF"] == real["DATALIST_INF"]["RESULT_INF"]
    table, real_table = ours["DATALIST_INF"]["TABLE_INF"], real["DATALIST_INF"]["TABLE_INF"]
    assert list(table) == list(real_table)
    assert {name: type(part) for name, part in table.items() if name != "DESCRIPTION"} == {
        name: type(part) for name, part in real_table.items() if name != "DESCRIPTION"
    }


def test_parameters_that_look_like_numbers_come_back_as_numbers(client):
    parameter = client.ask("getStatsList", surveyYears="2015", statsField="02", statsCode="00200521", limit=10)[
        "PARAMETER"
    ]
    assert parameter == {
        "LANG": "J",
        "SURVEY_YEARS": 2015,
        "STATS_FIELD": "02",
        "STATS_CODE": "00200521",
        "DATA_FORMAT": "J",
        "LIMIT": 10,
    }


def test_every_table_says_when_its_answer_was_made_in_japanese_time(client):
    date = client.ask("getStatsList", limit=1)["RESULT"]["DATE"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+09:00", date)
