"""Narrowing of getStatsData: lvXxx, cdXxx, cdXxxFrom, cdXxxTo on every axis, all of them ANDed.

Codes are compared as text, as `min` and `max` of an axis are. A code that the axis does not have selects nothing,
and so does a condition on an axis that the table does not have. Specification 3.0, section 3.4: 絞り込み条件.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from estat_dagster.sandbox import wire
from estat_dagster.sandbox.model import Axis, Cell, Item, Table, Wire
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.refusal import wrong_value

AXES = {"Tab": "表章事項", "Time": "時間軸事項", "Area": "地域事項"} | {
    f"Cat{number:02d}": f"分類事項{number:02d}" for number in range(1, 16)
}
MOST_CODES = 100


@dataclass(frozen=True)
class Condition:
    """What is asked of one axis, as the request says it. `name` is the axis as parameters spell it: Tab, Cat01."""

    name: str
    level: str | None = None
    codes: str | None = None
    start: str | None = None
    end: str | None = None

    @property
    def axis(self) -> str:
        """The axis as tables spell it: tab, cat01."""
        return self.name.lower()


Conditions = tuple[Condition, ...]


def names() -> tuple[str, ...]:
    """Return the names of all narrowing parameters."""
    return tuple(key for name in AXES for key in (f"lv{name}", f"cd{name}", f"cd{name}From", f"cd{name}To"))


def parse(params: Params) -> Conditions:
    """Return the conditions of a request.

    Raises:
        RefusalError: STATUS 102 for a level that is none, more than 100 codes, or `min`/`max` among others.
    """
    asked = (
        Condition(name, *(params.get(key) for key in (f"lv{name}", f"cd{name}", f"cd{name}From", f"cd{name}To")))
        for name in AXES
    )
    conditions = tuple(each for each in asked if each != Condition(each.name))
    for condition in conditions:
        _check(condition)
    return conditions


def echo(params: Params) -> Wire:
    """Return NARROWING_COND."""
    cond: Wire = {}
    for name in AXES:
        shown = {
            f"LEVEL_{name.upper()}_COND": params.get(f"lv{name}"),
            f"CODE_{name.upper()}_SELECT": params.get(f"cd{name}"),
            f"CODE_{name.upper()}_FROM": params.get(f"cd{name}From"),
            f"CODE_{name.upper()}_TO": params.get(f"cd{name}To"),
        }
        cond |= {key: wire.text(value) for key, value in shown.items() if value is not None}
    return cond


def narrow(table: Table, conditions: Conditions) -> dict[str, tuple[Item, ...]]:
    """Return the items of each axis that the conditions leave, by axis id."""
    by_axis = {condition.axis: condition for condition in conditions}
    return {axis.id: _items(axis, by_axis[axis.id]) if axis.id in by_axis else axis.items for axis in table.axes}


@lru_cache(maxsize=8)
def select(table: Table, conditions: Conditions) -> Sequence[Cell]:
    """Return the cells that the conditions leave, in the table's order."""
    if not conditions:
        return table.cells
    place = {axis.id: position for position, axis in enumerate(table.axes)}
    if any(condition.axis not in place for condition in conditions):
        return ()
    left = narrow(table, conditions)
    wanted = [(place[each.axis], frozenset(item.code for item in left[each.axis])) for each in conditions]
    return tuple(cell for cell in table.cells if all(cell.codes[at] in codes for at, codes in wanted))


def _items(axis: Axis, condition: Condition) -> tuple[Item, ...]:
    codes = [item.code for item in axis.items]
    keyword = {"min": min(codes), "max": max(codes)}
    tests = _tests(condition, keyword)
    return tuple(item for item in axis.items if all(test(item) for test in tests))


def _tests(condition: Condition, keyword: Mapping[str, str]) -> list[Callable[[Item], bool]]:
    tests: list[Callable[[Item], bool]] = []
    if condition.level is not None:
        low, high = _levels(condition.level)
        tests.append(lambda item: low <= item.level <= high)
    if condition.codes is not None:
        chosen = {keyword.get(code, code) for code in condition.codes.split(",")}
        tests.append(lambda item: item.code in chosen)
    if condition.start is not None:
        first = keyword.get(condition.start, condition.start)
        tests.append(lambda item: item.code >= first)
    if condition.end is not None:
        last = keyword.get(condition.end, condition.end)
        tests.append(lambda item: item.code <= last)
    return tests


def _levels(text: str) -> tuple[str, str]:
    """Return the lowest and highest of X, X-X, -X (from 1), X- (to 9). Levels are single digits, so text compares."""
    low, dash, high = text.partition("-")
    return (low or "1", high or "9") if dash else (low, low)


def _check(condition: Condition) -> None:
    name, label = condition.name, AXES[condition.name]
    if condition.level is not None and not re.fullmatch("[1-9]-?|[1-9]?-[1-9]", condition.level):
        raise wrong_value(f"{label}(階層レベル)", f"lv{name}")
    codes = [] if condition.codes is None else condition.codes.split(",")
    if len(codes) > MOST_CODES or (len(codes) > 1 and {"min", "max"} & set(codes)):
        raise wrong_value(f"{label}(コード 単一)", f"cd{name}")
