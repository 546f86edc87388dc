"""postDataset, refDataset, and reading a dataset: a part of a table under a name."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import requests

from estat_dagster.sandbox.server import Sandbox
from tests.replay import as_list
from tests.sandbox.client import APP_ID, Client

LABOUR, SINGLE = "0003005798", "9900000013"


@pytest.fixture
def own(sandbox):
    with Sandbox([sandbox.tables[LABOUR], sandbox.tables[SINGLE]]) as running:
        yield Client(running.base_url)


def post(client, **form):
    response = requests.post(f"{client.base_url}/postDataset", data={"appId": APP_ID, **form}, timeout=10)
    return response.status_code, ElementTree.fromstring(response.content)


def words(root, path):
    return root.findtext(path)


def test_a_dataset_is_registered_read_listed_replaced_and_deleted(own):
    code, answer = post(own, statsDataId=LABOUR, dataSetId="mine_1", dataSetName="就業者", cdCat02="02")
    assert (code, words(answer, "RESULT/STATUS"), answer.find("REGIST_INF").attrib) == (200, "0", {"mode": "add"})
    assert words(answer, "REGIST_INF/TOTAL_NUMBER") == "3"
    assert words(answer, "PARAMETER/NARROWING_COND/CODE_CAT02_SELECT") == "02"

    read = own.ask("getStatsData", dataSetId="mine_1")
    assert read["PARAMETER"]["DATASET_ID"] == "mine_1"
    assert read["STATISTICAL_DATA"]["DATA_INF"]["VALUE"] == own.values(LABOUR, cdCat02="02")
    assert len(own.ask("getStatsData", dataSetId="mine_1", cdCat03="1")["STATISTICAL_DATA"]["CLASS_INF"]) == 1

    shown = own.ask("refDataset", dataSetId="mine_1")["DATASET_INF"]
    assert shown["NARROWING_COND"] == {"CODE_CAT02_SELECT": "02"}
    assert (shown["DATASET_NAME"], shown["PUBLIC_STATE"]) == ("就業者", "NO")
    assert shown["RESULT_INF"] == {"TOTAL_NUMBER": 3}
    assert shown["TABLE_INF"]["@id"] == LABOUR
    assert "TITLE_SPEC" not in shown["TABLE_INF"]

    _, answer = post(own, statsDataId=LABOUR, dataSetId="mine_1", cdCat03="1", openSpecified="1")
    assert answer.find("REGIST_INF").attrib == {"mode": "update"}
    assert own.ask("refDataset", dataSetId="mine_1")["DATASET_INF"]["PUBLIC_STATE"] == "YES"

    code, answer = post(own, dataSetId="mine_1", processMode="D")
    assert (code, answer.find("REGIST_INF").attrib) == (200, {"mode": "delete"})
    assert own.status("refDataset", dataSetId="mine_1")[0] == 300


def test_without_an_id_all_are_listed(own):
    assert own.ask("refDataset")["DATASET_LIST_INF"] == {"NUMBER": 0}
    for name in ("b", "a"):
        post(own, statsDataId=SINGLE, dataSetId=name, cdTime="max")
    [(root, answer)] = own.get("refDataset").json().items()
    assert root == "GET_DATASET_LIST"
    assert answer["DATASET_LIST_INF"]["NUMBER"] == 2
    assert [each["@id"] for each in answer["DATASET_LIST_INF"]["DATASET_INF"]] == ["a", "b"]
    area = own.ask("refDataset", collectArea="3")["DATASET_LIST_INF"]
    assert as_list(area.get("DATASET_INF")) == []


def test_an_id_is_given_where_none_is_said_and_two_never_share_it(own):
    ids = {words(post(own, statsDataId=LABOUR, cdCat02="02")[1], "REGIST_INF/DATASET_ID") for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"00200531-\d{14}(-\d)?", each) for each in ids)


@pytest.mark.parametrize(
    ("form", "code", "status"),
    [
        ({"statsDataId": LABOUR}, 400, "101"),
        ({"cdCat02": "02"}, 400, "101"),
        ({"processMode": "D"}, 400, "101"),
        ({"processMode": "D", "dataSetId": "none"}, 400, "300"),
        ({"statsDataId": "9999999", "cdCat02": "02"}, 400, "300"),
        ({"statsDataId": LABOUR, "cdCat02": "02", "dataSetId": "日本"}, 400, "102"),
        ({"statsDataId": LABOUR, "cdCat02": "02", "dataSetId": "x" * 31}, 400, "102"),
        ({"statsDataId": LABOUR, "cdCat02": "02", "processMode": "X"}, 400, "102"),
        ({"statsDataId": LABOUR, "cdCat02": "02", "appId": "invalid"}, 403, "100"),
    ],
)
def test_what_is_refused(own, form, code, status):
    found, answer = post(own, **form)
    assert (found, words(answer, "RESULT/STATUS")) == (code, status)
    assert answer.find("REGIST_INF") is None
    assert own.ask("refDataset")["DATASET_LIST_INF"] == {"NUMBER": 0}


def test_registering_has_no_json_form(own):
    assert requests.post(f"{own.base_url}/json/postDataset", data={"appId": APP_ID}, timeout=10).status_code == 404
