"""The protocol's conformance suite, both revisions, against the bridge with the suite's fixtures beside its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mcp.node_tools import needs_node, node
from tests.mcp.talk import ROOT, Place

pytestmark = needs_node
OLD, NEW = "node_modules/conformance-2025-11-25/dist/index.js", "node_modules/conformance/dist/index.js"
TASKS = (
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-required-task-error",
)
"""The scenarios of the tasks extension but those of tasks that ask for input, which no task of the bridge does."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = Place(tmp_path_factory.mktemp("everything") / "home", "http://127.0.0.1:1")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.mcp.everything"],
        cwd=ROOT,
        env=place.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        for line in process.stderr:
            if found := re.search(r"Serving on (http://[^\"]+/mcp)", line):
                break
        else:
            raise AssertionError("the bridge ended at once")
        yield found[1]
    finally:
        process.terminate()
        process.communicate(timeout=20)


def failures(out: Path) -> list[str]:
    checks = [check for path in out.rglob("checks.json") for check in json.loads(path.read_text("utf-8"))]
    return [f"{check['id']}: {check.get('errorMessage')}" for check in checks if check["status"] == "FAILURE"]


def test_the_suite_that_was_released_with_the_handshake_revision(url: str, tmp_path: Path) -> None:
    done = node(OLD, "server", "--url", url, "-o", str(tmp_path / "out"), home=tmp_path)
    assert done.returncode == 0, (done.stdout[-3000:], failures(tmp_path / "out"))
    assert re.search(r"Total: (\d{2,}) passed, 0 failed", done.stdout)


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_no_requirement_of_a_revision_fails(url: str, tmp_path: Path, revision: str) -> None:
    done = node(NEW, "server", "--url", url, "--requirements", revision, "-o", str(tmp_path / "out"), home=tmp_path)
    assert done.returncode == 0, (done.stdout[-3000:], failures(tmp_path / "out"))


@pytest.mark.parametrize("scenario", TASKS)
def test_the_tasks_extension(url: str, tmp_path: Path, scenario: str) -> None:
    done = node(NEW, "server", "--url", url, "--scenario", scenario, "-o", str(tmp_path / "out"), home=tmp_path)
    assert done.returncode == 0, (done.stdout[-3000:], failures(tmp_path / "out"))
