"""A process with all imports done, which forks a child for each change of a lake; one can kill itself at its n-th call.

Counting calls spreads the kills over the whole way on any machine alike: fetching, mapping, merging, writing, renaming,
committing. Started by `Nursery`, which speaks with it over pipes.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import traceback
from datetime import timedelta
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import pyiceberg

from estat_dagster.lake.deleting import delete
from estat_dagster.lake.history import dataset_snapshots, find_table
from estat_dagster.lake.lake import open_lake
from estat_dagster.lake.maintenance import COMPACT, EXPIRE, maintain
from estat_dagster.lake.rollback import rollback
from estat_dagster.settings import Settings
from tests.doors.loader import load_into

ROOT = Path(__file__).resolve().parents[2]
NEVER = 1 << 62
LIBRARY = Path(pyiceberg.__file__).parent
COUNTED = tuple(f"{folder}/" for folder in (ROOT / "estat_dagster", LIBRARY / "catalog", LIBRARY / "io"))
LATE = (
    "estat_dagster.lake.lake", "matplotlib.backends.backend_agg", "matplotlib.figure", "matplotlib_fontja",
    "pyarrow.json", "pyarrow.parquet", "pyiceberg.catalog.sql", "pyiceberg.expressions.parser", "pyiceberg.io.pyarrow",
    "pyiceberg.table.update.snapshot", "requests", "sqlalchemy.dialects.sqlite.pysqlite",
)  # fmt: skip
"""What a load imports on its way; here before it, so that a kill meets the load itself."""


class Calls:
    """Counts what our code calls, and what the catalog and the files of PyIceberg do; kills the process at one of them.

    Nine of ten calls of a load are of libraries that copy and draw, after the commit; they are not counted.
    """

    def __init__(self, kill_at: int) -> None:
        self.count, self._kill_at = 0, kill_at

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(COUNTED):
            self.count += 1
            if self.count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


def change(settings: Settings, dataset_id: str, action: str) -> None:
    """Load a dataset, roll it back to its first snapshot, delete it, or put files together and expire snapshots."""
    lake = open_lake(settings)
    if action == "load":
        load_into(settings, dataset_id, chunk_size=200)
    elif action == "rollback":
        rollback(lake, dataset_id, dataset_snapshots(find_table(lake.tables, dataset_id), dataset_id)[-1].snapshot_id)
    elif action == "delete":
        delete(lake, dataset_id, settings.locks_home)
    elif action == "maintain":
        list(maintain(lake, (COMPACT, EXPIRE), older_than=timedelta(0), keep=1))


def child(settings: Settings, dataset_id: str, action: str, kill_at: int, report: int) -> None:
    calls = Calls(kill_at)
    if kill_at:
        sys.setprofile(calls)
    change(settings, dataset_id, action)
    sys.setprofile(None)
    os.write(report, str(calls.count).encode())


def main() -> None:
    """For each line `action kill_at`, fork a change and print how many calls it made, or `killed`."""
    settings = Settings(app_id="test", base_url=sys.argv[2], lake_home=Path(sys.argv[1]))
    for module in LATE:
        importlib.import_module(module)
    print("ready", flush=True)
    for line in sys.stdin:
        action, kill_at = line.split()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                child(settings, sys.argv[3], action, int(kill_at), writing)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read().decode()
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(said or ("killed" if killed else f"failed {status}"), flush=True)


class Nursery:
    """The process, from outside."""

    def __init__(self, home: Path, base_url: str, dataset_id: str) -> None:
        arguments = [sys.executable, "-X", "faulthandler", "-m", "tests.doors.nursery", str(home), base_url, dataset_id]
        self._process = subprocess.Popen(
            arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self) -> Nursery:
        assert self.answer() == "ready"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def begin(self, kill_at: int = 0, action: str = "load") -> None:
        """Begin a change that is killed at one of its calls; at 0 they are not counted, which is faster."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{action} {kill_at}\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """Wait for the end of a change: the number of its calls, or `killed`."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def do(self, action: str = "load", kill_at: int = 0) -> int:
        """Make a whole change, and return the number of calls."""
        self.begin(kill_at, action)
        return int(self.answer())


if __name__ == "__main__":
    main()
