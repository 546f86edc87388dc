"""Doing many requests side by side, of which some bring up others. What a request is, is the caller's matter."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


class ParallelFetcher:
    """Works off tasks in threads, in the order in which they came up.

    How many requests of them run at once is decided by the client's `Pace`; here is the upper bound. The context
    variables of whoever runs them go along, so that their spans belong to its trace.

    Args:
        at_once: the most tasks at once.
        interval: the least seconds between the beginnings of two tasks.
    """

    def __init__(
        self,
        at_once: int,
        interval: float = 0.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._at_once, self._interval, self._clock, self._sleep = at_once, interval, clock, sleep
        self._next = float("-inf")

    def run(self, tasks: Iterable[T], work: Callable[[T], Iterable[T]]) -> None:
        """Do the tasks and those that they return; return when all are done.

        Raises:
            BaseException: what the first failing task raised. No further task is begun, and those that run end first.
        """
        queue = deque(tasks)
        running: set[Future[Iterable[T]]] = set()
        with ThreadPoolExecutor(max_workers=self._at_once) as pool:
            while queue or running:
                while queue and len(running) < self._at_once:
                    self._space_out()
                    running.add(pool.submit(copy_context().run, work, queue.popleft()))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    queue.extend(future.result())

    def _space_out(self) -> None:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._interval
