"""STATUS and ERROR_MSG: errors are JSON with HTTP 200, in e-Stat's own words."""

from __future__ import annotations

import pytest
import requests

from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.server import Sandbox
from tests.replay import real_document
from tests.sandbox.client import Client

FUNCTIONS = ("getStatsList", "getMetaInfo", "getStatsData")
DONE = (0, "正常に終了しました。")
NO_DATA = (1, "正常に終了しましたが、該当データはありませんでした。")
NOT_AUTHENTICATED = (100, "認証に失敗しました。アプリケーションIDを確認して下さい。")
UNEXPECTED = (299, "予期しないエラーが発生しました。管理者に問い合わせて下さい。")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_status_0(client, function):
    assert client.status(function, statsDataId="0003005798") == DONE


def test_status_1_of_a_search_that_finds_nothing(client):
    answer = client.ask("getStatsList", searchWord="どこにもない言葉")
    assert (answer["RESULT"]["STATUS"], answer["RESULT"]["ERROR_MSG"]) == NO_DATA
    assert answer["DATALIST_INF"] == {"NUMBER": 0, "RESULT_INF": ""}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("app_id", ["", "invalid", "invalid-0123"])
def test_status_100_for_a_wrong_application_id(client, function, app_id):
    assert client.status(function, appId=app_id, statsDataId="0003005798") == NOT_AUTHENTICATED


def test_status_100_without_an_application_id(client):
    response = requests.get(f"{client.base_url}/json/getStatsData", params={"statsDataId": "0003005798"}, timeout=10)
    assert response.status_code == 200
    assert response.json()["GET_STATS_DATA"]["RESULT"]["STATUS"] == 100


def test_status_101_without_a_table(client):
    assert client.status("getMetaInfo") == (101, "統計表ID（statsDataId）を指定して下さい。")
    expected = (101, "統計表ID（statsDataId）または データセットID（dataSetId）のどちらか一方を指定して下さい。")
    assert client.status("getStatsData") == expected
    assert client.status("getStatsData", statsDataId="0003005798", dataSetId="mine") == expected


@pytest.mark.parametrize(
    ("function", "params", "label"),
    [
        ("getStatsList", {"collectArea": "5"}, "集計地域区分（collectArea）"),
        ("getStatsList", {"statsField": "1"}, "統計分野（statsField）"),
        ("getStatsList", {"statsCode": "002005"}, "政府統計コード（statsCode）"),
        ("getStatsList", {"searchKind": "3"}, "検索データ種別（searchKind）"),
        ("getStatsList", {"limit": "0"}, "データ取得件数（limit）"),
        ("getStatsData", {"limit": "100001"}, "データ取得件数（limit）"),
        ("getStatsData", {"startPosition": "0"}, "データ取得開始位置（startPosition）"),
        ("getStatsData", {"startPosition": "１"}, "データ取得開始位置（startPosition）"),
        ("getStatsData", {"metaGetFlg": "yes"}, "メタ情報有無（metaGetFlg）"),
        ("getStatsData", {"cntGetFlg": "1"}, "件数取得フラグ（cntGetFlg）"),
        ("getStatsData", {"replaceSpChars": "4"}, "特殊文字の置換（replaceSpChars）"),
        ("getMetaInfo", {"lang": "F"}, "取得言語（lang）"),
    ],
)
def test_status_102_for_a_wrong_value(client, function, params, label):
    status = client.status(function, statsDataId="0003005798", **params)
    assert status == (102, f"{label}の値が正しくありません。")


@pytest.mark.parametrize("function", ["getMetaInfo", "getStatsData"])
@pytest.mark.parametrize("table_id", ["9999999", "0000000000", "東京"])
def test_status_300_for_an_unknown_table(client, function, table_id):
    expected = f"統計表ID（statsDataId）=[{table_id}]のデータは存在しません。IDを確認して下さい。"
    assert client.status(function, statsDataId=table_id) == (300, expected)


def test_status_300_for_a_dataset(client):
    expected = "データセットID（dataSetId）=[test_000011]のデータは存在しません。IDを確認して下さい。"
    assert client.status("getStatsData", dataSetId="test_000011") == (300, expected)


def test_status_299_when_the_server_itself_fails(sandbox, caplog):
    def fail():
        raise RuntimeError("a table that cannot be read")

    broken = Table(sandbox.tables["9900000013"].facts, sandbox.tables["9900000013"].axes, fail)
    with Sandbox([broken]) as own:
        client = Client(own.base_url)
        assert client.status("getStatsData", statsDataId=broken.id) == UNEXPECTED
        assert client.status("getStatsData", statsDataId="0000000000")[0] == 300
    assert "a table that cannot be read" in caplog.text
    assert "any-application-id" not in caplog.text


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_error_has_the_shape_of_the_official_examples(client, function):
    [(root, official)] = real_document(f"errors/{function}_forbidden.json").items()
    names = {"STATS_DATA_ID": "statsDataId", "SURVEY_YEARS": "surveyYears", "STATS_CODE": "statsCode", "LIMIT": "limit"}
    params = {sent: official["PARAMETER"][shown] for shown, sent in names.items() if shown in official["PARAMETER"]}
    [(our_root, answer)] = client.get(function, **params | {"appId": "invalid"}).json().items()
    assert our_root == root
    assert set(answer) == {"RESULT", "PARAMETER"}
    assert {**answer["RESULT"], "DATE": ""} == {**official["RESULT"], "DATE": ""}
    assert set(answer["PARAMETER"]) <= set(official["PARAMETER"]) | {"METAGET_FLG"}
    assert {name: str(answer["PARAMETER"][name]) for name in names if name in official["PARAMETER"]} == {
        name: str(official["PARAMETER"][name]) for name in names if name in official["PARAMETER"]
    }


@pytest.mark.parametrize(
    "path", ["/", "/rest/3.0/app/json/getNothing", "/rest/3.0/app/getSimpleStatsData", "/rest/2.1/app"]
)
def test_an_unknown_path_is_a_404_with_html(client, path):
    origin = client.base_url.removesuffix("/rest/3.0/app")
    response = requests.get(f"{origin}{path}", params={"appId": "any-application-id"}, timeout=10)
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")
    assert "any-application-id" not in response.text
