"""The XML forms: the same answers, and errors with HTTP 400, 403 and 500."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import requests

from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.server import Sandbox
from tests.replay import real_text
from tests.sandbox.client import APP_ID

LABOUR = "0003005798"


def get(base_url, function, **params):
    response = requests.get(f"{base_url}/{function}", params={"appId": APP_ID, **params}, timeout=10)
    return response, ElementTree.fromstring(response.content)


def test_the_records_are_those_of_the_json_form(client):
    response, root = get(client.base_url, "getStatsData", statsDataId=LABOUR)
    assert response.headers["Content-Type"] == "application/xml;charset=utf-8"
    assert (response.status_code, root.tag) == (200, "GET_STATS_DATA")
    found = [{f"@{key}": text for key, text in node.attrib.items()} | {"$": node.text} for node in root.iter("VALUE")]
    assert found == client.values(LABOUR)
    assert root.findtext("PARAMETER/DATA_FORMAT") == "X"
    assert root.find("STATISTICAL_DATA/TABLE_INF").attrib == {"id": LABOUR}


def test_special_characters_survive(sandbox):
    odd = sandbox.tables["9900000013"]
    cells = [odd.cells[0]._replace(value="<&\"'> 東京")]
    with Sandbox([odd.revised(cells=cells)]) as own:
        _, root = get(own.base_url, "getStatsData", statsDataId=odd.id)
    assert root.findtext("STATISTICAL_DATA/DATA_INF/VALUE") == "<&\"'> 東京"


@pytest.mark.parametrize(
    ("function", "params", "code", "status"),
    [
        ("getStatsData", {}, 400, "101"),
        ("getMetaInfo", {"statsDataId": LABOUR, "lang": "F"}, 400, "102"),
        ("getMetaInfo", {"statsDataId": "0000000000"}, 400, "300"),
        ("getStatsList", {"appId": "invalid"}, 403, "100"),
        ("getStatsList", {"searchWord": "どこにもない言葉"}, 200, "1"),
        ("getDataCatalog", {}, 200, "0"),
        ("refDataset", {"dataSetId": "none"}, 400, "300"),
    ],
)
def test_the_http_status_follows_the_status(client, function, params, code, status):
    response, root = get(client.base_url, function, **params)
    assert (response.status_code, root.findtext("RESULT/STATUS")) == (code, status)
    assert APP_ID not in response.text


def test_trouble_of_the_server_is_http_500(sandbox):
    def fail():
        raise RuntimeError("a table that cannot be read")

    broken = Table(sandbox.tables["9900000013"].facts, sandbox.tables["9900000013"].axes, fail)
    with Sandbox([broken]) as own:
        response, root = get(own.base_url, "getStatsData", statsDataId=broken.id)
    assert (response.status_code, root.findtext("RESULT/STATUS")) == (500, "299")


def test_an_error_has_the_shape_of_the_official_example(client):
    official = ElementTree.fromstring(real_text("errors/getStatsData_http400.xml"))
    names = {"cdTabFrom": "min", "cdTabTo": "max", "limit": "10", "metaGetFlg": "Y", "cntGetFlg": "N"}
    response, root = get(client.base_url, "getStatsData", **names)
    assert response.status_code == 400
    assert root.attrib == official.attrib
    assert root.findtext("RESULT/ERROR_MSG") == official.findtext("RESULT/ERROR_MSG")
    shown = [(node.tag, node.text) for node in root.find("PARAMETER") if len(node) == 0]
    assert set(shown) <= {(node.tag, node.text) for node in official.find("PARAMETER")}
