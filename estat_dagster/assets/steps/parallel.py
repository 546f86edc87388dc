"""Pages side by side: as many at once as the machine has cores, their results in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Return the results of a function in the order of the items.

    The first error is raised, after the calls that were running; none begins after it.
    """
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            yield from pool.map(work, items)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
