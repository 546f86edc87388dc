"""How often and how long something is tried again where other processes come first, on a clock of the test's own."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.lake import catalog
from estat_dagster.lake.catalog import LONGEST_WAIT, again_after
from tests.hypothesis_profiles import use_profile

use_profile()
ROUNDING = 1e-6


class Clock:
    """A clock that moves when something waits or works."""

    def __init__(self) -> None:
        self.now, self.waits = 1000.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@given(takes=st.floats(0, 30), times=st.integers(1, 60), seconds=st.floats(0.1, 600), succeeds_at=st.integers(1, 80))
def test_it_is_tried_until_it_succeeds_or_times_or_time_are_over(
    takes: float, times: int, seconds: float, succeeds_at: int
) -> None:
    clock, tries = Clock(), 0

    def action() -> int:
        nonlocal tries
        tries += 1
        clock.now += takes
        if tries < succeeds_at:
            raise KeyError(tries)
        return tries

    began = clock.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "time", clock)
        with contextlib.suppress(KeyError):
            assert again_after(action, (KeyError,), times, seconds) == succeeds_at == tries
    assert tries in (succeeds_at, times) or clock.now - began >= seconds - ROUNDING
    assert tries <= times
    assert clock.now - began <= seconds + takes + ROUNDING, "no try begins when the time is over"
    assert all(0 <= wait <= LONGEST_WAIT for wait in clock.waits)


def test_another_error_is_not_tried_again() -> None:
    with pytest.raises(ValueError, match="once"):
        again_after(lambda: (_ for _ in ()).throw(ValueError("once")), (KeyError,))
