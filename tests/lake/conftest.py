"""Both lakes: files with a SQLite catalog, and S3 with Glue that moto serves; and how many examples are tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.lake.store import Store
from estat_dagster.settings import Settings
from tests.cloud import Cloud, running_cloud
from tests.hypothesis_profiles import use_profile

use_profile()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """An AWS that all tests of this process share; each lake in it has a bucket and a database of its own."""
    with running_cloud() as running:
        yield running


@pytest.fixture(params=["local", "aws"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "local":
        return Settings(lake_home=tmp_path / "lake")
    cloud: Cloud = request.getfixturevalue("cloud")
    return cloud.settings()


@pytest.fixture(scope="module", params=["local", "aws"])
def shared_lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of each kind that is filled once, for the tests of a module that only read."""
    if request.param == "local":
        return open_lake(Settings(lake_home=tmp_path_factory.mktemp("lake")))
    cloud: Cloud = request.getfixturevalue("cloud")
    return open_lake(cloud.settings())


@pytest.fixture
def lake(lake_settings: Settings) -> Lake:
    """A new lake; a test that asks for it runs on both."""
    return open_lake(lake_settings)


@pytest.fixture
def store(lake: Lake) -> Store:
    return lake.store
