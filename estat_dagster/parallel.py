"""Parts of a dataset side by side: as many at once as the machine has cores, their results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Return the results of a function in the order of the items; few of them are held at a time.

    The first error is raised, after the calls that were running; none begins after it.
    """
    cores = os.cpu_count() or 1
    running: deque[Future[R]] = deque()
    with ThreadPoolExecutor(max_workers=cores) as pool:
        try:
            for item in items:
                running.append(pool.submit(work, item))
                if len(running) > cores:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
