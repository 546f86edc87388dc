from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from estat_dagster.sandbox.server import Sandbox
from tests.doors.lakeside import Lakeside


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def lakeside(tmp_path: Path, sandbox: Sandbox) -> Lakeside:
    return Lakeside(tmp_path / "lake", sandbox)
