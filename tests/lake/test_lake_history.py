"""What a table tells of its past, and what changed of a dataset between two snapshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.columns import Column, arrow_schema, axis_columns
from estat_dagster.errors import DataError
from estat_dagster.lake import comparing
from estat_dagster.lake.comparing import COMPARED, COORDINATES, NAMES, Differences, compare
from estat_dagster.lake.history import dataset_snapshots, find_table, snapshots
from estat_dagster.lake.lake import Lake
from tests.lake.shore import POPULATION, STAGED, frame, load

A, B = "0000000001", "0000000002"
EXTRA = axis_columns("cat02")


def cells(dataset_id: str, rows: list[dict[str, Any]], extra: tuple[Column, ...] = ()) -> pa.Table:
    """Return staged rows; a region, a category and a measure where the row names none."""
    whole = [
        {"dataset_id": dataset_id, "tab_code": "t", "category_code": "c", "region_code": "00000", **row} for row in rows
    ]
    return pa.Table.from_pylist(whole, schema=arrow_schema((*STAGED, *extra)))


def test_a_table_lists_its_snapshots_and_what_each_did(lake: Lake) -> None:
    first = load(lake, frame(A, [1.0, 2.0, None]))
    second = load(lake, frame(B, [5.0]))
    third = load(lake, frame(A, [7.0, 8.0]))
    table = lake.tables.load(POPULATION.table_name)
    listed = snapshots(table)
    assert [facts.snapshot_id for facts in listed] == [third, second, first]
    assert [facts.parent_id for facts in listed] == [second, first, None]
    assert [facts.dataset_id for facts in listed] == [A, B, A]
    assert [(facts.rows, facts.rows_added, facts.rows_removed) for facts in listed] == [(2, 2, 3), (1, 1, 0), (3, 3, 0)]
    assert [facts.is_current for facts in listed] == [True, False, False]
    assert timedelta(0) <= datetime.now(UTC) - listed[0].made_at < timedelta(minutes=5)
    assert [facts.snapshot_id for facts in dataset_snapshots(table, A)] == [third, first]


def test_a_dataset_that_was_never_loaded_has_no_table(lake: Lake) -> None:
    load(lake, frame(A, [1.0]))
    with pytest.raises(DataError, match="No table holds 0000000002"):
        find_table(lake.tables, B)


def test_only_one_load_has_nothing_before_it(lake: Lake) -> None:
    load(lake, frame(B, [1.0]))
    load(lake, frame(A, [1.0]))
    with pytest.raises(DataError, match="before its last load"):
        compare(lake.tables, A)


def test_a_comparison_tells_added_removed_and_revised_rows_with_old_and_new(lake: Lake) -> None:
    load(
        lake,
        cells(
            A,
            [
                {"time_code": "2000000000", "value": 1.0, "unit": "人", "region_name": "全国"},
                {"time_code": "2001000000", "value": 2.0, "unit": "人"},
                {"time_code": "2002000000", "value": None, "value_text": "***", "missing_reason": "不明"},
                {"time_code": "2003000000", "value": 0.0},
                {"time_code": "2004000000", "value": 4.0},
            ],
        ),
    )
    load(lake, frame(B, [1.0]))
    load(
        lake,
        cells(
            A,
            [
                {"time_code": "2000000000", "value": 1.0, "unit": "千人", "region_name": "全国"},
                {"time_code": "2002000000", "value": 0.0},
                {"time_code": "2003000000", "value": None, "value_text": "-"},
                {"time_code": "2004000000", "value": 4.0},
                {"time_code": "2005000000", "value": 5.0, "annotation": "速報"},
            ],
        ),
    )
    found = compare(lake.tables, A)
    assert (found.added_count, found.removed_count, found.revised_count, found.unchanged_count) == (1, 1, 3, 1)
    assert [(row["time_code"], row["value"], row["annotation"]) for row in found.added.to_pylist()] == [
        ("2005000000", 5.0, "速報")
    ]
    assert [(row["time_code"], row["value"]) for row in found.removed.to_pylist()] == [("2001000000", 2.0)]
    revised = found.revised.to_pylist()
    assert [(row["old_value"], row["new_value"]) for row in revised] == [(1.0, 1.0), (None, 0.0), (0.0, None)]
    assert [(row["old_unit"], row["new_unit"]) for row in revised] == [("人", "千人"), (None, None), (None, None)]
    assert (revised[1]["old_value_text"], revised[1]["old_missing_reason"]) == ("***", "不明")
    assert revised[2]["new_value_text"] == "-"
    assert revised[0]["region_name"] == "全国"
    assert compare(lake.tables, A, found.after).is_equal


def test_a_table_that_was_set_back_is_compared_as_it_is(lake: Lake) -> None:
    first = load(lake, cells(A, [{"time_code": "2000000000", "value": 1.0}]))
    second = load(lake, cells(A, [{"time_code": "2000000000", "value": 2.0}]))
    load(lake, cells(A, [{"time_code": "2000000000", "value": 3.0}]))
    with lake.tables.load(POPULATION.table_name).manage_snapshots() as manage:
        manage.rollback_to_snapshot(second)
    found = compare(lake.tables, A)
    assert (found.before, found.after) == (first, second)
    assert found.revised.column("new_value").to_pylist() == [2.0]


def test_an_axis_that_came_between_does_not_hide_what_is_the_same(lake: Lake) -> None:
    first = load(lake, cells(A, [{"time_code": "2000000000", "value": 1.0}]))
    load(
        lake,
        cells(
            A,
            [
                {"time_code": "2000000000", "value": 1.0},
                {"time_code": "2000000000", "value": 3.0, "cat02_code": "x", "cat02_name": "ex"},
            ],
            EXTRA,
        ),
        EXTRA,
    )
    found = compare(lake.tables, A, first)
    assert (found.added_count, found.removed_count, found.revised_count, found.unchanged_count) == (1, 0, 0, 1)
    assert found.added.to_pylist()[0]["cat02_name"] == "ex"
    back = compare(lake.tables, A, found.after, first)
    assert (back.added_count, back.removed_count, back.unchanged_count) == (0, 1, 1)


def test_a_sample_cuts_the_rows_and_never_the_counts(lake: Lake) -> None:
    rows = [{"time_code": f"{year}000000", "value": 1.0} for year in range(2000, 2020)]
    load(lake, cells(A, rows))
    load(lake, cells(A, [row | {"value": 2.0} for row in rows]))
    found = compare(lake.tables, A, sample=3)
    assert found.revised_count == 20
    assert [row["time_code"] for row in found.revised.to_pylist()] == ["2000000000", "2001000000", "2002000000"]


def test_a_comparison_in_many_parts_is_the_same(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    years: list[str | None] = [*(f"{year}000000" for year in range(2000, 2006)), None]
    old = {time: float(n) for n, time in enumerate(years)}
    load(lake, cells(A, [{"time_code": time, "value": value} for time, value in old.items()]))
    rows = [{"time_code": time, "value": -(value or 0.0)} for time, value in old.items() if time != "2001000000"]
    load(lake, cells(A, [*rows, {"time_code": "2007000000", "value": 7.0}]))
    whole = compare(lake.tables, A)
    monkeypatch.setattr(comparing, "SLICE", 2)
    parts = compare(lake.tables, A)
    assert (parts.added_count, parts.removed_count, parts.revised_count, parts.unchanged_count) == (1, 1, 5, 1)
    for name in ("added", "removed", "revised"):
        assert sorted(map(str, getattr(parts, name).to_pylist())) == sorted(map(str, getattr(whole, name).to_pylist()))


def test_rows_that_stand_twice_at_a_place_are_no_comparison(lake: Lake) -> None:
    row = {"time_code": "2000000000", "value": 1.0}
    load(lake, cells(A, [row, row]))
    load(lake, cells(A, [row]))
    with pytest.raises(DataError, match="several rows"):
        compare(lake.tables, A)


texts = st.none() | st.sampled_from(["", "-", "***", "あ"])
places = st.tuples(
    st.none() | st.sampled_from(["a", "b"]),
    st.none() | st.sampled_from(["", "01", "02"]),
    st.none() | st.sampled_from(["2000000000", "2000000103", "2001000000", "2001100000"]),
)
values = st.fixed_dictionaries(
    {
        "value": st.none() | st.sampled_from([0.0, -0.5, 1.0, 1e300]),
        "value_text": texts,
        "missing_reason": texts,
        "unit": texts,
        "annotation": texts,
    }
)
sides = st.dictionaries(places, values, max_size=12)


@given(old=sides, new=sides, split=st.booleans())
def test_differences_are_those_that_dictionaries_find(old: Any, new: Any, split: bool) -> None:
    found = Differences(list(PLACE), None)
    for times in ({"2000000000", "2000000103", None}, {"2001000000", "2001100000"}) if split else (None,):
        found.add(*(side_of(side, times) for side in (old, new)))
    both = old.keys() & new.keys()
    changed = {place for place in both if old[place] != new[place]}
    added, removed = new.keys() - old.keys(), old.keys() - new.keys()
    assert at(found.added, "") == {place: new[place] for place in added}
    assert at(found.removed, "") == {place: old[place] for place in removed}
    assert at(found.revised, "old_") == {place: old[place] for place in changed}
    assert at(found.revised, "new_") == {place: new[place] for place in changed}
    assert found.counts == [len(added), len(removed), len(changed), len(both) - len(changed)]


PLACE = ("category_code", "cat02_code", "time_code")


def side_of(side: dict[tuple[str | None, ...], dict[str, Any]], times: set[str | None] | None) -> pa.Table:
    """Return the rows of a side that are of some time codes, under every column that is compared."""
    rows = [
        dict(zip(PLACE, place, strict=True)) | cell
        for place, cell in side.items()
        if times is None or place[2] in times
    ]
    types = {name: pa.float64() if name == "value" else pa.string() for name in (*COORDINATES, *NAMES, *COMPARED)}
    return pa.Table.from_pylist(rows, schema=pa.schema(types.items()))


def at(parts: list[pa.Table], prefix: str) -> dict[tuple[str | None, ...], dict[str, Any]]:
    rows = [row for part in parts for row in part.to_pylist()]
    found = {tuple(row[name] for name in PLACE): {name: row[prefix + name] for name in COMPARED} for row in rows}
    assert len(found) == len(rows)
    return found
