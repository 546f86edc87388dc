"""Valid and quarantined rows: none is lost, each rejected one has the right reason and knows where it came from."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.records.order import TableRun, sort_rows
from estat_dagster.records.quality import (
    CONFLICTING,
    NO_CELL,
    NO_ID,
    NOT_FINITE,
    REPEATED,
    DataQualityValidator,
    QualityReport,
)
from tests.records.frames import duplicates, frame, numbered

COORDINATES = ("tab_code", "category_code", "region_code", "time_code")
Rows = list[dict[str, Any]]


def validator_of(frames: list[pa.Table]) -> DataQualityValidator:
    return DataQualityValidator([TableRun(sort_rows(each, COORDINATES)) for each in frames], COORDINATES, most=1)


def split(*pages: Rows) -> tuple[Rows, Rows, QualityReport]:
    """Return the valid rows, the quarantined ones, and the report, of pages of rows."""
    start, frames = 1, []
    for number, page in enumerate(pages, start=1):
        frames.append(frame(numbered(page, number, start)))
        start += len(page)
    report, valid, rejected = QualityReport(), [], []
    for read in validator_of(frames).parts():
        part = read()
        report.add(part.report)
        valid += part.valid.to_pylist()
        rejected += part.quarantined.to_pylist()
    return valid, rejected, report


def reasons(*rows: dict[str, Any]) -> list[str | None]:
    """Return the reason of each row of one page, None where it is valid."""
    _, rejected, _ = split(list(rows))
    by_position = {row["source_position"]: row["reason"] for row in rejected}
    return [by_position.get(position) for position in range(1, len(rows) + 1)]


GOOD = {"value": 1.0, "time_code": "2020"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (GOOD, None),
        ({"value": 0.0}, None),
        ({"value": -5.5}, None),
        ({"value_text": "-", "missing_reason": "該当なし"}, None),
        ({"value_text": "-"}, None),
        ({"value_text": "ＮＯ"}, None),
        ({}, NO_CELL),
        ({"value_text": ""}, NO_CELL),
        ({"value_text": " 　\n"}, NO_CELL),
        ({"value_text": "", "missing_reason": "該当なし"}, None),
        ({"value_text": "", "missing_reason": ""}, NO_CELL),
        ({"value": math.inf}, NOT_FINITE),
        ({"value": -math.inf}, NOT_FINITE),
        ({"value": math.nan}, NOT_FINITE),
        ({**GOOD, "dataset_id": None}, NO_ID),
        ({"dataset_id": None}, NO_ID),
    ],
)
def test_one_row_alone(row: dict[str, Any], reason: str | None):
    assert reasons(row) == [reason]


def test_later_copies_are_rejected_and_the_first_stays():
    assert reasons(GOOD, {**GOOD, "time_code": "2021"}, GOOD, GOOD) == [None, None, REPEATED, REPEATED]


def test_rows_that_contradict_one_another_are_all_rejected():
    assert reasons(GOOD, {**GOOD, "value": 2.0}, GOOD) == [CONFLICTING] * 3
    assert reasons({"value": 0.0}, {"value_text": "-"}) == [CONFLICTING] * 2


def test_a_row_that_is_wrong_by_itself_says_so_first():
    assert reasons({"value": math.inf}, {"value": math.inf}) == [NOT_FINITE] * 2
    assert reasons(GOOD, {"time_code": "2020"}) == [CONFLICTING, NO_CELL]


def test_duplicates_are_found_over_pages():
    valid, rejected, report = split([GOOD], [], [{**GOOD, "time_code": "2021"}], [GOOD, {**GOOD, "time_code": "2021"}])
    assert [row["time_code"] for row in valid] == ["2020", "2021"]
    assert [(row["reason"], row["source_page"], row["source_position"]) for row in rejected] == [
        (REPEATED, 4, 3),
        (REPEATED, 4, 4),
    ]
    assert report.rows_in == report.valid + report.quarantined_count


def test_valid_rows_lose_their_source_and_rejected_ones_keep_every_column():
    [read] = validator_of([frame(numbered([GOOD, {}], 7, 100))]).parts()
    valid, rejected, _ = read()
    whole = frame(numbered([GOOD, {}], 7, 100))
    assert valid.schema == whole.drop_columns(["source_page", "source_position"]).schema
    assert rejected.schema == whole.schema.append(pa.field("reason", pa.string()))
    assert rejected.to_pylist()[0]["source_page"] == 7
    assert rejected.to_pylist()[0]["source_position"] == 101


def test_the_report_counts_values_reasons_and_texts():
    page = [
        {"time_code": "1", "value": 0.0, "missing_reason": "単位未満"},
        {"time_code": "2", "value_text": "-", "missing_reason": "該当なし"},
        {"time_code": "3", "value_text": "X", "missing_reason": "秘匿"},
        {"time_code": "4", "value_text": "ＮＯ"},
        {"time_code": "5"},
        {"time_code": "6", "value": math.inf},
        {"time_code": "1", "value": 0.0, "missing_reason": "単位未満"},
    ]
    _, _, report = split(page, [{"time_code": "7", "value_text": "-", "missing_reason": "該当なし"}])
    assert (report.rows_in, report.valid, report.quarantined_count) == (8, 5, 3)
    assert (report.nulls, report.texts) == (4, 1)
    assert report.missing == {"該当なし": 2, "秘匿": 1}
    assert report.noted == {"単位未満": 1}
    assert report.quarantined == {NO_CELL: 1, NOT_FINITE: 1, REPEATED: 1}
    assert report.rows_in == report.valid + report.quarantined_count


def test_the_report_shows_a_few_rows_of_each_reason():
    _, _, report = split([{"time_code": str(n)} for n in range(9)], [{**GOOD, "value": math.inf}])
    assert [row["source_position"] for row in report.samples[NO_CELL]] == [1, 2, 3, 4, 5]
    [row] = report.samples[NOT_FINITE]
    assert (row["source_page"], row["source_position"], row["time_code"]) == (2, 10, "2020")
    assert "annotation" not in row


def test_a_measure_with_several_units_is_reported():
    def measured(tab: str | None, unit: str | None, time: int) -> dict[str, Any]:
        return {"tab_code": tab, "category_code": "c", "unit": unit, "time_code": str(time), "value": 1.0}

    page = [measured("a", "人", 1), measured("a", "人", 2), measured("b", "人", 3), measured("b", None, 4)]
    _, _, report = split(page, [measured("a", "世帯", 5), measured(None, "人", 6)])
    assert report.mixed_units == {"a c": ["世帯", "人"], "b c": ["", "人"]}
    assert report.units[" c"] == {"人"}


def test_a_measure_is_told_by_the_axes_that_have_units_too():
    rows = [
        {"category_code": "c", "cat03_code": code, "unit": unit, "time_code": time, "value": 1.0}
        for code, unit, time in (("1", "人", "1"), ("2", "学級", "2"), ("2", "校", "3"))
    ]
    table = frame(numbered(rows, 1, 1), ["cat03_code"])
    by = [*COORDINATES, "cat03_code"]
    measure = ("tab_code", "category_code", "cat03_code")
    [read] = DataQualityValidator([TableRun(sort_rows(table, by))], by, measure=measure).parts()
    assert read().report.mixed_units == {" c 2": ["学級", "校"]}


@pytest.mark.parametrize("pages", [(), ([],), ([], [])])
def test_no_rows_are_no_rows(pages: tuple[Rows, ...]):
    valid, rejected, report = split(*pages)
    assert (valid, rejected, report.rows_in) == ([], [], 0)
    assert report.rows_in == report.valid + report.quarantined_count


cells = st.sampled_from(
    [
        *({"value": number} for number in (0.0, 1.0, math.inf)),
        *({"value_text": words} for words in ("-", "ＮＯ", "", "　")),
        {"value_text": "-", "missing_reason": "該当なし"},
        {"value": 0.0, "unit": "人"},
        {"value": 1.0, "annotation": "注"},
        {},
    ]
)
rows = st.builds(
    lambda cell, region, time, known: {**cell, "region_code": region, "time_code": time} | known,
    cells,
    st.sampled_from(["a", "b", None]),
    st.sampled_from(["2020", "2021", "2022"]),
    st.sampled_from([{}, {}, {}, {}, {"dataset_id": None}]),
)


def expected_reason(row: dict[str, Any], number: int, repeated: list[int], conflicting: list[int]) -> str | None:
    if "dataset_id" in row:
        return NO_ID
    if row.get("value") is None and not (row.get("value_text") or "").strip():
        return NO_CELL
    if row.get("value") == math.inf:
        return NOT_FINITE
    return CONFLICTING if number in conflicting else REPEATED if number in repeated else None


@given(st.lists(st.lists(rows, max_size=8), max_size=4))
def test_rows_in_are_valid_and_quarantined_rows_with_the_right_reasons(pages: list[Rows]):
    valid, rejected, report = split(*pages)
    everything = [row for page in pages for row in page]
    repeated, conflicting = duplicates(everything, COORDINATES)
    expected = [expected_reason(row, number, repeated, conflicting) for number, row in enumerate(everything)]
    positions = {number: reason for number, reason in enumerate(expected, start=1) if reason}
    assert {row["source_position"]: row["reason"] for row in rejected} == positions
    assert len(rejected) == len(positions)
    pages_of = [number for number, page in enumerate(pages, start=1) for _ in page]
    assert all(row["source_page"] == pages_of[row["source_position"] - 1] for row in rejected)
    good = [row for row, reason in zip(everything, expected, strict=True) if reason is None]
    good.sort(key=lambda row: (row["region_code"] is None, row["region_code"] or "", row["time_code"]))
    names = ("region_code", "time_code", "value", "value_text", "unit", "missing_reason", "annotation")
    assert [[row[name] for name in names] for row in valid] == [[row.get(name) for name in names] for row in good]
    assert (report.rows_in, report.valid, report.quarantined_count) == (len(everything), len(valid), len(rejected))
    assert report.quarantined == Counter(positions.values())
    assert report.rows_in == report.quarantined_count + report.valid
    assert report.missing.total() + report.texts == report.nulls
    assert report.nulls == sum(row.get("value") is None for row in good)
