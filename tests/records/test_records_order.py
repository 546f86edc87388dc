"""Rows at the same place of their axes, and the order of all rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.columns import EXTRA_AXES
from estat_dagster.records.duplicates import find_duplicates
from estat_dagster.records.order import TableRun, coordinate_columns, count_repeats, merge, order_columns, sort_rows
from tests.records.frames import COLUMNS, duplicates, frame

ORDER = order_columns(
    ["region_code"], ["tab_code", "category_code", "time_code", *(f"{axis}_code" for axis in EXTRA_AXES)]
)
COORDINATES = ("tab_code", "category_code", "region_code", "time_code")


def runs_of(frames: Sequence[pa.Table]) -> list[TableRun]:
    """Return the frames in order, each row with its number in all of them as its position."""
    starts = accumulate(map(len, frames), initial=0)
    numbered = [
        frame.set_column(frame.column_names.index("source_position"), "source_position", [range(at, at + len(frame))])
        for frame, at in zip(frames, starts, strict=False)
    ]
    return [TableRun(sort_rows(each, ORDER)) for each in numbered]


def found(frames: Sequence[pa.Table], most: int = 1) -> tuple[list[int], list[int]]:
    """Return the numbers of repeated rows and of conflicting rows, looked for in small parts."""
    repeated, conflicting = [], []
    for read in merge(runs_of(frames), ORDER, most):
        rows, repeats = read()
        positions = rows.column("source_position").to_numpy()
        contradictions, copies = find_duplicates(rows, repeats)
        repeated += positions[copies].tolist()
        conflicting += positions[contradictions].tolist()
    assert count_repeats([TableRun(frame) for frame in frames], ORDER) >= len(repeated)
    return sorted(repeated), sorted(conflicting)


def test_coordinates_are_the_codes_of_the_axes_and_nothing_else():
    names = [
        *COLUMNS,
        "cat02_code",
        "cat02_name",
        "cat15_code",
        "industry_code",
        "disease_code",
        "category_name",
        "year",
    ]
    assert set(coordinate_columns(names)) == {*COORDINATES, "cat02_code", "cat15_code"}
    assert coordinate_columns([]) == []


def test_rows_at_different_places_are_no_duplicates():
    rows = [{"region_code": region, "time_code": time, "value": 1.0} for region in "ab" for time in "ab"]
    assert found([frame(rows)]) == ([], [])


def test_no_rows_have_no_duplicates():
    assert found([]) == ([], [])
    assert found([frame([])]) == ([], [])
    assert found([frame([]), frame([{"value": 1.0}]), frame([])]) == ([], [])


def test_the_first_of_identical_rows_is_not_a_duplicate_and_all_later_ones_are():
    same, other = {"time_code": "a", "value": 1.0}, {"time_code": "b", "value": 1.0}
    assert found([frame([same, other, same]), frame([other, same])]) == ([2, 3, 4], [])


def test_all_rows_of_a_place_whose_cells_differ_are_in_conflict():
    rows = [{"time_code": "a", "value": 1.0}, {"time_code": "b", "value": 1.0}, {"time_code": "a", "value": 2.0}]
    assert found([frame(rows), frame(rows[:1])]) == ([], [0, 2, 3])


def test_every_part_of_a_cell_makes_a_difference():
    cell = {"value": 1.0, "value_text": "-", "unit": "人", "annotation": "注"}
    for name, other in (("value", 2.0), ("value_text", "X"), ("unit", "千人"), ("annotation", None)):
        assert found([frame([cell]), frame([{**cell, name: other}])]) == ([], [0, 1]), name


def test_a_missing_value_conflicts_with_a_zero():
    assert found([frame([{"value": 0.0}, {"value": None, "value_text": "-"}])]) == ([], [0, 1])


def test_an_absent_code_is_a_place_of_its_own():
    rows = [{"region_code": None, "value": 1.0}, {"region_code": "", "value": 1.0}, {"region_code": "a", "value": 1.0}]
    assert found([frame(rows), frame(rows)]) == ([3, 4, 5], [])


def test_a_column_that_a_frame_lacks_is_a_code_that_its_rows_lack():
    without = frame([{"value": 1.0}])
    with_it = frame([{"value": 1.0, "cat02_code": "a"}, {"value": 1.0}], extra=["cat02_code"])
    assert found([without, with_it]) == ([2], [])
    assert found([with_it, without]) == ([2], [])


def test_many_axes_with_many_codes_never_run_into_one_another():
    """18 axes of 15 codes: 2**72 places. Packed into one number of 64 bits the first axes would leave no trace."""
    names = [*COORDINATES, *(f"{axis}_code" for axis in EXTRA_AXES)]
    first, last, codes = names[:-3], names[-3:], [f"{code:02d}" for code in range(15)]
    dice = random.Random(1)
    starts = [{name: dice.choice(codes) for name in first} for _ in range(60)]
    starts += [{**start, name: dice.choice(codes)} for start in starts[:20] for name in first]
    places = [{**start, **dict.fromkeys(last, code)} for start in starts for code in codes]
    rows: list[dict[str, Any]] = [{**place, "value": 1.0} for place in places]
    rows += [dict(row) for row in rows[:2000:7]] + [{**row, "value": 2.0} for row in rows[3:2000:70]]
    dice.shuffle(rows)
    cut = len(rows) // 3
    frames = [frame(part, extra=names[4:]) for part in (rows[:cut], rows[cut : 2 * cut], rows[2 * cut :])]
    assert found(frames) == duplicates(rows, names)
    assert min(map(len, found(frames))) > 50


def test_rows_that_differ_in_the_last_of_many_axes_alone_are_put_in_order_too():
    """18 axes of 16 codes: the first 15 fill one number up to its last bit, so that the others decide by themselves."""
    places = [dict.fromkeys(ORDER, code) | {ORDER[-1]: last} for code in "abcdefghijklmnop" for last in "pa"]
    rows: list[dict[str, Any]] = [{**place, "value": float(n)} for n, place in enumerate(places)]
    table = frame(rows, extra=ORDER[3:])
    ordered = [n + step for n in range(0, 32, 2) for step in (1, 0)]
    assert sort_rows(table, ORDER).column("value").to_pylist() == ordered
    for runs in ([TableRun(sort_rows(table, ORDER))], runs_of([table.slice(20), table.slice(0, 20)])):
        parts = [read().rows.column("value").to_pylist() for read in merge(runs, ORDER, 1)]
        assert [value for part in parts for value in part] == ordered
    copies = frame([*rows, rows[0]], extra=ORDER[3:])
    assert found([copies]) == ([32], [])


codes = st.sampled_from(["a", "b", "c", "", None])
rows = st.lists(
    st.fixed_dictionaries(
        dict.fromkeys(("region_code", "time_code"), codes),
        optional={
            "cat02_code": codes,
            "value": st.sampled_from([0.0, 1.0, None]),
            "value_text": st.sampled_from(["-", "X"]),
            "unit": st.just("人"),
        },
    ),
    max_size=12,
)


@given(st.lists(st.tuples(rows, st.booleans()), max_size=4))
def test_duplicates_are_those_that_a_slow_search_finds(parts: list[tuple[list[dict[str, Any]], bool]]):
    frames, everything = [], []
    for part, extra in parts:
        frames.append(frame(part, extra=["cat02_code"] if extra else []))
        everything += [row if extra else {k: v for k, v in row.items() if k != "cat02_code"} for row in part]
    assert found(frames) == duplicates(everything, (*COORDINATES, "cat02_code"))


@given(st.lists(rows, max_size=5), st.integers(1, 600))
def test_parts_hold_every_row_in_order_and_never_divide_a_place(parts: list[list[dict[str, Any]]], most: int):
    frames = [frame(part, extra=["cat02_code"]) for part in parts]
    merged = [read().rows.to_pylist() for read in merge(runs_of(frames), ORDER, most)]
    everything = [row for part in merged for row in part]
    places = [[(row.get(name) is None, row.get(name) or "") for name in ORDER] for row in everything]
    keys = [(place, row["source_position"]) for place, row in zip(places, everything, strict=True)]
    assert keys == sorted(keys)
    assert sorted(row["source_position"] for row in everything) == list(range(sum(map(len, parts))))
    cells = {row["source_position"]: row["value"] for row in everything}
    assert [cells[n] for n in range(len(cells))] == [row.get("value") for part in parts for row in part]
    for part, following in pairwise(merged):
        assert [part[-1].get(name) for name in ORDER] != [following[0].get(name) for name in ORDER]


def test_many_rows_are_merged_part_by_part():
    """Enough rows for several parts, of runs whose places interleave."""
    dice = random.Random(2)
    numbers = list(range(6_000))
    dice.shuffle(numbers)
    frames = [
        frame([{"region_code": f"{n % 47:02d}", "time_code": f"{n:05d}", "value": float(n)} for n in part])
        for part in (numbers[:1_000], numbers[1_000:1_001], numbers[1_001:])
    ]
    parts = [read().rows for read in merge(runs_of(frames), ORDER, 1_000)]
    assert len(parts) > 3
    assert max(map(len, parts)) < 3_000
    values = [value for part in parts for value in part.column("value").to_pylist()]
    assert values == sorted(numbers, key=lambda n: (n % 47, n))


@given(rows, st.sampled_from([["region_code"], ["value"], ["cat02_code", "value"]]))
def test_rows_are_put_in_order_with_null_last_and_equal_ones_as_they_stood(part: list[dict[str, Any]], by: list[str]):
    table = frame([{**row, "source_position": n} for n, row in enumerate(part)], extra=["cat02_code"])
    expected = sorted(
        table.to_pylist(), key=lambda row: [(row[name] is None, "" if row[name] is None else row[name]) for name in by]
    )
    assert sort_rows(table, by).to_pylist() == expected
