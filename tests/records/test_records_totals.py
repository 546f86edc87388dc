"""Parents against the sum of their children: complete families alone, and only what can be added."""

from __future__ import annotations

from typing import Any

import pytest

from estat_dagster.estat.models import Axis, ClassItem, Metadata, parse_table
from estat_dagster.records.totals import Reconciliation, reconcile_totals
from tests.records.frames import COLUMNS, frame

COUNTRY = {"00000": None, "01000": "00000", "13000": "00000", "47000": "00000"}


def axis(axis_id: str, parents: dict[str, str | None]) -> Axis:
    return Axis(axis_id, axis_id, tuple(ClassItem(code, code, parent_code=parent) for code, parent in parents.items()))


def reconcile(axes: list[Axis], *pages: list[dict[str, Any]], extra: tuple[str, ...] = ()) -> Reconciliation:
    metadata = Metadata(parse_table({"@id": "0000000001"}), tuple(axes))
    return reconcile_totals([frame(page, extra) for page in pages], metadata, [*COLUMNS, *extra])


def regions(*values: Any, **facts: Any) -> list[dict[str, Any]]:
    """Return a row for each region of COUNTRY; a text is a symbol."""
    return [
        {"region_code": code, "tab_name": "人口", **facts}
        | ({"value_text": value} if isinstance(value, str) else {"value": value})
        for code, value in zip(COUNTRY, values, strict=True)
    ]


def compared(*pages: list[dict[str, Any]]) -> tuple[int, int]:
    result = reconcile([axis("area", COUNTRY)], *pages)
    return result.compared, result.differing


def test_a_total_that_is_the_sum_of_its_parts_is_compared_and_does_not_differ():
    assert compared(regions(6.0, 1.0, 2.0, 3.0)) == (1, 0)


def test_a_real_difference_is_found_and_shown():
    result = reconcile([axis("area", COUNTRY)], regions(60.0, 10.0, 20.0, 33.0, unit="人"))
    assert (result.compared, result.differing) == (1, 1)
    assert result.samples == [
        {"axis": "region_code", "code": "00000", "value": 60.0, "sum_of_parts": 63.0, "unit": "人"}
    ]


def test_families_that_are_not_complete_are_left_out():
    assert compared(regions(6.0, 1.0, 2.0, "X")) == (0, 0), "a suppressed part"
    assert compared(regions(6.0, 1.0, 2.0, 3.0)[:3]) == (0, 0), "a part without a row"
    assert compared(regions("-", 1.0, 2.0, 3.0)) == (0, 0), "a suppressed total"
    assert compared(regions(6.0, 1.0, 2.0, 3.0)[1:]) == (0, 0), "no total"


def test_a_zero_is_a_part_and_a_missing_value_is_none():
    assert compared(regions(3.0, 1.0, 2.0, 0.0)) == (1, 0)
    assert compared(regions(3.0, 1.0, 2.0, "***")) == (0, 0)


def test_each_place_on_the_other_axes_is_a_family_of_its_own():
    pages = [regions(6.0, 1.0, 2.0, 3.0, time_code=year) for year in ("2019", "2020")]
    pages.append(regions(9.0, 1.0, 2.0, 3.0, time_code="2021"))
    assert compared(*pages) == (3, 1)
    assert compared([row for page in pages for row in page]) == (3, 1)
    assert compared(
        regions(6.0, 1.0, 2.0, 3.0, category_code=None), regions(6.0, 1.0, 2.0, 3.0, category_code="a")
    ) == ((2, 0))


def test_a_family_may_be_spread_over_pages():
    whole = regions(6.0, 1.0, 2.0, 3.5)
    assert compared(whole[2:], whole[:1], whole[1:2]) == (1, 1)


def test_an_axis_that_only_some_pages_have_is_a_coordinate_of_those():
    metadata = Metadata(parse_table({"@id": "0000000001"}), (axis("area", COUNTRY),))
    pages = [
        frame(regions(9.0, 1.0, 2.0, 3.0, cat05_code="x"), ("cat05_code",)),
        frame(regions(6.0, 1.0, 2.0, 3.0)),
    ]
    for order in (pages, pages[::-1]):
        found = reconcile_totals(order, metadata, [*COLUMNS, "cat05_code"])
        assert (found.compared, found.differing) == (2, 1)


@pytest.mark.parametrize(
    "facts",
    [
        *({"unit": unit} for unit in ("％", "%", "‰", "歳", "倍")),
        *({"tab_name": name} for name in ("完全失業率", "構成比", "平均年齢", "消費者物価指数", "人口密度", "単価")),
        {"category_name": "昼夜間人口比率"},
    ],
)
def test_what_cannot_be_added_is_left_out(facts: dict[str, str]):
    assert compared(regions(1.0, 1.0, 2.0, 3.0, **facts)) == (0, 0)
    assert compared(regions(1.0, 1.0, 2.0, 3.0)) == (1, 1)


