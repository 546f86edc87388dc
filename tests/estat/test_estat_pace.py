"""The pace of requests: pure arithmetic on sequences of answers, and the gate that lets threads and processes in."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ApiError, RequestTimeoutError, StorageError
from estat_dagster.estat.pace import PROMPT, QUICK, START, Pace
from estat_dagster.estat.parallel import ParallelFetcher
from estat_dagster.estat.turns import Slots, Turns

EVENTS = st.lists(st.one_of(st.just("begin"), st.just("wait"), st.floats(0.001, 100), st.integers(1, 50)), max_size=80)


def play(pace: Pace, events: list[object]) -> list[int]:
    """Tell the pace of answers (seconds) and troubles (numbers), and return the degree after each."""
    degrees = [pace.degree]
    for event in events:
        if event == "begin":
            pace.begin()
        elif event == "wait":
            pace.waited()
        elif isinstance(event, float):
            pace.answered(event)
        elif isinstance(event, int):
            pace.troubled(event)
        degrees.append(pace.degree)
    return degrees


@given(st.integers(1, 30), EVENTS)
def test_the_degree_is_never_below_one_nor_above_the_limit(limit: int, events: list[object]):
    degrees = play(Pace(limit), events)
    assert degrees[0] == min(START, limit)
    assert min(degrees) >= 1
    assert max(degrees) <= limit


@given(st.integers(1, 30), EVENTS)
def test_answers_never_lower_it_and_a_trouble_at_most_halves_it(limit: int, events: list[object]):
    degrees = play(Pace(limit), events)
    for event, before, after in zip(events, degrees, degrees[1:], strict=False):
        if isinstance(event, int):
            assert before // 2 <= after <= before
        else:
            assert before <= after <= before + 1


@given(st.integers(1, 30), EVENTS)
def test_after_any_trouble_quick_answers_bring_it_back_to_the_limit(limit: int, events: list[object]):
    pace = Pace(limit)
    play(pace, events)
    play(pace, [PROMPT] * limit * limit)
    assert pace.degree == limit


def test_it_grows_with_each_quick_answer_and_stands_still_with_slow_ones():
    assert play(Pace(10), [3.0, 3.0, QUICK * 3.0, QUICK * 3.0 + 0.1, 60.0, "wait"]) == [4, 5, 6, 7, 7, 7, 7]


def test_an_answer_is_compared_with_its_own_kind():
    pace = Pace(10)
    pace.answered(0.6, "count")
    pace.answered(9.0, "page")
    assert pace.degree == START + 2


def test_requests_that_fail_together_halve_it_once():
    pace = Pace(10, start=10)
    numbers = [pace.begin() for _ in range(10)]
    for number in numbers:
        pace.troubled(number)
    assert pace.degree == 5
    pace.troubled(pace.begin())
    assert pace.degree == 2


def test_after_a_trouble_it_grows_by_one_for_as_many_answers_as_it_is_high():
    pace = Pace(10, start=8)
    pace.troubled(pace.begin())
    assert play(pace, [0.1] * 9) == [4, 4, 4, 4, 5, 5, 5, 5, 5, 6]
    pace.waited()
    assert pace.degree == 6


def test_waiting_lets_more_in_while_nothing_is_wrong():
    assert play(Pace(6), ["wait"] * 4) == [4, 5, 6, 6, 6]


class Counting:
    """A pace that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.degree = 2

    def begin(self) -> int:
        return 7

    def waited(self) -> None: ...

    def answered(self, seconds: float, kind: object) -> None:
        self.told.append(f"answered {kind}")

    def troubled(self, number: int) -> None:
        self.told.append(f"troubled {number}")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, "answered page"),
        (ApiError("refused", status=300), "answered page"),
        (ApiError("too many", status=429, retry=True), "troubled 7"),
        (RequestTimeoutError("late"), "troubled 7"),
    ],
)
def test_the_gate_tells_the_pace_how_a_request_went(error: Exception | None, told: str):
    pace = Counting()
    turns = Turns(pace)  # type: ignore[arg-type]
    try:
        with turns.turn("page"):
            if error:
                raise error
    except (ApiError, RequestTimeoutError) as raised:
        assert raised is error  # noqa: PT017
    assert pace.told == [told]


def test_the_gate_lets_as_many_in_as_the_pace_says():
    pace = Counting()
    turns, inside, leave = Turns(pace), threading.Semaphore(0), threading.Event()  # type: ignore[arg-type]

    def work() -> None:
        with turns.turn():
            inside.release()
            leave.wait(10)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert all(inside.acquire(timeout=10) for _ in range(pace.degree))
    assert not inside.acquire(timeout=0.1), "a third is inside"
    leave.set()
    for thread in threads:
        thread.join()
    assert len(pace.told) == len(threads)


HOLDER = """
import sys
from pathlib import Path
from estat_dagster.estat.turns import Slots
with Slots(Path(sys.argv[1]), 2).slot():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holding(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold a slot in a process of its own."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_processes_share_their_slots_and_one_that_is_killed_gives_its_back(tmp_path: Path):
    slots = Slots(tmp_path / "slots", 2)
    with holding(tmp_path / "slots") as process, slots.slot():
        assert slots._take() is None
        process.kill()
        process.wait()
        with slots.slot():
            assert slots._take() is None


def test_slots_that_cannot_be_used_are_a_storage_error(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="slots"), Slots(tmp_path / "file" / "slots", 2).slot():
        pass


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(st.integers(1, 5), st.integers(1, 12))
def test_tasks_begin_no_sooner_than_the_interval_says(at_once: int, count: int):
    clock, begun = Clock(), []
    fetcher = ParallelFetcher(at_once, 0.5, clock=clock, sleep=clock.sleep)

    def work(task: int) -> tuple[int, ...]:
        begun.append(task)
        return (task + 1,) if task < count else ()

    fetcher.run([1], work)
    assert begun == list(range(1, count + 1))
    assert clock.now == 100 + 0.5 * (count - 1)


@given(st.integers(1, 5), st.integers(0, 20))
def test_every_task_is_done_once_with_those_that_it_brings_up(at_once: int, count: int):
    done: list[int] = []

    def work(task: int) -> list[int]:
        done.append(task)
        return [child for child in (2 * task, 2 * task + 1) if child <= count]

    ParallelFetcher(at_once).run([1], work)
    assert sorted(done) == list(range(1, max(count, 1) + 1))


def test_after_an_error_nothing_more_begins():
    begun: list[int] = []

    def work(task: int) -> tuple[int, ...]:
        begun.append(task)
        raise ValueError(task)

    with pytest.raises(ValueError, match="1"):
        ParallelFetcher(1).run([1, 2, 3], work)
    assert begun == [1]
