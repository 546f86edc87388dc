from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from estat_dagster.sandbox.server import Sandbox
from tests.mcp.talk import Place


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is slow, or needs Node: `make test-mcp`."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.mcp)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, sandbox: Sandbox) -> Place:
    return Place(tmp_path / "home", sandbox.base_url)