def test_a_group_of_people_by_age_is_a_count():
    assert compared(regions(1.0, 1.0, 2.0, 3.0, category_name="15～19歳", unit="人")) == (1, 1)


def test_parts_in_another_unit_are_not_added():
    mixed = regions(6.0, 1.0, 2.0, 3.0, unit="人")
    mixed[3]["unit"] = "千人"
    assert compared(mixed) == (0, 0)
    thousands = [{**row, "unit": "千人"} for row in regions(6.0, 1.0, 2.0, 3.0)]
    assert compared([{**thousands[0], "unit": "人"}, *thousands[1:]]) == (0, 0)


@pytest.mark.parametrize(
    ("values", "differs"),
    [
        ((7.0, 1.0, 2.0, 3.0), False),  # three parts and a total, each rounded by at most a half
        ((8.0, 1.0, 2.0, 3.0), False),
        ((9.0, 1.0, 2.0, 3.0), True),
        ((6.2, 1.1, 2.0, 3.0), False),
        ((6.4, 1.1, 2.0, 3.0), True),
        ((6.0, 1.25, 2.0, 3.0), True),
        ((0.1 + 0.2, 0.1, 0.2, 0.0), False),
        ((6e-7, 1e-7, 2e-7, 4e-7), False),
        ((6e-7, 1e-7, 2e-7, 6e-7), True),
        ((2.5e-7, 1.5e-7, 1.5e-7, 0.0), True),
        ((3e20, 1e20, 1e20, 1e20), False),
        ((3e12 + 1000, 1e12, 1e12, 1e12), False),  # a double holds no more than this to a billionth
        ((3.1e12, 1e12, 1e12, 1e12), True),
    ],
)
def test_as_much_as_rounding_can_make_is_no_difference(values: tuple[float, ...], differs: bool):
    assert compared(regions(*values)) == (1, int(differs))


def test_parents_that_lead_nowhere_make_no_family():
    dangling = axis("area", {"01000": "gone", "13000": "gone", "47000": "47000", "00000": None})
    assert reconcile([dangling], regions(6.0, 1.0, 2.0, 3.0)) == Reconciliation()
    assert reconcile([], regions(6.0, 1.0, 2.0, 3.0)) == Reconciliation()


def test_every_generation_is_compared():
    cities = axis("area", {"00000": None, "01000": "00000", "13000": "00000", "01100": "01000", "01202": "01000"})
    codes = zip(("00000", "01000", "13000", "01100", "01202"), (30.0, 10.0, 20.0, 4.0, 5.0), strict=True)
    result = reconcile([cities], [{"region_code": code, "value": value} for code, value in codes])
    assert (result.compared, result.differing) == (2, 0), "9 for 10 is within rounding"


FAMILY = {"0": None, "1": "0", "2": "0"}


@pytest.mark.parametrize("axis_id", ["cat01", "cat02", "area", "time"])
def test_families_of_any_axis_are_compared(axis_id: str):
    column = {"cat01": "category_code", "area": "region_code"}.get(axis_id, f"{axis_id}_code")
    extra = ("cat02_code",) if axis_id == "cat02" else ()
    rows = [{column: code, "value": value} for code, value in zip(FAMILY, (30.0, 10.0, 11.0), strict=True)]
    result = reconcile([axis("cat01", {"a": None}), axis(axis_id, FAMILY)], rows, extra=extra)
    assert (result.compared, result.differing) == (1, 1)
    assert result.samples[0]["axis"] == column


@pytest.mark.parametrize("has_categories", [True, False])
def test_families_of_measures_are_compared_with_and_without_categories(has_categories: bool):
    """Where there is no cat01, the category repeats the measure and so differs between parent and child."""
    axes = [axis("tab", FAMILY), *([axis("cat01", {"a": None})] if has_categories else [])]
    rows = [
        {"tab_code": code, "category_code": "a" if has_categories else code, "value": value}
        for code, value in zip(FAMILY, (30.0, 10.0, 11.0), strict=True)
    ]
    result = reconcile(axes, rows)
    assert (result.compared, result.differing) == (1, 1)


def test_the_worst_differences_are_the_samples():
    pages = [regions(100.0 + year, 1.0, 2.0, 3.0, time_code=str(year)) for year in range(20)]
    result = reconcile([axis("area", COUNTRY)], *pages)
    assert (result.compared, result.differing, len(result.samples)) == (20, 20, 5)
    assert [sample["value"] for sample in result.samples] == [119.0, 118.0, 117.0, 116.0, 115.0]
