"""getStatsDatas: several tables by POST, each part with the number of its request."""

from __future__ import annotations

import json

import pytest
import requests

from tests.replay import as_list, real_document
from tests.sandbox.client import APP_ID

LABOUR, SINGLE, POPULATION = "0003005798", "9900000013", "0000010101"


def post(client, specs, **params):
    text = specs if isinstance(specs, str) else json.dumps(specs)
    form = {"appId": APP_ID, "statsDatasSpec": text, **params}
    response = requests.post(f"{client.base_url}/json/getStatsDatas", data=form, timeout=10)
    assert response.status_code == 200
    return response.json()["GET_STATS_DATAS"]


def parts(answer, name):
    listed = answer["STATISTICAL_DATA_LIST"].get(f"{name}_LIST", {}).get(name)
    return {part["@requestNo"]: part for part in as_list(listed)}


def test_every_part_has_the_number_of_its_request_and_holds_what_getstatsdata_holds(client):
    narrow = {"statsDataId": POPULATION, "cdArea": "13000,27000", "cdTimeFrom": "2020100000"}
    answer = post(client, [{"statsDataId": LABOUR}, narrow])
    assert answer["RESULT"]["STATUS"] == 0
    for number, spec in {"1": {"statsDataId": LABOUR}, "2": narrow}.items():
        alone = client.ask("getStatsData", **spec)["STATISTICAL_DATA"]
        for name in ("TABLE_INF", "CLASS_INF", "DATA_INF"):
            assert parts(answer, name)[number] == alone[name] | {"@requestNo": number}
    assert answer["STATISTICAL_DATA_LIST"]["RESULT_INF"] == {"TOTAL_NUMBER": 15 + 10}


def test_one_request_gives_single_objects_in_the_official_shape(client):
    answer = post(client, [{"statsDataId": LABOUR, "cdAreaFrom": "00000", "cdAreaTo": "00000"}], metaGetFlg="Y")
    path = real_document("openapi_e-stat_3.0.json")["paths"]["/rest/3.0/app/json/getStatsDatas"]["post"]
    content = path["responses"]["200"]["content"]["application/json"]["examples"]
    official = content["example-1"]["value"]["GET_STATS_DATAS"]
    assert set(answer) == set(official)
    assert set(answer["PARAMETER_LIST"]["PARAMETER"]) <= set(official["PARAMETER_LIST"]["PARAMETER"])
    listed, theirs = answer["STATISTICAL_DATA_LIST"], official["STATISTICAL_DATA_LIST"]
    assert list(listed) == list(theirs)
    for name in ("TABLE_INF", "CLASS_INF", "DATA_INF"):
        assert list(listed[f"{name}_LIST"][name])[:2] == list(theirs[f"{name}_LIST"][name])[:2]


def test_single_quotes_are_taken_as_in_the_official_example(client):
    answer = post(client, f"[{{'statsDataId':'{LABOUR}','cdCat02':'02'}}]")
    assert answer["PARAMETER_LIST"]["PARAMETER"]["NARROWING_COND"] == {"CODE_CAT02_SELECT": "02"}
    assert len(parts(answer, "DATA_INF")["1"]["VALUE"]) == 3


def test_what_all_share_may_be_given_once(client):
    answer = post(client, [{"statsDataId": LABOUR}, {"statsDataId": SINGLE}], metaGetFlg="N", replaceSpChars="3")
    assert parts(answer, "CLASS_INF") == {}
    assert set(parts(answer, "DATA_INF")) == {"1", "2"}
    assert answer["PARAMETER_LIST"]["METAGET_FLG"] == "N"


def test_a_request_that_selects_nothing_is_status_2_and_has_no_data(client):
    answer = post(client, [{"statsDataId": LABOUR}, {"statsDataId": SINGLE, "cdCat01": "nothing"}])
    assert answer["RESULT"]["STATUS"] == 2
    assert set(parts(answer, "DATA_INF")) == {"1"}
    assert set(parts(answer, "TABLE_INF")) == {"1", "2"}
    assert post(client, [{"statsDataId": SINGLE, "cdCat01": "nothing"}])["RESULT"]["STATUS"] == 1


@pytest.mark.parametrize(
    ("specs", "status"),
    [
        ([{"statsDataId": LABOUR}, {"statsDataId": "0000000000"}], 300),
        ([{"statsDataId": LABOUR, "lvArea": "x"}], 102),
        ([{}], 101),
        ("", 101),
        ("no JSON", 102),
        ([], 102),
        ([LABOUR], 102),
    ],
)
def test_what_is_refused(client, specs, status):
    answer = post(client, specs)
    assert answer["RESULT"]["STATUS"] == status
    assert set(answer) == {"RESULT", "PARAMETER_LIST"}


def test_a_wrong_application_id_is_status_100(client):
    assert post(client, [{"statsDataId": LABOUR}], appId="invalid")["RESULT"]["STATUS"] == 100


def test_it_takes_no_get(client):
    response = client.get("getStatsDatas", statsDatasSpec="[]")
    assert response.status_code == 405
