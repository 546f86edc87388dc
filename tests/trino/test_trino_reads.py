"""Trino, the engine inside Athena, reads what we write: same rows and sums, filters, joins, earlier snapshots."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from estat_dagster.domains import DOMAINS
from estat_dagster.lake.lake import Lake
from tests.lake.shore import frame, load
from tests.trino.server import Trino

TABLES = ("population_data", "economy_data", "labor_data", "general_data", "dataset_inventory", "dataset_dimensions")


def held(lake: Lake, table: str, row_filter: str = "dataset_id is not null") -> pa.Table:
    return lake.tables.load(table).scan(row_filter=row_filter).to_arrow()


def in_order(rows: list[Any]) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in rows), key=repr)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_and_column_is_read_as_pyiceberg_reads_it(trino: Trino, aws_lake: Lake, table: str) -> None:
    columns, rows = trino.run(f"SELECT * FROM {table}")
    expected = held(aws_lake, table)
    assert [name for name, _ in columns] == expected.column_names
    assert len(rows) == len(expected) > 0
    assert in_order(rows) == in_order(list(zip(*(c.to_pylist() for c in expected.columns), strict=True)))


def test_sums_and_missing_values_are_equal(trino: Trino, aws_lake: Lake) -> None:
    sql = "SELECT dataset_id, count(*), count(value), sum(value) FROM {} GROUP BY dataset_id ORDER BY dataset_id"
    for domain in ("population", "economy", "labor", "general"):
        table = DOMAINS[domain].table_name
        rows = held(aws_lake, table)
        expected = [
            [key, len(mine), pc.count(mine.column("value")).as_py(), pc.sum(mine.column("value")).as_py()]
            for key in sorted(set(rows.column("dataset_id").to_pylist()))
            for mine in (rows.filter(pc.field("dataset_id") == key),)
        ]
        assert trino(sql.format(table)) == [[*facts, pytest.approx(total)] for *facts, total in expected]


def test_filters_on_partition_and_sort_columns_select_the_same_rows(trino: Trino, aws_lake: Lake) -> None:
    expected = held(aws_lake, "population_data", "year = 2020 and region_code = '13000'")
    rows = trino("SELECT value FROM population_data WHERE year = 2020 AND region_code = '13000'")
    assert in_order(rows) == in_order([[value] for value in expected.column("value").to_pylist()])
    assert len(rows) > 0


def test_tables_join_on_their_codes(trino: Trino, aws_lake: Lake) -> None:
    rows = trino(
        "SELECT count(*), count(d.name), count(DISTINCT i.title) FROM population_data p"
        " JOIN dataset_dimensions d ON d.dataset_id = p.dataset_id AND d.axis_id = 'area' AND d.code = p.region_code"
        " JOIN dataset_inventory i ON i.dataset_id = p.dataset_id WHERE p.region_name = d.name"
    )
    population = held(aws_lake, "population_data")
    matched = population.filter(pc.is_valid(population.column("region_code")))
    assert rows == [[len(matched), len(matched), len(set(matched.column("dataset_id").to_pylist()))]]


def test_an_earlier_snapshot_is_read_by_its_id(trino: Trino, aws_lake: Lake) -> None:
    dataset_id = "1111111111"
    first = load(aws_lake, frame(dataset_id, [1.0, None, 3.0]))
    second = load(aws_lake, frame(dataset_id, [7.0]))
    select = f"SELECT value FROM population_data FOR VERSION AS OF {{}} WHERE dataset_id = '{dataset_id}'"
    assert in_order(trino(select.format(first))) == in_order([[1.0], [None], [3.0]])
    assert trino(select.format(second)) == [[7.0]]
    aws_lake.tables.replace_rows("population_data", dataset_id, [], {})
    assert trino(f"SELECT count(*) FROM population_data WHERE dataset_id = '{dataset_id}'") == [[0]]
    made = [name for name in trino('SELECT snapshot_id FROM "population_data$snapshots"') if name[0] in (first, second)]
    assert len(made) == 2
