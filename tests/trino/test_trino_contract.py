"""The contract suite of the embedded engine, asked of Trino over the same tables: the same rows, query by query.

What differs is listed in `differences.txt` beside it, and told to users in docs/sql.md.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog import Catalog

from estat_dagster.lake.lake import open_lake
from estat_dagster.query import grammar, guard
from tests.cloud import Cloud
from tests.trino.server import Trino

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "query"))
import query_contract  # noqa: E402
import query_lake  # noqa: E402

KNOWN = {
    line for line in (HERE / "differences.txt").read_text("utf-8").splitlines() if line and not line.startswith("# ")
}


@pytest.fixture(scope="module")
def contract_lake(cloud: Cloud) -> Catalog:
    settings = cloud.settings()
    catalog = open_lake(settings).tables.catalog
    catalog.create_namespace(query_lake.NAMESPACE, {"location": f"s3://{settings.s3_bucket}/contract"})
    query_lake.population(catalog)
    query_lake.dimensions(catalog)
    query_lake.deleted(catalog)
    query_lake.nested(catalog)
    return catalog


@pytest.fixture(scope="module")
def ask(trino: Trino, contract_lake: Catalog) -> Trino:
    assert contract_lake
    return Trino(trino.port, query_lake.NAMESPACE)


@pytest.mark.parametrize(
    "case", [*query_contract.queries(), *query_contract.expressions()], ids=lambda case: case.sql[:60]
)
def test_trino_answers_as_the_embedded_engine(ask: Trino, contract_lake: Catalog, case: Any) -> None:
    sql = query_contract.at_snapshots(case.sql, contract_lake, query_lake.NAMESPACE)
    written = grammar.write(guard.check(sql))  # what Athena gets
    try:
        found = [query_contract.plain(row) for row in ask(written)]
        agrees = query_contract.same(found, case.rows)
    except Exception as error:
        found, agrees = [str(error)], False
    if case.sql in KNOWN:
        assert not agrees, "Trino agrees by now: take it out of differences.txt"
    else:
        assert agrees, f"Trino: {found}\nembedded: {case.rows}"
