"""A table before it is fetched: what it is, how large, in which units and periods, and where it would go."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from estat_dagster.errors import ApiError
from estat_dagster.estat.client import EstatClient, Patience
from estat_dagster.estat.credit import SANDBOX_CREDIT, SERVICE_CREDIT
from estat_dagster.estat.describe import Description, covered_periods, describe_table
from estat_dagster.estat.models import Axis, ClassItem, Metadata, TableInfo
from estat_dagster.estat.plan import estimate_fetch
from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import SANDBOX
from tests.estat.answers import TABLE_ID, body, stats_data
from tests.estat.loopback import Loopback, Reply
from tests.estat.small_table import RECORDS, client_of, small_table


def describe(dataset_id: str, tables: list[Table] | None = None) -> Description:
    with Sandbox(tables) as sandbox:
        found = describe_table(client_of(sandbox.base_url), dataset_id)
        assert len(sandbox.requests) == 2
    return found


def test_a_table_is_described_with_its_axes_symbols_periods_and_size():
    found = describe(TABLE_ID, [small_table()])
    assert (found.plan.records, found.plan.requests) == (RECORDS, 1)
    area, time = found.axes
    assert (area.id, area.name, area.size, area.units, area.levels) == ("area", "地域", 3, ("人",), {"1": 3})
    assert (time.id, time.size, [item.code for item in time.samples]) == (
        "time",
        7,
        [f"{y}000000" for y in range(2015, 2020)],
    )
    assert found.notes == {"***": "調査していない", "-": "該当なし"}
    assert found.units == ("人",)
    assert (found.periods.first, found.periods.last) == (date(2015, 1, 1), date(2021, 12, 31))
    assert (found.periods.kinds, found.periods.source) == ({"calendar_year": 7}, "time axis")


def test_a_symbol_that_looks_like_a_number_is_among_the_notes():
    found = describe("0003005798")
    assert "0" in found.notes
    assert "単位に満たない" in found.notes["0"]
    assert (found.domain, "03" in found.domain_reason) == ("labor", True)


def test_levels_are_counted_and_a_table_of_no_field_goes_where_its_title_says():
    found = describe("0000010101")
    levels = {axis.id: axis.levels for axis in found.axes}
    assert levels["area"] == {"1": 1, "2": 47}
    assert found.domain == "population"
    assert "人口" in found.domain_reason
    assert set(found.periods.kinds) == {"fiscal_year"}


def test_a_table_without_a_time_axis_covers_its_survey_date():
    table = TableInfo("0000000001", "表", survey_date="202001-202012")
    periods = covered_periods(Metadata(table, ()))
    assert (periods.first, periods.last, periods.source) == (date(2020, 1, 1), date(2020, 12, 31), "SURVEY_DATE")
    open_date = covered_periods(Metadata(TableInfo("0000000001", "表", survey_date="0"), ()))
    assert (open_date.first, open_date.last, open_date.kinds) == (None, None, {"none": 1})


def test_a_period_that_cannot_be_read_is_told_and_counts_for_nothing():
    classes = (ClassItem("2021000000", "2021年"), ClassItem("2020000000", "2020年"), ClassItem("T1", "前期"))
    periods = covered_periods(Metadata(TableInfo("1", "表"), (Axis("time", "時間", classes),)))
    assert (periods.first, periods.last) == (date(2020, 1, 1), date(2021, 12, 31))
    assert periods.kinds == {"calendar_year": 2, "unknown": 1}
    assert "T1" in periods.doubts[0]


def test_the_credit_names_the_survey_and_says_nothing_of_processing():
    with Sandbox() as sandbox:
        client = EstatClient("id", sandbox.base_url, source=SANDBOX, patience=Patience(sleep=lambda seconds: None))
        found = describe_table(client, "0003005798")
    assert SERVICE_CREDIT in found.credit
    assert SANDBOX_CREDIT in found.credit
    assert "総務省「労働力調査」" in found.credit
    assert "加工" not in found.credit
    assert SANDBOX_CREDIT not in describe("0003005798").credit


@pytest.mark.parametrize(("records", "requests"), [(0, 1), (1, 1), (100_000, 1), (100_001, 2), (8_266_752, 83)])
def test_a_fetch_takes_a_request_for_every_hundred_thousand_records(records: int, requests: int):
    meta: dict[str, Any] = {"GET_META_INFO": {"RESULT": {"STATUS": 0}, "METADATA_INF": {}}}
    with Loopback([Reply(body(meta)), Reply(body(stats_data([], total=records)))]) as server:
        found = describe_table(client_of(server.base_url), TABLE_ID)
    assert (found.plan.records, found.plan.requests) == (records, requests)
    assert found.table.id == TABLE_ID


def test_the_plan_is_that_of_a_load_and_takes_no_request_more():
    found = describe("9900000002")
    with Sandbox() as sandbox:
        planned = estimate_fetch(client_of(sandbox.base_url), "9900000002")
    assert found.plan == planned
    assert (planned.records, planned.scope) == (5_472, {})


def test_a_table_that_is_not_there_is_an_error():
    with Sandbox([]) as sandbox, pytest.raises(ApiError, match="300"):
        describe_table(client_of(sandbox.base_url), TABLE_ID)
