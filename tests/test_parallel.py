"""Work side by side: results in order, few held at a time, and an end without anything left running."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from estat_dagster.parallel import side_by_side

CORES = os.cpu_count() or 1


def counted(taken: list[int], most: int) -> Iterator[int]:
    """Return numbers, and note which were asked for."""
    for number in range(most):
        taken.append(number)
        yield number


def test_results_come_in_the_order_of_the_items() -> None:
    last = threading.Event()

    def work(number: int) -> int:
        if number == 0 and CORES > 1:
            assert last.wait(60), "the second item was not begun beside the first"
        last.set()
        return number * number

    assert list(side_by_side(work, range(50))) == [number * number for number in range(50)]
    assert list(side_by_side(work, [])) == []


def test_nothing_begins_before_the_first_result_is_wanted() -> None:
    taken: list[int] = []
    results = side_by_side(str, counted(taken, 3))
    assert taken == []
    assert next(results) == "0"


def test_few_items_are_taken_before_their_results_are_wanted() -> None:
    taken: list[int] = []
    for number in side_by_side(int, counted(taken, 100)):
        assert len(taken) <= number + 1 + CORES


def test_the_first_error_is_raised_and_no_item_is_taken_after_it() -> None:
    taken: list[int] = []

    def work(number: int) -> int:
        if number >= 3:
            raise ValueError(number)
        return number

    found = []
    with pytest.raises(ValueError, match="3"):
        found.extend(side_by_side(work, counted(taken, 100)))
    assert len(taken) <= 4 + CORES


def test_the_calls_that_run_are_over_when_the_error_arrives() -> None:
    begun, failing, ended = threading.Semaphore(0), threading.Event(), []

    def work(number: int) -> None:
        if number == 0:
            assert CORES == 1 or begun.acquire(timeout=60)
            failing.set()
            raise ValueError("first")
        begun.release()
        failing.wait(60)
        ended.append(number)

    before = threading.active_count()
    with pytest.raises(ValueError, match="first"):
        list(side_by_side(work, range(10)))
    assert threading.active_count() == before
    assert len(ended) <= CORES


def test_an_error_of_the_items_is_raised_too() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        list(side_by_side(str, items()))


def test_a_consumer_that_stops_early_leaves_nothing_running() -> None:
    taken: list[int] = []
    before = threading.active_count()
    results = side_by_side(int, counted(taken, 100))
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
    assert len(taken) <= 1 + CORES
