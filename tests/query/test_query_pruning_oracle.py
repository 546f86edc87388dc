"""Negated and three-valued conditions over a table of many files: the pruned answer against plain DuckDB over all rows.

DuckDB gets the rows as one Arrow table and the condition as it is written: nothing of the engine is between.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DateType, IntegerType, StringType
from query_lake import NAMESPACE, append, build_catalog, rows, schema

from estat_dagster.query.embedded import EmbeddedEngine

YEARS = [None, 2018, 2019, 2020]
CODES = ["", "13000", "13100", None, "00000", "あ", "13", "%", "1_3", "~"]
COLUMNS = {"id": IntegerType(), "year": IntegerType(), "code": StringType(), "day": DateType()}
VALUES = {
    "year": ["2017", "2018", "2019", "2020", "-1", "2019.5", "NULL"],
    "code": ["''", "'13'", "'13000'", "'00000'", "'あ'", "'zzz'", "NULL"],
    "day": ["date '2018-01-03'", "date '2019-01-01'", "date '2021-01-01'", "NULL"],
}
PATTERNS = ["13%", "%", "あ%", "1_3%", "", "13", "%0", "0%", "13000%"]


def _files() -> list[dict[str, list[Any]]]:
    """Return the columns of each file: two codes, both days or none; every third file has one row more."""
    files = []
    for number in range(12):
        year, size = YEARS[number % 4], 2 + (number % 3 == 0)
        files.append(
            {
                "id": list(range(number * 10, number * 10 + size)),
                "year": [year] * size,
                "code": [CODES[(number * 2 + row % 2) % len(CODES)] for row in range(size)],
                "day": [dt.date(year, 1, 1 + row) if year and number % 5 else None for row in range(size)],
            }
        )
    return files


@pytest.fixture(scope="module")
def many_files(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    catalog = build_catalog(tmp_path_factory.mktemp("many"))
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "year"))
    table = catalog.create_table((NAMESPACE, "t"), schema(COLUMNS), partition_spec=spec)
    for columns in _files():
        append(table, **columns)
    return EmbeddedEngine(catalog, NAMESPACE)


@pytest.fixture(scope="module")
def plain() -> duckdb.DuckDBPyConnection:
    types = {"id": pa.int32(), "year": pa.int32(), "code": pa.string(), "day": pa.date32()}
    connection = duckdb.connect()
    whole = pa.concat_tables(pa.table(columns, schema=pa.schema(types)) for columns in _files())
    connection.register("t", whole)
    return connection


def conditions() -> st.SearchStrategy[str]:
    def simple(column: str) -> st.SearchStrategy[str]:
        values = st.sampled_from(VALUES[column])
        several = st.lists(values, min_size=1, max_size=3).map(", ".join)
        word = st.sampled_from(["", "NOT "])
        operator = st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
        return st.one_of(
            st.builds(lambda op, value: f"{column} {op} {value}", operator, values),
            st.builds(lambda op, value: f"{value} {op} {column}", operator, values),
            st.builds(lambda no, some: f"{column} {no}IN ({some})", word, several),
            st.builds(lambda no, a, b: f"{column} {no}BETWEEN {a} AND {b}", word, values, values),
            st.sampled_from([f"{column} IS NULL", f"{column} IS NOT NULL", f"NOT {column} IS NULL"]),
        )

    like = st.builds("code {}LIKE '{}'".format, st.sampled_from(["", "NOT "]), st.sampled_from(PATTERNS))
    return st.recursive(
        st.one_of(like, *(simple(column) for column in COLUMNS if column in VALUES), st.sampled_from(["NULL", "true"])),
        lambda inner: st.one_of(
            st.builds("({} AND {})".format, inner, inner),
            st.builds("({} OR {})".format, inner, inner),
            st.builds("({} OR NULL)".format, inner),
            st.builds("NOT ({})".format, inner),
            st.builds("coalesce({}, false)".format, inner),
            st.builds("({}) IS NULL".format, inner),
        ),
        max_leaves=4,
    )


@settings(max_examples=settings.default.max_examples * 2 // 5)
@given(where=conditions())
def test_the_pruned_answer_is_that_over_all_rows(
    many_files: EmbeddedEngine, plain: duckdb.DuckDBPyConnection, where: str
) -> None:
    sql = f"SELECT id, year, code, day FROM t WHERE {where}"
    assert Counter(rows(many_files, sql)) == Counter(plain.execute(sql).fetchall())


@pytest.mark.parametrize(
    ("where", "bytes_are_less"),
    [("year = 2020", True), ("code LIKE '13%'", True), ("year NOT IN (2020)", False), ("code NOT LIKE '13%'", False)],
)
def test_the_table_has_files_to_leave_out(many_files: EmbeddedEngine, where: str, bytes_are_less: bool) -> None:
    whole = many_files.run("SELECT * FROM t").bytes_scanned
    part = many_files.run(f"SELECT * FROM t WHERE {where}").bytes_scanned
    assert whole is not None
    assert part is not None
    assert (part < whole) == bytes_are_less
