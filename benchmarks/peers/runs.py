"""Running the readers: a fresh process for each run, the last of which hands over the cells too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.compare import Comparison, compare, unpack
from benchmarks.peers.environments import NotReadyError, interpreter
from benchmarks.peers.readers import DOWNLOAD, Reader
from benchmarks.peers.table import SMALL_ID, TABLE_ID, Fact

DRIVERS = Path(__file__).parent / "drivers"
TIME_LIMIT = 1_800


@dataclass
class Result:
    """What was measured of a reader; `failure` says why a run, and those after it, are missing."""

    reader: Reader
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    python: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    comparison: Comparison | None = None
    failure: str = ""


@contextmanager
def served(records: int) -> Iterator[str]:
    """Serve the table in a process of its own and yield its address."""
    command = [sys.executable, "-m", "benchmarks.peers.serve", "--records", str(records)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def run_all(readers: Iterable[Reader], address: str, facts: Sequence[Fact], times: int) -> list[Result]:
    """Run every reader so many times, in turns so that a busy minute hits all; compare the cells of the last."""
    results = [Result(reader) for reader in readers]
    for turn in range(1, times + 1):
        for result in results:
            if not result.failure:
                print(f"run {turn} of {times}: {result.reader.name}", file=sys.stderr)
                _run(result, address, facts, compared=turn == times)
    return results


def _run(result: Result, address: str, facts: Sequence[Fact], *, compared: bool) -> None:
    compared = compared and result.reader.name != DOWNLOAD
    try:
        python = interpreter(result.reader)
        found = _once(result.reader, python, address, len(facts), cells=compared)
    except NotReadyError as error:
        result.failure = str(error)
        return
    result.seconds.append(found["seconds"])
    result.cpu.append(found["cpu"])
    result.peak_mb = max(result.peak_mb, found["peak_mb"])
    result.python, result.versions, result.remarks = found["python"], found["versions"], found["remarks"]
    if compared:
        result.comparison = compare(facts, unpack(found["cells"]))


def _once(reader: Reader, python: Path, address: str, records: int, *, cells: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [python.absolute(), DRIVERS / reader.driver, address, SMALL_ID, TABLE_ID, str(records), report]
        options = [*reader.options, *(["--cells"] if cells else [])]
        # Some keep settings in the home folder: they get one that goes away.
        environment = {**os.environ, "HOME": folder, "NO_PROXY": "127.0.0.1"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        try:
            done = subprocess.run(
                [*command, *options], capture_output=True, text=True, env=environment, cwd=folder, timeout=TIME_LIMIT
            )
        except subprocess.TimeoutExpired as error:
            raise NotReadyError(f"it did not finish in {TIME_LIMIT:,} s") from error
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise NotReadyError(f"it failed: {last[:300]}")
        found: dict[str, Any] = json.loads(report.read_text("utf-8"))
        return found
