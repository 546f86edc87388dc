"""One sandbox with the built-in tables for all tests of this folder, and a client for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from estat_dagster.sandbox.server import Sandbox
from tests.sandbox.client import Client


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The built-in tables. Tests that change tables start their own."""
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="session")
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox.base_url)
