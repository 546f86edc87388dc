"""How many requests may run at once: the degree starts small, grows while answers are quick, and is halved by trouble.

Arithmetic alone: no clock, no thread and no request is here, so that a sequence of answers decides everything.
"""

from __future__ import annotations

from collections.abc import Hashable

START = 4
QUICK = 2.0  # times the quickest answer of its kind
RAMP = 0.05  # seconds
PROMPT = 0.5  # seconds; whatever comes within them is quick


class Pace:
    """The degree of parallel requests.

    It grows by one with each quick answer, and with each `RAMP` seconds in which requests wait for their turn and
    nothing is wrong, for a refusal comes sooner than data. The first trouble halves it; from there on it grows by one
    for as many quick answers as it is high. A slow answer leaves it as it is. Requests that began before a halving do
    not halve again: ten that fail together are one trouble.

    Args:
        limit: the most requests at once.
        start: the degree to begin with.
    """

    def __init__(self, limit: int, start: int = START) -> None:
        self.limit = max(1, limit)
        self._degree = float(min(self.limit, max(1, start)))
        self._grows_slowly = self._is_slow = False
        self._quickest: dict[Hashable, float] = {}
        self._begun = 0
        self._first_since_halving = 0

    @property
    def degree(self) -> int:
        """How many requests may run at once now, 1 to the limit."""
        return int(self._degree)

    def begin(self) -> int:
        """Count a request that begins, and return its number."""
        self._begun += 1
        return self._begun

    def answered(self, seconds: float, kind: Hashable = None) -> None:
        """Take note of an answer and of the time that it took; answers are compared with others of their kind."""
        quickest = self._quickest[kind] = min(seconds, self._quickest.get(kind, seconds))
        self._is_slow = seconds > max(PROMPT, QUICK * quickest)
        if not self._is_slow:
            self._degree = min(self.limit, self._degree + (1 / int(self._degree) if self._grows_slowly else 1))

    def waited(self) -> None:
        """Take note that requests have waited for `RAMP` seconds, without an answer or a trouble meanwhile."""
        if not self._grows_slowly and not self._is_slow:
            self._degree = min(self.limit, self._degree + 1)

    def troubled(self, number: int) -> None:
        """Take note that the request of that number met a trouble: 429, 5xx, a time-out, a broken connection."""
        if number >= self._first_since_halving:
            self._degree = max(1.0, self._degree / 2)
            self._grows_slowly = True
            self._first_since_halving = self._begun + 1
