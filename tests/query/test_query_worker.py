"""The process that runs DuckDB: used again, ended with its parent, killed without harm, and told no secrets."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from query_lake import ONE_CALL, numbers, rows

from estat_dagster.errors import UnknownError
from estat_dagster.query.embedded import EmbeddedEngine
from estat_dagster.query.worker import process as processes
from estat_dagster.query.worker.process import Pool, Process

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="processes are looked at in /proc of Linux"
)

ROOT = Path(__file__).resolve().parents[2]
GONE = "Z"
KILLED_WHILE_ASKING = """
from estat_dagster.query.embedded import EmbeddedEngine
print("begun", flush=True)
EmbeddedEngine(None, "x").run({sql!r}).read_all()
"""


def workers(parent: int) -> set[int]:
    """Return the processes of `parent` that run DuckDB."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _stat(pid := int(stat.parent.name))
        if fields[0] != GONE and int(fields[1]) == parent and b"estat_dagster.query.worker" in _command(pid):
            found.add(pid)
    return found


def kill_workers() -> None:
    killed = workers(os.getpid())
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not workers(os.getpid()))
    until(lambda: not any(threads(pid) for pid in killed))


def threads(pid: int) -> int:
    """Return how many threads a process has beside its first, which may be gone before them; they hold its files."""
    return max(len(list(Path(f"/proc/{pid}/task").glob("*"))) - 1, 0)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_one_process_answers_one_query_after_another(engine: EmbeddedEngine) -> None:
    rows(engine, "SELECT 1")
    before = workers(os.getpid())
    for number in range(5):
        assert rows(engine, f"SELECT {number}") == [(number,)]
        with pytest.raises(Exception, match="no column"):
            engine.run("SELECT nonsense")
    assert workers(os.getpid()) == before


def test_queries_at_once_have_a_process_each_and_few_stay(engine: EmbeddedEngine) -> None:
    before = workers(os.getpid())
    open_ones = [engine.run(numbers(50)) for _ in range(4)]
    readers = [iter(result.batches) for result in open_ones]
    first = [next(reader) for reader in readers]
    assert len(workers(os.getpid())) >= 4
    with ThreadPoolExecutor(4) as pool:
        rest = list(pool.map(lambda reader: sum(batch.num_rows for batch in reader), readers))
    assert [batch.num_rows + more for batch, more in zip(first, rest, strict=True)] == [50_000] * 4
    assert len(workers(os.getpid()) - before) <= 2


def test_a_process_that_is_killed_is_an_error_and_the_next_query_has_another(engine: EmbeddedEngine) -> None:
    result = engine.run(numbers(900))
    next(result.batches)
    kill_workers()
    with pytest.raises(UnknownError, match="ended by itself: SIGKILL"):
        result.read_all()
    assert rows(engine, "SELECT 1") == [(1,)]


def test_an_idle_process_that_was_killed_is_replaced(engine: EmbeddedEngine) -> None:
    rows(engine, "SELECT 1")
    kill_workers()
    assert rows(engine, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_process_that_asks_even_within_one_call(stop: signal.Signals) -> None:
    code = KILLED_WHILE_ASKING.format(sql=ONE_CALL)
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as asking:
        assert asking.stdout
        asking.stdout.readline()
        until(lambda: workers(asking.pid))
        begun = workers(asking.pid)
        until(lambda: any(_seconds(pid) > 0.8 for pid in begun))
        asking.send_signal(stop)
    until(lambda: not any(_alive(pid) for pid in begun))


def test_it_knows_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTAT_APP_ID", "canary-5417")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-5417")
    made = Process()
    try:
        assert made.ready(60)
        for pid in workers(os.getpid()):
            lines = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            assert {line.partition(b"=")[0] for line in lines if line} <= {b"PATH", b"LD_LIBRARY_PATH", b"PYTHONPATH"}
    finally:
        made.close()


def test_one_that_keeps_much_memory_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(os.getpid())
    with pool.process() as first:
        pass
    with pool.process() as again:
        assert again is first
    monkeypatch.setattr(processes, "_MOST_KEPT_BYTES", -1_000_000_000)
    with pool.process() as other:
        assert other is not first
    pool.close()


def test_a_result_that_is_dropped_in_a_cycle_gives_its_process_back(engine: EmbeddedEngine) -> None:
    rows(engine, "SELECT 1")
    before = workers(os.getpid())
    for _ in range(30):
        cycle: list[object] = [engine.run(numbers(50))]
        cycle.append(cycle)
        del cycle
        gc.collect()
        assert rows(engine, "SELECT 1") == [(1,)]
    assert len(workers(os.getpid()) - before) <= 1


def test_a_process_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "_ROOT", tmp_path)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(UnknownError, match="does not start: exit code 1"), Pool(os.getpid()).process():
        pass


def test_a_thread_that_ends_leaves_no_process_waiting(engine: EmbeddedEngine) -> None:
    thread = threading.Thread(target=lambda: engine.run(numbers(50)).close())
    thread.start()
    thread.join()
    assert rows(engine, "SELECT 1") == [(1,)]


def _stat(pid: int) -> list[str]:
    """Return what Linux tells of a process, from its state on; the state is GONE where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return [GONE]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _seconds(pid: int) -> float:
    """Return the seconds that a process has worked."""
    fields = _stat(pid)
    return 0 if fields == [GONE] else (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _alive(pid: int) -> bool:
    return _stat(pid)[0] != GONE
