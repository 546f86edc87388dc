from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from tests.bridge import reading_lake
from tests.hypothesis_profiles import use_profile

use_profile()
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def bridge_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def shelf_sandbox() -> Iterator[Sandbox]:
    """The sandbox of the shelf alone: building the shelf changes its tables."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory, shelf_sandbox: Sandbox) -> Settings:
    """A lake that was loaded once for all tests, which only read it."""
    return reading_lake.build(tmp_path_factory.mktemp("bridge") / "lake", shelf_sandbox)


@pytest.fixture(scope="session")
async def client(shelf: Settings) -> AsyncIterator[Client]:
    """A client of a bridge over stdio."""
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
        "DATALAKE_HOME": str(shelf.lake_home),
        "ESTAT_APP_ID": reading_lake.APP_ID,
        "ESTAT_BASE_URL": str(shelf.base_url),
    }
    parameters = StdioServerParameters(command=sys.executable, args=["-m", "mcp_bridge"], cwd=ROOT, env=environment)
    async with Client(parameters, read_timeout_seconds=120) as connected:
        yield connected
