"""Files, registered datasets, several small tables at once, and English names, from the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from estat_dagster.errors import ApiError, DataError, ValidationError
from estat_dagster.estat.bulk import fetch_small_tables
from estat_dagster.estat.client import EstatClient
from estat_dagster.estat.files import search_files
from estat_dagster.estat.registered import get_registered, list_registered
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import body
from tests.estat.loopback import Loopback, Reply
from tests.estat.small_table import client_of

LABOUR, POPULATION, SINGLE = "0003005798", "0000010101", "9900000013"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> EstatClient:
    return client_of(sandbox.base_url)


def test_files_come_the_last_changed_first_with_their_address(client: EstatClient):
    found = search_files(client, "価格")
    assert [file.id for file in found] == ["990000001003", "990000001001", "990000001002"]
    assert [file.kind for file in found] == ["CSV", "CSV", "PDF"]
    assert [file.modified for file in found] == ["2025-03-14", "2024-03-15", "2024-03-01"]
    assert requests.get(found[0].url, timeout=10).ok
    assert found[0].survey.startswith("店頭価格の調査")


def test_files_are_narrowed_by_kind_and_by_e_stats_other_parameters(client: EstatClient):
    assert {file.kind for file in search_files(client, kinds=("PDF", "DB"))} == {"PDF", "DB"}
    assert {file.catalog_id for file in search_files(client, catalogId="990000000002")} == {"990000000002"}
    assert search_files(client, "どこにもない言葉") == []
    with pytest.raises(ApiError, match="dataType"):
        search_files(client, kinds=("XLST",))


def listed(number: int, entries: list[str], **inf: int) -> Reply:
    resource = {"RESOURCE": {"@id": "f", "FORMAT": "CSV"}}
    found = [{"@id": each, "DATASET": {"TITLE": ""}, "RESOURCES": resource} for each in entries]
    part = {"NUMBER": number, "RESULT_INF": inf, "DATA_CATALOG_INF": found}
    return Reply(body({"GET_DATA_CATALOG": {"RESULT": {"STATUS": 0}, "DATA_CATALOG_LIST_INF": part}}))


def test_the_pages_of_a_list_of_files_are_followed_and_counted():
    with Loopback([listed(3, ["a", "b"], NEXT_KEY=3), listed(3, ["c"])]) as server:
        assert sorted(file.catalog_id for file in search_files(client_of(server.base_url))) == ["a", "b", "c"]
        assert [seen.params["startPosition"] for seen in server.requests] == ["1", "3"]
    for pages in ([listed(3, ["a", "b"])], [listed(3, [], NEXT_KEY=3)]):
        with Loopback(pages) as server, pytest.raises(DataError):
            search_files(client_of(server.base_url))


def test_registered_datasets_are_listed_and_read(sandbox: Sandbox):
    with Sandbox([sandbox.tables[LABOUR]]) as own:
        client = client_of(own.base_url)
        assert list_registered(client) == []
        form = {"appId": "id", "statsDataId": LABOUR, "dataSetId": "mine", "dataSetName": "就業者", "cdCat02": "02"}
        requests.post(f"{own.base_url}/postDataset", data=form, timeout=10).raise_for_status()
        [one] = list_registered(client)
        assert (one.id, one.is_public, one.total_number, one.table.id) == ("mine", False, 3, LABOUR)
        read = get_registered(client, "mine")
        assert (read.name, read.narrowing) == ("就業者", {"CODE_CAT02_SELECT": "02"})
        with pytest.raises(ApiError) as caught:
            get_registered(client, "other")
    assert caught.value.status == 300


def test_several_small_tables_come_in_one_request_as_each_alone(sandbox: Sandbox, client: EstatClient):
    asked = [(LABOUR, {}), (POPULATION, {"area": "13000,27000", "time": "2020100000.."}), (LABOUR, {"cat02": "02"})]
    sandbox.requests.clear()
    tables = fetch_small_tables(client, asked)
    assert len(sandbox.requests) == 1
    for (dataset_id, scope), table in zip(asked, tables, strict=True):
        [alone] = fetch_small_tables(client, [(dataset_id, scope)])
        assert table == alone
        assert table.metadata.table.id == dataset_id
    assert [len(table.records) for table in tables] == [15, 10, 3]
    assert tables[0].metadata.axes


def test_a_part_without_records_is_empty_and_no_error(client: EstatClient):
    tables = fetch_small_tables(client, [(LABOUR, {}), (LABOUR, {"cat02": "99"})])
    assert [len(table.records) for table in tables] == [15, 0]


def test_tables_that_are_too_many_or_not_there_are_refused(client: EstatClient):
    for count in (0, 101):
        with pytest.raises(ValidationError):
            fetch_small_tables(client, [(LABOUR, {})] * count)
    with pytest.raises(ApiError, match="STATUS 300"):
        fetch_small_tables(client, [(LABOUR, {}), ("0009999999", {})])


def bulk(total: int, numbers: tuple[int, ...]) -> Reply:
    infs = [{"@id": LABOUR, "@requestNo": n} for n in numbers]
    datas = [{"@requestNo": n, "VALUE": {"$": "1"}} for n in numbers]
    parts = {"TABLE_INF_LIST": {"TABLE_INF": infs}, "DATA_INF_LIST": {"DATA_INF": datas}}
    data = {"RESULT_INF": {"TOTAL_NUMBER": total}, **parts}
    return Reply(body({"GET_STATS_DATAS": {"RESULT": {"STATUS": 0}, "STATISTICAL_DATA_LIST": data}}))


@pytest.mark.parametrize("reply", [bulk(3, (1, 2)), bulk(1, (1, 2)), bulk(1, (1,)), bulk(2, (1, 3))])
def test_an_answer_that_is_not_whole_or_of_other_tables_is_a_data_error(reply: Reply):
    with Loopback([reply]) as server, pytest.raises(DataError):
        fetch_small_tables(client_of(server.base_url), [(LABOUR, {}), (LABOUR, {"cat02": "02"})])


def meta(title: str, names: tuple[str, str]) -> Reply:
    classes = [{"@code": str(n), "@name": name} if name else {"@code": str(n)} for n, name in enumerate(names)]
    inf = {"TABLE_INF": {"@id": LABOUR, "TITLE": title}, "CLASS_INF": {"CLASS_OBJ": {"@id": "area", "CLASS": classes}}}
    inf["CLASS_INF"]["CLASS_OBJ"]["@name"] = "Area" if title else "地域"
    return Reply(body({"GET_META_INFO": {"RESULT": {"STATUS": 0}, "METADATA_INF": inf}}))


def test_english_names_are_japanese_where_there_are_none():
    english, japanese = meta("Labour", ("Japan", "")), meta("労働", ("全国", "東京都"))
    with Loopback(lambda params: english if params.get("lang") == "E" else japanese) as server:
        metadata = client_of(server.base_url).get_metadata(LABOUR, lang="E")
    assert metadata.table.title == "Labour"
    assert [(axis.name, [item.name for item in axis.classes]) for axis in metadata.axes] == [
        ("Area", ["Japan", "東京都"])
    ]


def test_where_all_names_are_english_one_request_is_enough():
    with Loopback([meta("Labour", ("Japan", "Tokyo"))]) as server:
        assert client_of(server.base_url).get_metadata(LABOUR, lang="E").table.title == "Labour"
        [seen] = server.requests
    assert seen.params["lang"] == "E"


def test_the_sandbox_answers_in_english_too(client: EstatClient):
    metadata = client.get_metadata(LABOUR, lang="E")
    japanese = client.get_metadata(LABOUR)
    assert metadata.is_named
    assert [axis.id for axis in metadata.axes] == [axis.id for axis in japanese.axes]
    assert metadata.axes != japanese.axes
