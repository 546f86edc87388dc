"""`estat sandbox` as its user meets it: an address on stdout, faults as asked for, an end by Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

ESTAT = Path(sys.executable).with_name("estat")


def _hears_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it, and so would the command


@contextmanager
def serving(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the command on a free port and yield its address; end it by Ctrl-C."""
    command = [str(ESTAT), "sandbox", "--port", "0", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hears_ctrl_c
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.communicate()


def ask(base_url: str, **params: str) -> requests.Response:
    asked = {"appId": "any", "statsDataId": "0003005798", **params}
    return requests.get(f"{base_url}/json/getStatsData", params=asked, timeout=10)


def test_without_options_nothing_goes_wrong() -> None:
    with serving() as (base_url, _):
        assert ask(base_url).json()["GET_STATS_DATA"]["RESULT"]["STATUS"] == 0


def test_faults_seed_and_latency_are_those_asked_for() -> None:
    def codes() -> list[int]:
        with serving("--fault", "502:0.3", "--fault", "429:0.3", "--seed", "7") as (base_url, _):
            return [ask(base_url, startPosition=str(number)).status_code for number in range(1, 40)]

    first = codes()
    assert set(first) == {200, 429, 502}
    assert first == codes()
    with serving("--latency", "0.3") as (base_url, _):
        before = time.perf_counter()
        ask(base_url)
        assert time.perf_counter() - before >= 0.3


@pytest.mark.parametrize(("fault", "words"), [("nothing", "repeated-page"), ("503:2", "no probability")])
def test_what_is_no_fault_is_one_line_and_exit_code_1(fault: str, words: str) -> None:
    run = subprocess.run(
        [str(ESTAT), "sandbox", "--fault", fault], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("error: ")
    assert words in run.stderr
    assert run.stderr.count("\n") == 1
