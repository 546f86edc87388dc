"""getDataCatalog: files and their addresses."""

from __future__ import annotations

import pytest
import requests

from tests.replay import as_list, real_document


def found(client, **params):
    listed = client.ask("getDataCatalog", **params)["DATA_CATALOG_LIST_INF"]
    return [each["@id"][-1] for each in as_list(listed.get("DATA_CATALOG_INF"))]


def resources(client, **params):
    listed = client.ask("getDataCatalog", **params)["DATA_CATALOG_LIST_INF"]
    return [file for each in as_list(listed["DATA_CATALOG_INF"]) for file in as_list(each["RESOURCES"]["RESOURCE"])]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ["1", "2", "3"]),
        ({"searchWord": "価格"}, ["1", "2"]),
        ({"searchWord": "冊数 NOT 価格"}, ["3"]),
        ({"surveyYears": "2023"}, ["1"]),
        ({"openYears": "202403-202412"}, ["1"]),
        ({"updatedDate": "20240310-20240331"}, ["1"]),
        ({"statsField": "12"}, ["3"]),
        ({"statsField": "0703"}, ["1", "2"]),
        ({"statsCode": "99900082"}, ["3"]),
        ({"statsCode": "99900"}, ["1", "2", "3"]),
        ({"collectArea": "2"}, ["3"]),
        ({"dataType": "PDF"}, ["1"]),
        ({"dataType": "PDF,DB"}, ["1", "3"]),
        ({"dataType": "XLS"}, []),
        ({"catalogId": "990000000002"}, ["2"]),
        ({"resourceId": "990000001004"}, ["3"]),
        ({"limit": "1", "startPosition": "2"}, ["2"]),
    ],
)
def test_what_is_found(client, params, expected):
    assert found(client, **params) == expected


def test_pages_say_where_the_next_one_starts(client):
    listed = client.ask("getDataCatalog", limit=2)["DATA_CATALOG_LIST_INF"]
    assert (listed["NUMBER"], listed["RESULT_INF"]) == (3, {"FROM_NUMBER": 1, "TO_NUMBER": 2, "NEXT_KEY": 3})
    listed = client.ask("getDataCatalog", limit=2, startPosition=3)["DATA_CATALOG_LIST_INF"]
    assert listed["RESULT_INF"] == {"FROM_NUMBER": 3, "TO_NUMBER": 3}


def test_nothing_found_is_status_1(client):
    answer = client.ask("getDataCatalog", searchWord="どこにもない言葉")
    assert answer["RESULT"]["STATUS"] == 1
    assert answer["DATA_CATALOG_LIST_INF"] == {"NUMBER": 0, "RESULT_INF": ""}


def test_a_catalogue_shows_only_the_files_that_are_asked_for(client):
    assert {file["FORMAT"] for file in resources(client, dataType="CSV")} == {"CSV"}
    assert len(resources(client, catalogId="990000000001")) == 2


def test_the_address_of_a_file_gives_the_file(client):
    [csv] = resources(client, catalogId="990000000002")
    response = requests.get(csv["URL"], timeout=10)
    assert response.content.decode("cp932").splitlines()[1] == "米,3400"
    [pdf] = resources(client, dataType="PDF")
    assert requests.get(pdf["URL"], timeout=10).content.startswith(b"%PDF")
    [table] = resources(client, dataType="DB")
    assert requests.get(table["URL"], timeout=10).status_code == 404


def test_a_wrong_type_is_status_102(client):
    expected = (102, "検索データ形式（dataType）の値が正しくありません。")
    assert client.status("getDataCatalog", dataType="XLST") == expected


def test_an_answer_has_the_shape_of_the_official_example(client):
    path = real_document("openapi_e-stat_3.0.json")["paths"]["/rest/3.0/app/json/getDataCatalog"]["get"]
    official = path["responses"]["200"]["content"]["application/json"]["examples"]["example-1"]["value"]
    theirs = official["GET_DATA_CATALOG"]["DATA_CATALOG_LIST_INF"]["DATA_CATALOG_INF"]
    ours = client.ask("getDataCatalog", limit=1, dataType="CSV")["DATA_CATALOG_LIST_INF"]["DATA_CATALOG_INF"]
    their_sub = {"TABULATION_SUB_CATEGORY1", "TABULATION_SUB_CATEGORY2"}
    assert set(ours) == set(theirs)
    assert list(ours["DATASET"]) == list(theirs["DATASET"])
    assert set(ours["DATASET"]["TITLE"]) == set(theirs["DATASET"]["TITLE"]) | their_sub
    assert list(ours["RESOURCES"]["RESOURCE"]) == list(theirs["RESOURCES"]["RESOURCE"])
    assert list(ours["RESOURCES"]["RESOURCE"]["TITLE"]) == list(theirs["RESOURCES"]["RESOURCE"]["TITLE"])
