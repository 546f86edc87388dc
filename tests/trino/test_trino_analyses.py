"""The canned analyses, asked of Trino as Athena gets them: the embedded engine's columns and rows, for every subject.

Rows are compared in order: every analysis orders its rows to the last one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from estat_dagster.lake.lake import Lake
from estat_dagster.query import grammar, guard
from estat_dagster.query.analyses import Kind, answer
from estat_dagster.query.embedded import EmbeddedEngine
from tests.trino.conftest import DATASETS
from tests.trino.server import Trino

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "query"))
import query_contract

SUBJECTS = (*DATASETS[:3], "population_data", "economy_data")
NAMES = {
    "basic": {"overview", "years", "regions", "missing", "summary"},
    "advanced": {"change", "rank", "quartiles", "share_regions", "parts_regions"},
}


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("kind", list(NAMES))
def test_trino_answers_every_analysis_as_the_embedded_engine(
    trino: Trino, aws_lake: Lake, kind: Kind, subject: str
) -> None:
    engine = EmbeddedEngine(aws_lake.tables.catalog, trino.database)
    asked: dict[str, int] = {}
    for answered in answer(engine, kind, subject):
        analysis, expected = answered.analysis, answered.result.read_all()
        columns, found = trino.run(grammar.write(guard.check(analysis.sql)))
        assert [name for name, _ in columns] == expected.column_names, analysis.name
        mine = [query_contract.plain(list(row.values())) for row in expected.to_pylist()]
        theirs = [query_contract.plain(row) for row in found]
        differing = _difference(mine, theirs)
        assert differing is None, f"{analysis.name} of {subject}: {differing}\n{analysis.sql}"
        asked[analysis.name] = len(mine)
    assert asked.keys() >= NAMES[kind]
    assert asked.get("overview", 1) > 0


def _difference(mine: list[Any], theirs: list[Any]) -> str | None:
    """Return the first row that differs, None where all are the same."""
    if len(mine) != len(theirs):
        return f"{len(mine)} rows, Trino has {len(theirs)}"
    for number, (one, other) in enumerate(zip(mine, theirs, strict=True)):
        if not query_contract.same([other], [one]):
            return f"row {number}: {one}, Trino has {other}"
    return None
