"""Pages: no row is lost or comes twice, every page is small enough, and cursors are good for their own arguments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ValidationError
from estat_dagster.query.engine import QueryResult
from mcp_bridge.answers import Answer, wire_size
from mcp_bridge.cells import MOST_ROW, fit_row
from mcp_bridge.open_results import OpenResult, OpenResults
from mcp_bridge.pages import MOST_BYTES, as_many_as_fit, cursor_for, offset_in, offset_of
from mcp_bridge.plain import data_line
from tests.hypothesis_profiles import many_examples

CELLS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=200) | st.binary(max_size=50)
LONG = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).map(lambda words: words * 400)
ROWS = st.lists(st.lists(CELLS | LONG, min_size=3, max_size=3), max_size=80)


class Rows(Answer):
    rows: list[list[Any]]

    def text(self) -> str:
        return "\n".join(data_line(row) for row in self.rows)


@given(ROWS)
def test_pages_hold_all_rows_in_order_and_each_is_within_the_limit(rows: list[list[Any]]) -> None:
    fitted = [fit_row(row)[0] for row in rows]
    seen: list[list[Any]] = []
    while True:
        page = as_many_as_fit(fitted[len(seen) :], _compose, wire_size)
        assert wire_size(page) <= MOST_BYTES
        assert page.rows or len(seen) == len(fitted)
        seen += page.rows
        if len(seen) == len(fitted):
            break
    assert repr(seen) == repr(fitted)


def _compose(rows: Sequence[list[Any]]) -> Rows:
    return Rows(rows=list(rows))


@given(st.lists(CELLS | LONG, min_size=1, max_size=300))
@many_examples(2)
def test_a_row_is_cut_only_where_it_is_too_long_and_then_fits_alone(row: list[Any]) -> None:
    cells, count = fit_row(row)
    assert len(cells) == len(row)
    assert wire_size(Rows(rows=[cells])) <= MOST_BYTES
    for value, cell in zip(row, cells, strict=True):
        if value is None:
            assert cell is None
        elif isinstance(value, bool) or (isinstance(value, str) and not str(cell).endswith("…")):
            assert cell == value
    if sum(len(str(value).encode("utf-8", "surrogatepass")) * 2 for value in row) < MOST_ROW:
        assert count == 0


def test_numbers_that_json_would_change_are_texts() -> None:
    values = [2**53, 2**53 + 1, -(2**63), float("nan"), float("inf"), Decimal("1.10"), date(2020, 1, 2), 0.1]
    assert fit_row(values)[0] == [
        2**53,
        "9007199254740993",
        "-9223372036854775808",
        "nan",
        "inf",
        "1.10",
        "2020-01-02",
        0.1,
    ]


@given(st.integers(0, 10**9), st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers()))
def test_a_cursor_is_good_for_its_own_arguments_alone(offset: int, arguments: dict[str, Any]) -> None:
    arguments = {f"a{name}": value for name, value in arguments.items()}
    cursor = cursor_for(offset, **arguments)
    assert offset_of(cursor, **arguments) == offset_in(cursor) == offset
    with pytest.raises(ValidationError):
        offset_of(cursor, **arguments, other=1)


@given(st.text(min_size=1) | st.binary(min_size=1, max_size=40).map(lambda body: body.decode("latin-1")))
def test_whatever_is_no_cursor_is_refused(words: str) -> None:
    with pytest.raises(ValidationError):
        offset_of(words, query="")


def result_of(count: int, batch: int) -> QueryResult:
    numbers = pa.table({"n": pa.array(range(count), pa.int64())})
    return QueryResult(numbers.schema, iter(numbers.to_batches(max_chunksize=batch)), sql="")


@given(st.integers(0, 60), st.integers(1, 20), st.lists(st.tuples(st.integers(1, 15), st.integers(1, 15)), max_size=80))
def test_an_open_result_gives_each_row_once_however_many_are_shown(
    count: int, batch: int, steps: list[tuple[int, int]]
) -> None:
    opened = OpenResult(result_of(count, batch), "q")
    seen: list[int] = []
    offset = 0
    for most, fits in [*steps, *[(60, 60)] * 2]:
        taken = [opened.take(offset, most) for _ in range(2)]  # a client may ask for a page again
        assert taken[0] == taken[1]
        rows, has_more = taken[0]
        assert has_more is (offset + len(rows) < count)
        shown = rows[:fits]
        seen += [row[0] for row in shown]
        offset = opened.show(len(shown))
    assert seen == list(range(count))


def test_open_results_are_few_and_closed_when_they_are_given_up() -> None:
    closed: list[int] = []
    results = OpenResults(most=2, seconds=60)
    keys = []
    for number in range(3):
        table = pa.table({"n": [1]})
        answer = QueryResult(
            table.schema, iter(table.to_batches()), sql="", on_close=lambda number=number: closed.append(number)
        )
        keys.append(results.keep(OpenResult(answer, "q")))
    assert closed == [0]
    with pytest.raises(ValidationError, match="expired"):
        results.find(f"{keys[0]}.0", "q")
    with pytest.raises(ValidationError, match="another query"):
        results.find(f"{keys[1]}.0", "other")
    assert results.find(f"{keys[2]}.5", "q")[2] == 5
    results.close()
    assert sorted(closed) == [0, 1, 2]
