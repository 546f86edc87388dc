"""Resources, prompts and completion over stdio."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from tests.bridge.reading_lake import EVIL_ON_ONE_LINE, HOSTILE, LABOR, POPULATION, SSDS

pytestmark = pytest.mark.anyio


async def read(client: Client, uri: str) -> Any:
    [contents] = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    assert contents.mime_type == "application/json"
    return json.loads(contents.text)


async def test_the_lake_and_e_stat_can_be_read_by_address(client: Client) -> None:
    tables = {table["name"]: table for table in (await read(client, "lake://tables"))["tables"]}
    assert tables["labor_data"]["rows"] == 14 + 15
    columns = {column["name"] for column in (await read(client, "lake://tables/labor_data/schema"))["columns"]}
    assert {"dataset_id", "value", "missing_reason", "cat03_name"} <= columns
    labor = await read(client, f"lake://datasets/{LABOR}")
    assert labor["dataset"]["rows"] == 14
    assert [each["rows"] for each in labor["snapshots"]] == [14, 15]
    assert [each["is_current"] for each in labor["snapshots"]] == [True, False]
    assert (await read(client, f"estat://tables/{SSDS}"))["table"]["survey"] == "社会・人口統計体系"
    hostile = await read(client, f"lake://datasets/{HOSTILE}")
    assert hostile["dataset"]["title"].replace("\n", " ").endswith(EVIL_ON_ONE_LINE)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("lake://tables/nope/schema", "There is no table"),
        ("lake://datasets/1234567890", "not registered"),
        ("lake://datasets/xyz", "ten digits"),
        ("estat://tables/1234567890", "STATUS 300"),
        ("estat://tables/10101", "ten digits"),
        ("lake://runs/nonsense", "no run id"),
        ("lake://tables/..%2F..%2Fetc/schema", ""),
        ("file:///etc/passwd", ""),
        ("lake://nothing", ""),
    ],
)
async def test_what_is_not_there_is_an_error_of_the_protocol(client: Client, uri: str, words: str) -> None:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    assert caught.value.code == -32602
    assert words in str(caught.value)
    assert "/tmp/" not in str(caught.value)


async def complete(client: Client, name: str, value: str, uri: str = "lake://datasets/{dataset_id}") -> list[str]:
    ref = ResourceTemplateReference(type="ref/resource", uri=uri)
    return list((await client.complete(ref, {"name": name, "value": value})).completion.values)


async def complete_prompt(client: Client, prompt: str, name: str, value: str) -> list[str]:
    ref = PromptReference(type="ref/prompt", name=prompt)
    return list((await client.complete(ref, {"name": name, "value": value})).completion.values)


async def test_ids_tables_and_domains_are_completed(client: Client) -> None:
    assert await complete(client, "dataset_id", "") == [SSDS, LABOR, HOSTILE, POPULATION]
    assert await complete(client, "dataset_id", "000001") == [SSDS]
    assert await complete(client, "name", "Lab", "lake://tables/{name}/schema") == ["labor_data"]
    assert await complete_prompt(client, "find_statistics", "domain", "e") == ["economy", "education"]
    assert await complete_prompt(client, "find_statistics", "language", "e") == ["en"]
    assert await complete_prompt(client, "review_revision", "dataset_id", LABOR[:5]) == [LABOR]


async def test_nothing_is_completed_that_is_not_there_to_be_given(client: Client) -> None:
    assert await complete(client, "unheard", "x") == []
    assert await complete(client, "language", "", "lake://tables/{name}/schema") == []
    assert await complete(client, "dataset_id", "", "lake://other/{dataset_id}") == []
    assert await complete(client, "run_id", "", "lake://runs/{run_id}") == [], "no Dagster was needed yet"
    assert await complete_prompt(client, "no_such_prompt", "language", "") == []


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("no_such_prompt", {}, "There is no prompt 'no_such_prompt'. There are find_statistics"),
        ("review_revision", {"dataset_id": "10101"}, "if its zeros were lost it is 0000010101"),
        ("review_revision", {"dataset_id": SSDS, "languag": "ja"}, "is language meant?"),
        ("find_statistics", {}, "needs theme"),
        ("find_statistics", {"theme": "家計", "language": "fr"}, "language: Input should be 'ja' or 'en'"),
        ("find_statistics", {"theme": "x" * 201}, "theme: "),
    ],
)
async def test_a_prompt_says_what_is_wrong_with_it(
    client: Client, name: str, arguments: dict[str, str], words: str
) -> None:
    with pytest.raises(MCPError) as caught:
        await client.get_prompt(name, arguments)
    assert caught.value.code == -32602
    assert words in str(caught.value)


async def test_the_server_promises_nothing_that_it_does_not_do(client: Client) -> None:
    resources = client.server_capabilities.resources
    assert resources
    assert not resources.subscribe


async def test_each_prompt_speaks_both_languages_and_names_tools_that_there_are(client: Client) -> None:
    tools = {tool.name for tool in (await client.list_tools()).tools}
    prompts = (await client.list_prompts()).prompts
    assert len(prompts) == 4
    for prompt in prompts:
        given = {"dataset_id": SSDS, "theme": "家計", "question": "人口は?"}
        arguments = {each.name: given[each.name] for each in prompt.arguments or [] if each.name in given}
        told = {}
        for language in ("ja", "en"):
            [message] = (await client.get_prompt(prompt.name, {**arguments, "language": language})).messages
            assert isinstance(message.content, TextContent)
            told[language] = message.content.text
            assert all(value in told[language] for value in arguments.values())
            assert any(tool in told[language] for tool in tools)
        assert "データセット" in told["ja"] or "統計表" in told["ja"]
        assert "データセット" not in told["en"]
