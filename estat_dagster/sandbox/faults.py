"""What goes wrong, and when: on demand, by page, at random from a seed.

How a fault looks in a document belongs to `damage`, how on the wire to `delivery`. A draw depends on the seed, the
request and how often it was made, not on what other requests came before: a parallel fetch meets the same faults again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from estat_dagster.errors import ValidationError


class Kind(StrEnum):
    """The faults, by what a client sees. The names are those of `estat sandbox --fault`."""

    TOO_MANY_REQUESTS = "429"
    WAIT_SECONDS = "429-seconds"
    WAIT_UNTIL = "429-date"
    HTTP_500 = "500"
    HTTP_502 = "502"
    HTTP_503 = "503"
    HTTP_504 = "504"
    STATUS_200 = "status-200"
    STATUS_299 = "status-299"
    XML_100 = "xml-100"
    XML_299 = "xml-299"
    OTHER_TYPE = "other-type"
    INVALID_JSON = "invalid-json"
    CUT = "cut"
    INVALID_GZIP = "invalid-gzip"
    LENGTH_TOO_LONG = "length-too-long"
    LENGTH_TOO_SHORT = "length-too-short"
    SILENT = "silent"
    STALL = "stall"
    RESET = "reset"
    DRIP = "drip"
    TOO_FEW = "too-few"
    TOO_MANY = "too-many"
    REPEATED_PAGE = "repeated-page"
    REPEATED_VALUES = "repeated-values"
    SHIFTED_PAGE = "shifted-page"
    TOTAL_CHANGES = "total-changes"
    REPLACED = "replaced"
    NO_NEXT_KEY = "no-next-key"
    EMPTY_DATA_INF = "empty-data-inf"


OF_A_PAGE = frozenset(
    (
        Kind.TOO_FEW,
        Kind.TOO_MANY,
        Kind.REPEATED_PAGE,
        Kind.REPEATED_VALUES,
        Kind.SHIFTED_PAGE,
        Kind.TOTAL_CHANGES,
        Kind.REPLACED,
        Kind.NO_NEXT_KEY,
        Kind.EMPTY_DATA_INF,
    )
)
"""The faults of the records themselves: they meet pages of getStatsData in JSON and nothing else."""

LATER = frozenset((Kind.REPEATED_PAGE, Kind.REPEATED_VALUES, Kind.SHIFTED_PAGE))
"""The faults that a first page cannot have."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Args:
        kind: what.
        times: with the first so many requests that it meets; None for always.
        rate: how probable it is for each request, from 0 to 1.
        page: with this page alone, counted from 1; None for any request.
        function: with this function alone, such as `getStatsData`.
        seconds: how long it lasts: what Retry-After says, how long nothing comes, how long a slow body takes.
    """

    kind: Kind
    times: int | None = None
    rate: float = 1.0
    page: int | None = None
    function: str | None = None
    seconds: float = 30.0

    def meets(self, path: str, params: Mapping[str, str]) -> bool:
        """Whether a request is one that this can happen to."""
        function = path.rsplit("/", 1)[-1]
        if self.kind in OF_A_PAGE and not (path.endswith("/json/getStatsData") and params.get("cntGetFlg") != "Y"):
            return False
        if self.kind in LATER and page_of(params) == 1:
            return False
        return self.function in (None, function) and self.page in (None, page_of(params))


class FaultPlan:
    """What goes wrong in a sandbox, and how slow it is.

    Args:
        faults: the first one that meets a request happens to it.
        seed: what the draws start from.
        latency: seconds before every answer.
        jitter: seconds more, drawn for each request from 0 to this.
    """

    def __init__(
        self, faults: Iterable[Fault] = (), *, seed: int = 0, latency: float = 0.0, jitter: float = 0.0
    ) -> None:
        self.latency, self.jitter = latency, jitter
        self._seed = seed
        self._lock = threading.Lock()
        self._faults = list(faults)
        self._struck: Counter[int] = Counter()
        self._asked: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        """Let one more thing go wrong."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more. The latency stays."""
        with self._lock:
            self._faults, self._struck = [], Counter()

    def strike(self, path: str, params: Mapping[str, str]) -> tuple[Fault | None, float]:
        """Return what happens to a request, and how many seconds it waits before."""
        with self._lock:
            request = f"{path} {sorted(params.items())}"
            self._asked[request] += 1
            draw = Random(f"{self._seed} {request} {self._asked[request]}")  # noqa: S311 - weather, nothing secret
            wait = self.latency + self.jitter * draw.random()
            for place, fault in enumerate(self._faults):
                spent = fault.times is not None and self._struck[place] >= fault.times
                if not spent and fault.meets(path, params) and draw.random() < fault.rate:
                    self._struck[place] += 1
                    return fault, wait
        return None, wait


def parse(text: str) -> Fault:
    """Read `KIND` or `KIND:RATE`, as a command line gives it.

    Raises:
        ValidationError: there is no such kind, or the rate is not from 0 to 1.
    """
    name, _, rate = text.partition(":")
    try:
        kind, chance = Kind(name), float(rate or 1)
    except ValueError:
        kinds = ", ".join(Kind)
        raise ValidationError(
            f"There is no fault {text!r}.", hint=f"Write KIND or KIND:RATE; kinds: {kinds}."
        ) from None
    if not 0 <= chance <= 1:
        raise ValidationError(f"The rate of {text!r} is no probability.", hint=f"Write {name}:0.1 for one in ten.")
    return Fault(kind, rate=chance)


def page_of(params: Mapping[str, str]) -> int:
    """Return which page a request asks for, from 1."""
    start, limit = params.get("startPosition", "1"), params.get("limit", "100000")
    if not (start.isdecimal() and limit.isdecimal() and int(limit)):
        return 1
    return max(0, int(start) - 1) // int(limit) + 1
