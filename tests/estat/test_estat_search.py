"""Finding tables: the newest first out of all that match, and a table's size before it is fetched."""

from __future__ import annotations

from typing import Any

import pytest

from estat_dagster.estat.search import describe_table, search_tables
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import TABLE_ID, body, stats_data
from tests.estat.loopback import Loopback, Reply
from tests.estat.small_table import RECORDS, client_of, small_table


def listed(*tables: dict[str, Any], status: int = 0) -> Reply:
    inf = {"NUMBER": len(tables), "TABLE_INF": tables[0] if len(tables) == 1 else list(tables)}
    return Reply(body({"GET_STATS_LIST": {"RESULT": {"STATUS": status}, "DATALIST_INF": inf}}))


DATES = {"0000000001": "2020-01-01", "0000000002": "2026-05-05", "0000000003": "2020-01-01", "0000000004": ""}
TABLES = [{"@id": table_id, "TITLE": 2015, "UPDATED_DATE": date} for table_id, date in DATES.items()]


def test_the_newest_of_all_that_match_come_first():
    with Loopback([listed(*TABLES), listed(*TABLES)]) as server:
        found = search_tables(client_of(server.base_url), "人口 AND 東京")
        most = search_tables(client_of(server.base_url), "人口", field="02", most=2)
    assert [table.id for table in found.tables] == ["0000000002", "0000000003", "0000000001", "0000000004"]
    assert [table.id for table in most.tables] == ["0000000002", "0000000003"]
    assert found.total == most.total == 4
    first, second = (seen.params for seen in server.requests)
    assert (first["searchWord"], second["searchWord"], second["statsField"]) == ("人口 AND 東京", "人口", "02")
    assert "statsField" not in first


def test_one_match_and_none_are_found_too():
    with Loopback([listed(TABLES[0]), listed(status=1)]) as server:
        single, none = (search_tables(client_of(server.base_url), "x") for _ in range(2))
    assert (single.total, [table.title for table in single.tables]) == (1, ["2015"])
    assert (none.total, none.tables) == (0, ())


def test_a_table_is_described_with_its_axes_and_its_size():
    with Sandbox([small_table()]) as sandbox:
        found = describe_table(client_of(sandbox.base_url), TABLE_ID)
    assert (found.records, found.requests) == (RECORDS, 1)
    assert [axis.id for axis in found.metadata.axes] == ["area", "time"]


@pytest.mark.parametrize(("records", "requests"), [(0, 1), (1, 1), (100_000, 1), (100_001, 2), (8_266_752, 83)])
def test_a_fetch_takes_a_request_for_every_hundred_thousand_records(records: int, requests: int):
    meta = Reply(body({"GET_META_INFO": {"RESULT": {"STATUS": 0}, "METADATA_INF": {}}}))
    with Loopback([meta, Reply(body(stats_data([], total=records)))]) as server:
        found = describe_table(client_of(server.base_url), TABLE_ID)
    assert (found.records, found.requests) == (records, requests)
    assert found.metadata.table.id == TABLE_ID
