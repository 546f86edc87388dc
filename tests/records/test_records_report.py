"""The quality report: every row is accounted for, and whatever the data hold stays in its place."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.records.report import rates, shares, table, text, to_markdown

MAPPING: dict[str, Any] = {
    "unknown_codes": {"area 99999": 3},
    "dangling_parents": {},
    "repeated_classes": {},
    "doubtful_periods": {},
    "unexplained_symbols": {},
    "unknown_attributes": {},
}
VALIDATION: dict[str, Any] = {
    "rows_in": 1_000,
    "valid": 990,
    "nulls": 40,
    "missing_reasons": {"秘匿したもの": 25, "該当|なし": 10},
    "texts": 5,
    "quarantined": 10,
    "quarantined_reasons": {"the cell is empty": 10},
    "mixed_units": {"001 01": ["", "人"]},
    "samples": {"the cell is empty": [{"source_page": 2, "source_position": 7, "time_code": "2020000000"}]},
}


def test_the_report_says_where_every_row_went():
    report = to_markdown(MAPPING, VALIDATION)
    assert "**1,000 rows came: 990 are valid, 10 in quarantine.**" in report
    assert "| a number | 950 | 95.00% |" in report
    assert "| no number: 秘匿したもの | 25 | 2.50% |" in report
    assert "| no number: a text that NOTE does not explain | 5 | 0.50% |" in report
    assert "| quarantined: the cell is empty | 10 | 1.00% |" in report
    assert sum(shares(VALIDATION).values()) == 1_000
    assert rates(VALIDATION) == {
        "a number": 0.95,
        "no number: 秘匿したもの": 0.025,
        "no number: 該当|なし": 0.01,
        "no number: a text that NOTE does not explain": 0.005,
        "quarantined: the cell is empty": 0.01,
    }


def test_remarks_and_samples_are_shown_where_there_are_any():
    report = to_markdown(MAPPING, VALIDATION)
    assert "**Codes that CLASS\\_INF does not name: 1**" not in report
    assert "**Codes that CLASS_INF does not name: 1**\n\n- area 99999: 3 rows" in report
    assert "- 001 01: (none), 人" in report
    assert "parent" not in report
    assert "| 2 | 7 |  |  |  | 2020000000 |  |  |" in report


def test_long_lists_of_remarks_say_how_many_are_left_out():
    many = {**MAPPING, "unknown_codes": {f"area {n}": 1 for n in range(13)}}
    assert "- and 3 more" in to_markdown(many, VALIDATION)


def test_no_rows_have_a_report_too():
    empty = {name: type(found)() for name, found in VALIDATION.items()}
    assert rates(empty) == {}
    assert "0 rows came" in to_markdown({**MAPPING, "unknown_codes": {}}, empty)


@given(st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=2), max_size=4))
def test_whatever_cells_hold_a_table_keeps_its_shape(rows: list[list[str]]):
    lines = table(("a", "b"), rows).split("\n")
    assert len(lines) == len(rows) + 2
    for line in lines:
        assert line.replace("\\\\", "").replace("\\|", "").count("|") == 3


@given(st.text())
def test_text_opens_no_markup(words: str):
    plain = text(words)
    for char in "|*_`[<#":
        assert f"\\{char}" in plain or char not in plain
    assert "\n" not in plain
