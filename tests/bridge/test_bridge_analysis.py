"""Analyses over stdio: pages of rows without loss, origins, names of codes, earlier states, pictures, and refusals."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from mcp import Client
from mcp.types import ImageContent

from tests.bridge.asking_tools import call, refused
from tests.bridge.reading_lake import HOSTILE, LABOR, POPULATION, SSDS

pytestmark = pytest.mark.anyio
ALL = f"SELECT * FROM population_data WHERE dataset_id = '{POPULATION}' ORDER BY time_code, region_code, category_code"


async def rows_of(client: Client, **arguments: Any) -> tuple[list[list[Any]], int]:
    """Return all rows of a query, page by page, and the number of pages."""
    seen: list[list[Any]] = []
    cursor, pages = "", 0
    while True:
        found, _ = await call(client, "analyze_with_athena", cursor=cursor, **arguments)
        [result] = found["results"]
        assert result["first_row"] == len(seen) + 1
        seen, pages, cursor = seen + result["rows"], pages + 1, result["next_cursor"]
        if not cursor:
            return seen, pages


async def test_all_rows_come_once_whatever_fits_on_a_page(client: Client) -> None:
    sql = f"SELECT region_code, time_code, cat02_code, category_code, value FROM ({ALL}) LIMIT 700"
    large, pages = await rows_of(client, custom_query=sql, max_results=1000)
    small, _ = await rows_of(client, custom_query=sql, max_results=333)
    assert len(large) == 700
    assert pages > 1
    assert len({tuple(row[:4]) for row in large}) == 700
    assert sorted(map(repr, large)) == sorted(map(repr, small))


async def test_the_last_page_can_be_asked_for_again_and_older_ones_not(client: Client) -> None:
    query = {"custom_query": "SELECT * FROM (VALUES 1, 2, 3, 4, 5) AS t (n) ORDER BY n", "max_results": 2}
    first, _ = await call(client, "analyze_with_athena", **query)
    cursor = first["results"][0]["next_cursor"]
    second = [(await call(client, "analyze_with_athena", **query, cursor=cursor))[0]["results"][0] for _ in range(2)]
    assert [each["rows"] for each in second] == [[[3], [4]]] * 2
    third, _ = await call(client, "analyze_with_athena", **query, cursor=second[0]["next_cursor"])
    assert third["results"][0]["rows"] == [[5]]
    for wrong in (cursor, "x.2", "x", cursor + "0"):
        error = await refused(client, "analyze_with_athena", **query, cursor=wrong)
        assert error["error"] == "VALIDATION_ERROR"
    other = await refused(client, "analyze_with_athena", custom_query="SELECT 1", cursor=cursor)
    assert "another query" in other["error_message"]


async def test_values_come_as_they_are_and_missing_ones_as_null(client: Client) -> None:
    sql = (
        f"SELECT value, value_text, missing_reason FROM labor_data WHERE dataset_id = '{LABOR}' "
        "ORDER BY cat02_code, cat03_code LIMIT 2"
    )
    found, text = await call(client, "analyze_with_athena", custom_query=sql)
    first, second = found["results"][0]["rows"]
    assert first[:2] == [12345.0, None]
    assert second[:2] == [None, "***"]
    assert second[2].startswith("該当数値がないもの")
    assert "| NULL | *** | 該当数値がないもの" in text
    odd = (
        "SELECT 9007199254740993, CAST('1.10' AS DECIMAL(5, 2)), DATE '2020-01-02', nan(), infinity(), "
        "ARRAY[1, NULL], to_utf8('ab'), ''"
    )
    values, _ = await call(client, "analyze_with_athena", custom_query=odd)
    assert values["results"][0]["rows"] == [
        ["9007199254740993", "1.10", "2020-01-02", "nan", "inf", [1, None], "6162", ""]
    ]


async def test_an_answer_names_the_datasets_it_is_from_and_no_others(client: Client) -> None:
    one, text = await call(
        client, "analyze_with_athena", custom_query=f"SELECT count(*) FROM population_data WHERE dataset_id = '{SSDS}'"
    )
    [source] = one["provenance"]
    assert (source["dataset_id"], source["updated"]) == (SSDS, "2025-06-30")
    assert "社会・人口統計体系" in source["credit"]
    assert source["credit"] in text
    assert set(one["snapshots"]) == {"population_data"}
    both, _ = await call(client, "analyze_with_athena", custom_query="SELECT count(*) FROM population_data")
    assert [each["dataset_id"] for each in both["provenance"]] == [SSDS, POPULATION]
    joined = (
        "SELECT count(*) FROM labor_data l JOIN dataset_dimensions d ON d.code = l.region_code "
        f"WHERE l.dataset_id IN ('{LABOR}', '{HOSTILE}')"
    )
    three, _ = await call(client, "analyze_with_athena", custom_query=joined)
    assert [each["dataset_id"] for each in three["provenance"]] == [LABOR, HOSTILE]
    none, _ = await call(client, "analyze_with_athena", custom_query="SELECT 1")
    assert (none["provenance"], none["snapshots"]) == ([], {})


async def test_codes_without_their_names_get_them(client: Client) -> None:
    sql = (
        f"SELECT region_code, category_code, max(value) FROM population_data WHERE dataset_id = '{POPULATION}' "
        "GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 2"
    )
    found, text = await call(client, "analyze_with_athena", custom_query=sql)
    assert found["results"][0]["names"] == {"region_code": {"00000": "全国"}, "category_code": {"0": "総数", "1": "男"}}
    assert "| region_code の名称 | 00000 全国" in text
    named, _ = await call(
        client, "analyze_with_athena", custom_query="SELECT region_code, region_name FROM labor_data LIMIT 1"
    )
    assert named["results"][0]["names"] == {}


async def test_an_earlier_state_is_read_as_it_was(client: Client) -> None:
    before = (await call(client, "compare_snapshots", dataset_id=LABOR))[0]["before"]
    sql = f"SELECT sum(value), count(*) FROM labor_data WHERE dataset_id = '{LABOR}'"
    now, _ = await call(client, "analyze_with_athena", custom_query=sql)
    then, _ = await call(client, "analyze_with_athena", custom_query=sql, as_of=before)
    assert now["results"][0]["rows"][0][1] == 14
    assert then["results"][0]["rows"][0][1] == 15
    assert then["snapshots"] == {"labor_data": before}
    assert (await refused(client, "analyze_with_athena", custom_query=sql, as_of="1999-01-01"))[
        "error"
    ] == "VALIDATION_ERROR"


async def test_canned_analyses_of_a_dataset_come_together_or_by_name(client: Client) -> None:
    basic, _ = await call(client, "analyze_with_athena", dataset_id=SSDS, max_results=3)
    names = [result["analysis"] for result in basic["results"]]
    assert "overview" in names
    assert len(names) > 2
    assert all(len(result["rows"]) <= 3 for result in basic["results"])
    assert [each["dataset_id"] for each in basic["provenance"]] == [SSDS]
    [regions] = [result for result in basic["results"] if result["analysis"] == "regions"]
    again, _ = await call(client, "analyze_with_athena", dataset_id=SSDS, max_results=3, cursor=regions["next_cursor"])
    assert again["results"][0]["first_row"] == 4
    rank, _ = await call(client, "analyze_with_athena", dataset_id=SSDS, analysis_type="advanced", analysis="rank")
    place = rank["results"][0]["columns"].index("region_name")
    assert rank["results"][0]["rows"][0][place] == "東京都"
    error = await refused(client, "analyze_with_athena", dataset_id=SSDS, analysis="nope")
    assert "overview" in error["context"]["hint"]
    by_table, _ = await call(client, "analyze_with_athena", table_name="labor_data", analysis="overview")
    assert len(by_table["results"][0]["rows"]) == 2


async def test_a_picture_comes_beside_the_rows(client: Client) -> None:
    sql = (
        f"SELECT region_code, region_name, year, value FROM population_data WHERE dataset_id = '{SSDS}' AND year = 2020"
    )
    result = await client.call_tool("analyze_with_athena", {"custom_query": sql, "picture": "map", "max_results": 100})
    assert not result.is_error
    [image] = [block for block in result.content if isinstance(block, ImageContent)]
    assert base64.b64decode(image.data).startswith(b"\x89PNG")
    assert image.mime_type == "image/png"
    error = await refused(client, "analyze_with_athena", dataset_id=SSDS, picture="auto")
    assert "overview" in error["context"]["hint"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"custom_query": "DROP TABLE labor_data"}, "Only SELECT"),
        ({"custom_query": "SELECT * FROM read_csv('/etc/passwd')"}, ""),
        ({"custom_query": "SELECT * FROM '/etc/passwd'"}, ""),
        ({"custom_query": "SELECT 1; SELECT 2"}, ""),
        ({"custom_query": "SELECT nope FROM labor_data"}, "no column"),
        ({"custom_query": "SELECT * FROM nope"}, "no table"),
        ({"custom_query": "SELEC 1"}, ""),
        ({"analysis_type": "custom"}, "empty"),
        ({"analysis_type": "custom", "custom_query": "SELECT 1", "dataset_id": SSDS}, "alone"),
        ({"analysis_type": "basic", "custom_query": "SELECT 1"}, "does not belong"),
        ({}, "one of dataset_id and table_name"),
        ({"dataset_id": SSDS, "table_name": "population_data"}, "one of dataset_id and table_name"),
        ({"dataset_id": "1234567890"}, "does not hold"),
        ({"table_name": "nope"}, "no table"),
        ({"analysis_type": "magic", "dataset_id": SSDS}, "analysis_type"),
        ({"custom_query": "SELECT 1", "max_results": 0}, "max_results"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_a_hint(
    client: Client, arguments: dict[str, Any], words: str
) -> None:
    error = await refused(client, "analyze_with_athena", **arguments)
    assert error["error"] == "VALIDATION_ERROR"
    assert words in error["error_message"]
    assert error["context"]["retryable"] is False


async def test_rows_too_long_for_an_answer_are_cut_and_said_to_be(client: Client) -> None:
    long = " || ".join(["rpad('あ', 10000, 'い')"] * 4)
    found, text = await call(client, "analyze_with_athena", custom_query=f"SELECT {long} AS long, 1 AS n")
    [result] = found["results"]
    assert result["cells_cut"] == 1
    assert result["rows"][0][0].endswith("…")
    assert result["rows"][0][1] == 1
    assert "途中で切りました" in text
    wide = f"SELECT {', '.join(['t.*'] * 100)} FROM labor_data t LIMIT 1"
    error = await refused(client, "analyze_with_athena", custom_query=wide)
    assert "larger than an answer" in error["error_message"]
