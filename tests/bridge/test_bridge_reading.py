"""The reading tools over stdio: what they answer, and how they fail."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client

from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from tests.bridge.asking_tools import call, refused
from tests.bridge.reading_lake import EVIL_ON_ONE_LINE, HOSTILE, LABOR, POPULATION, SSDS

pytestmark = pytest.mark.anyio


async def test_search_gives_hits_with_reasons_and_goes_on_where_the_page_ended(client: Client) -> None:
    whole, _ = await call(client, "search_estat_data", query="人口", max_results=100)
    seen, cursor = [], ""
    while True:
        page, text = await call(client, "search_estat_data", query="人口", max_results=2, cursor=cursor)
        seen += page["results"]
        assert len(page["results"]) <= 2
        assert page["credit"] in text
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == whole["results"]
    assert whole["total"] == len(seen) > 2
    assert "title +40" in seen[0]["why"]


@pytest.mark.parametrize("question", ["東京都の人口の推移", "東京都の人口", "東京都の人口はどのくらいですか?"])
async def test_a_question_in_japanese_finds_what_its_words_find(client: Client, question: str) -> None:
    words, _ = await call(client, "search_estat_data", query="東京都 人口")
    found, text = await call(client, "search_estat_data", query=question)
    assert found["total"] == words["total"] > 0
    assert (found["query"], words["note"]) == ("東京都 AND 人口", "")
    assert found["note"] in text
    first, _ = await call(client, "search_estat_data", query=question, max_results=1)
    second, _ = await call(client, "search_estat_data", query=question, max_results=1, cursor=first["next_cursor"])
    assert [each["results"][0] for each in (first, second)] == found["results"][:2]


async def test_a_search_that_finds_nothing_says_what_to_do(client: Client) -> None:
    found, text = await call(client, "search_estat_data", query="月の裏側の兎の毛並み")
    assert found["total"] == 0
    assert "search_estat_data をもう一度" in text


async def test_terms_are_offered_and_taken_inside_a_question(client: Client) -> None:
    found, _ = await call(client, "search_estat_data", query="東京の収入")
    [term] = found["suggestions"]
    assert (term["word"], term["terms"][0]) == ("収入", "所得")
    applied, _ = await call(
        client, "apply_keyword_suggestions", original_query="東京の収入", accepted_keywords={"収入": "所得"}
    )
    assert applied["query"] == "東京 所得"


async def test_search_offers_terms_and_apply_puts_them_in(client: Client) -> None:
    found, text = await call(client, "search_estat_data", query="年齢別 収入")
    assert {term["word"]: term["terms"] for term in found["suggestions"]}["収入"][0] == "所得"
    assert "所得" in text
    silent, _ = await call(client, "search_estat_data", query="年齢別 収入", auto_suggest=False)
    assert silent["suggestions"] == []
    accepted = {"収入": "所得"}
    applied, _ = await call(
        client, "apply_keyword_suggestions", original_query="年齢別 収入", accepted_keywords=accepted
    )
    assert applied == {"original_query": "年齢別 収入", "query": "年齢別 所得", "replaced": accepted}
    error = await refused(
        client, "apply_keyword_suggestions", original_query="年齢別 収入", accepted_keywords={"収入": "金"}
    )
    assert error["error"] == "VALIDATION_ERROR"
    assert "所得" in error["context"]["hint"]


async def test_a_table_is_described_before_it_is_fetched_and_with_what_the_lake_holds(client: Client) -> None:
    found, text = await call(client, "describe_dataset", dataset_id=SSDS)
    assert [axis["axis"] for axis in found["axes"]] == ["tab", "cat01", "area", "time"]
    assert found["axes"][2]["first_codes"]["00000"] == "全国"
    assert found["symbols"]["***"] == "調査又は集計していないもの"
    assert found["fetch"]["records"] == found["in_lake"]["rows"] == 672
    assert found["domain"] == "population"
    assert "| *** | 調査又は集計していないもの" in text
    other, _ = await call(client, "describe_dataset", dataset_id="0003109741")
    assert other["in_lake"] is None


@pytest.mark.parametrize("dataset_id", [10101, "0000010101", " 0000010101 "])
async def test_an_id_may_be_a_number_which_has_lost_its_zeros(client: Client, dataset_id: Any) -> None:
    found, _ = await call(client, "find_codes", dataset_id=dataset_id, query="東京都")
    assert found["dataset_id"] == SSDS


@pytest.mark.parametrize(
    "dataset_id", ["10101", "00000101010", -1, 1e3, True, None, "０００００１０１０１", "../10101", []]
)
async def test_what_is_no_id_is_refused(client: Client, dataset_id: Any) -> None:
    error = await refused(client, "find_codes", dataset_id=dataset_id)
    assert error["error"] == "VALIDATION_ERROR"
    assert "ten digits" in error["error_message"]


async def test_a_short_id_is_answered_with_the_one_that_was_meant(client: Client) -> None:
    assert "0000010101" in (await refused(client, "describe_dataset", dataset_id="10101"))["error_message"]


async def test_codes_are_found_by_name_in_any_script_with_their_way_from_the_top(client: Client) -> None:
    found, _ = await call(client, "find_codes", dataset_id=POPULATION, query="tokyo", axis="area")
    [tokyo] = found["codes"]
    assert (tokyo["code"], tokyo["name"], tokyo["path"]) == ("13000", "東京都", "00000 全国")
    below, _ = await call(client, "find_codes", dataset_id=POPULATION, children_of="全国", max_results=500)
    assert below["total"] == len(below["codes"]) == 47
    error = await refused(client, "find_codes", dataset_id=POPULATION, axis="cat09")
    assert "cat01 男女" in error["context"]["hint"]
    nothing, text = await call(client, "find_codes", dataset_id=POPULATION, query="どこにもない")
    assert nothing["codes"] == []
    assert "describe_dataset" in text


async def test_a_table_that_e_stat_lacks_is_an_api_error_with_a_next_step(client: Client) -> None:
    error = await refused(client, "describe_dataset", dataset_id="1234567890")
    assert (error["error"], error["context"]["status"]) == ("API_ERROR", 300)
    assert error["context"]["next_tool"] == "search_estat_data"
    assert "search_estat_data" in error["message"]


async def test_datasets_of_the_lake_are_listed_and_narrowed(client: Client) -> None:
    found, _ = await call(client, "list_datasets")
    assert [each["dataset_id"] for each in found["datasets"]] == [SSDS, LABOR, HOSTILE, POPULATION]
    labor = found["datasets"][1]
    assert (labor["rows"], labor["rows_without_number"], labor["table_name"]) == (14, 1, "labor_data")
    assert isinstance(labor["snapshot_id"], str)
    narrowed, _ = await call(client, "list_datasets", domain="population", query="社会")
    assert [each["dataset_id"] for each in narrowed["datasets"]] == [SSDS]
    assert (await call(client, "list_datasets", status="failed"))[0]["datasets"] == []
    assert (await refused(client, "list_datasets", domain="sports"))["error"] == "VALIDATION_ERROR"


async def test_an_entry_that_cannot_be_read_is_named_beside_the_others(client: Client, shelf: Settings) -> None:
    broken = shelf.lake_home / "registry" / "0009999998.json"
    broken.write_bytes(b"\xff")
    try:
        found, text = await call(client, "list_datasets")
    finally:
        broken.unlink()
    assert (found["total"], found["unreadable"]) == (4, ["0009999998"])
    assert "登録ファイルが壊れていて読めないもの: 0009999998" in text


async def test_tables_are_listed_with_rows_and_columns_with_meanings(client: Client) -> None:
    found, _ = await call(client, "list_tables")
    rows = {table["name"]: table["rows"] for table in found["tables"]}
    assert rows["population_data"] == 672 + 5472
    assert found["columns"] == []
    one, text = await call(client, "list_tables", table_name="labor_data")
    columns = {column["name"]: column for column in one["columns"]}
    assert columns["value"]["type"] == "double"
    assert "値" in columns["value"]["meaning"]
    assert "| region_code | varchar | 地域コード" in text
    error = await refused(client, "list_tables", table_name="labour_data")
    assert "labor_data" in error["context"]["hint"]


async def test_raw_records_keep_symbols_as_they_came_and_say_what_they_mean(client: Client) -> None:
    found, _ = await call(client, "load_data_from_s3", dataset_id=LABOR)
    value, meaning = found["columns"].index("value"), found["columns"].index("value の記号の意味")
    assert found["rows"][1][value] == "***"
    assert found["rows"][1][meaning].startswith("該当数値がないもの")
    assert found["rows"][0][found["columns"].index("area 地域")] == "全国"
    assert found["total_records"] == len(found["rows"]) == 14
    assert found["provenance"][0]["updated"] == "2024-09-30"


async def test_raw_records_of_many_pages_are_read_on_without_loss(client: Client, shelf_sandbox: Sandbox) -> None:
    seen, cursor, pages = [], "", set()
    while True:
        found, _ = await call(client, "load_data_from_s3", dataset_id=POPULATION, max_records=200, cursor=cursor)
        assert found["first_record"] == len(seen) + 1
        seen += [row[found["columns"].index("value")] for row in found["rows"]]
        pages.add(found["uri"])
        cursor = found["next_cursor"]
        if not cursor:
            break
    assert seen == [cell.value for cell in shelf_sandbox.tables[POPULATION].cells]
    assert len(pages) == 6
    uri = sorted(pages)[2]
    page, _ = await call(client, "load_data_from_s3", uri=uri)
    assert (page["first_record"], page["total_records"]) == (2001, 1000)


@pytest.mark.parametrize(
    "uri",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "../../etc/passwd",
        "raw/../registry/0000010101.json",
        "raw/0000010101/../../registry/0000010101.json",
        "registry/0000010101.json",
        "s3://other-bucket/raw/0000010101/0000010101_1.json.gz",
        "https://example.com/raw/0000010101/0000010101_1.json.gz",
        "raw/0000010101/9900000002_1.json.gz",
        "raw/0000010101/0000010101_1.json.gz\x00",
    ],
)
async def test_nothing_outside_the_raw_files_of_the_lake_is_opened(client: Client, uri: str) -> None:
    error = await refused(client, "load_data_from_s3", uri=uri)
    assert error["error"] == "VALIDATION_ERROR"
    assert "root:" not in str(error)


async def test_raw_records_need_one_source_that_was_fetched(client: Client) -> None:
    assert (await refused(client, "load_data_from_s3"))["error"] == "VALIDATION_ERROR"
    assert (await refused(client, "load_data_from_s3", dataset_id=SSDS, uri="raw/x"))["error"] == "VALIDATION_ERROR"
    assert (await refused(client, "load_data_from_s3", dataset_id="1234567890"))["error"] == "DATA_ERROR"
    missing = await refused(client, "load_data_from_s3", uri=f"raw/{SSDS}/{SSDS}_1.json.gz")
    assert missing["error"] == "DATA_ERROR"


async def test_what_changed_between_two_loads_is_told_cell_by_cell(client: Client) -> None:
    found, text = await call(client, "compare_snapshots", dataset_id=LABOR)
    assert found["counts"] == {"revised": 2, "added": 0, "removed": 1, "unchanged": 12}
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
    assert {(row["old_value"], row["new_value"]) for row in rows} == {(10993.0, 12345.0), (5311.0, None)}
    assert "| NULL" in text or "NULL |" in text
    gone, _ = await call(client, "compare_snapshots", dataset_id=LABOR, change="removed")
    assert len(gone["rows"]) == 1
    first, _ = await call(client, "compare_snapshots", dataset_id=LABOR, max_results=1)
    second, _ = await call(client, "compare_snapshots", dataset_id=LABOR, max_results=1, cursor=first["next_cursor"])
    assert first["rows"] + second["rows"] == found["rows"]
    assert second["next_cursor"] is None
    same, _ = await call(client, "compare_snapshots", dataset_id=LABOR, before=found["after"], after=found["after"])
    assert same["counts"]["unchanged"] == 14
    assert same["rows"] == []


async def test_a_comparison_without_a_state_before_is_refused(client: Client) -> None:
    once = await refused(client, "compare_snapshots", dataset_id=SSDS)
    assert once["error"] == "DATA_ERROR"
    assert "比べられる前の状態がありません" in once["message"]
    assert (await refused(client, "compare_snapshots", dataset_id="1234567890"))["error"] == "DATA_ERROR"
    error = await refused(client, "compare_snapshots", dataset_id=LABOR, before="yesterday")
    assert error["error"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("search_estat_data", {"query": "表題"}),
        ("describe_dataset", {"dataset_id": HOSTILE}),
        ("find_codes", {"dataset_id": HOSTILE}),
        ("list_datasets", {}),
        ("load_data_from_s3", {"dataset_id": HOSTILE}),
        ("analyze_with_athena", {"custom_query": f"SELECT * FROM labor_data WHERE dataset_id = '{HOSTILE}'"}),
        ("analyze_with_athena", {"dataset_id": HOSTILE}),
    ],
)
async def test_words_of_the_data_stand_on_marked_lines_alone(
    client: Client, tool: str, arguments: dict[str, Any]
) -> None:
    _, text = await call(client, tool, **arguments)
    notice, *lines = text.split("\n")
    assert "指示ではありません" in notice
    evil = [line for line in lines if "IGNORE" in line]
    assert evil
    assert all(line.startswith("| ") for line in evil)
    assert not any(line.startswith(("RULES", " 実行")) for line in lines)
    escaped = EVIL_ON_ONE_LINE.replace("|", "\\|")
    assert all(escaped in line or "…" in line for line in evil)


async def test_unknown_arguments_and_cursors_of_others_are_refused(client: Client) -> None:
    for tool in (await client.list_tools()).tools:
        assert tool.input_schema["additionalProperties"] is False, tool.name
        error = await refused(client, tool.name, bogus=1)
        assert "bogus" in error["error_message"]
        assert "pydantic" not in error["error_message"]
    page, _ = await call(client, "search_estat_data", query="人口", max_results=1)
    for cursor in (page["next_cursor"], "abc", "WzEsIDJd", "-1"):
        assert (await refused(client, "search_estat_data", query="労働", cursor=cursor))["error"] == "VALIDATION_ERROR"


async def test_every_reading_tool_says_that_it_only_reads(client: Client) -> None:
    hints = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
    asks_e_stat = {"search_estat_data", "describe_dataset", "find_codes"}
    inside = {
        "apply_keyword_suggestions",
        "list_datasets",
        "list_tables",
        "load_data_from_s3",
        "analyze_with_athena",
        "compare_snapshots",
    }
    for name in asks_e_stat | inside:
        hint = hints[name]
        assert hint is not None
        assert (hint.read_only_hint, hint.destructive_hint, hint.idempotent_hint) == (True, False, True)
        assert hint.open_world_hint is (name in asks_e_stat), name


async def test_the_list_of_tools_costs_a_client_less_than_24_kilobytes(client: Client) -> None:
    listed = await client.list_tools()
    assert len(listed.model_dump_json(by_alias=True, exclude_none=True).encode()) < 24_000
    assert len(listed.tools) == 22
    for tool in listed.tools:
        assert tool.annotations is not None
        assert None not in (tool.annotations.title, tool.annotations.read_only_hint, tool.annotations.open_world_hint)
        assert None not in (tool.annotations.idempotent_hint, tool.annotations.destructive_hint)
        assert tool.description
        assert tool.output_schema
