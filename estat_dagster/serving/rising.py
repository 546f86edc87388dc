"""Series of counters that are told as 0 before they rise.

Prometheus takes no series that it first meets at 1 for an increase: the first failure of a job would be seen by nobody.
What may be counted one day is not known before (kinds of errors, jobs), so a new series waits at 0 for a while.
"""

from __future__ import annotations

import time

from prometheus_client import Counter

NEW_SECONDS = 120.0
"""How long a new series is told as 0: whoever asks more often than that sees it rise."""


class Rising:
    """Adds to series of counters, to new ones when they have been told as 0 for a while."""

    def __init__(self) -> None:
        self._new: dict[Counter, tuple[float, float]] = {}
        self._risen: set[Counter] = set()

    def add(self, series: Counter, number: float = 1) -> None:
        """Add to a series, now or later."""
        if series in self._risen:
            series.inc(number)
        else:
            since, held = self._new.get(series, (time.monotonic(), 0.0))
            self._new[series] = since, held + number

    def rise(self) -> None:
        """Add what was kept back for long enough."""
        for series, (since, held) in list(self._new.items()):
            if time.monotonic() - since >= NEW_SECONDS:
                series.inc(held)
                self._risen.add(series)
                del self._new[series]
