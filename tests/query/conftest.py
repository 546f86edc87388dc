"""The lake and the engine that the tests of `query` ask."""

from __future__ import annotations

import pytest
import query_lake
from pyiceberg.catalog import Catalog

from estat_dagster.query.embedded import EmbeddedEngine
from tests.hypothesis_profiles import use_profile

use_profile()


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    catalog = query_lake.build_catalog(tmp_path_factory.mktemp("lake of it's"))
    query_lake.population(catalog)
    query_lake.dimensions(catalog)
    query_lake.deleted(catalog)
    query_lake.imported(catalog, tmp_path_factory.mktemp("import"))
    query_lake.nested(catalog)
    catalog.create_table((query_lake.NAMESPACE, "economy_data"), query_lake.schema(query_lake.COLUMNS))
    return catalog


@pytest.fixture(scope="session")
def engine(lake: Catalog) -> EmbeddedEngine:
    return EmbeddedEngine(lake, query_lake.NAMESPACE, seconds=20)
