"""A lake on S3 with Glue, loaded with several domains, and a Trino that reads it; both for the whole session.

def test_something(trino: Trino, aws_lake: Lake) -> None:
    assert trino("SELECT count(*) FROM population_data") == [[...]]
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from tests.cloud import Cloud, running_cloud
from tests.doors.loader import load_into
from tests.trino.server import Trino, running_trino, why_not

DATASETS = ("0000010101", "0003005798", "0003109741", "0003425893", "9900000002", "9900000013")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything in this folder belongs to `make test-trino`."""
    for item in items:
        if "tests/trino/" in item.path.as_posix():
            item.add_marker(pytest.mark.trino)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as running:
        yield running


@pytest.fixture(scope="session")
def aws_settings(cloud: Cloud) -> Iterator[Settings]:
    """The settings of a lake that holds the datasets; the sandbox runs on, to load more."""
    with Sandbox() as sandbox:
        settings = cloud.settings(ESTAT_APP_ID="test", ESTAT_BASE_URL=sandbox.base_url)
        for dataset_id in DATASETS:
            load_into(settings, dataset_id, chunk_size=100_000)
        yield settings


@pytest.fixture(scope="session")
def aws_lake(aws_settings: Settings) -> Lake:
    return open_lake(aws_settings)


@pytest.fixture(scope="session")
def trino(cloud: Cloud, aws_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    if reason := why_not():
        pytest.skip(f"Trino: {reason}")
    home = tmp_path_factory.mktemp("trino")
    with running_trino(home, cloud.endpoint, aws_settings.glue_database) as running:
        yield running
