"""Pruning leaves files unread and never changes an answer."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DateType, DoubleType, IntegerType, NestedField, StringType
from query_lake import NAMESPACE, append, build_catalog, rows

from estat_dagster.query import guard, pruning, scan, tables
from estat_dagster.query.embedded import EmbeddedEngine

YEAR_1 = "EqualTo(term=Reference(name='year'), literal=LongLiteral(1))"


def filters(engine_lake: Catalog, sql: str) -> list[str]:
    """Return the filter that each table of a query gets, as text."""
    tree = guard.check(sql)
    references = tables.references(tree)
    loaded = tables.Tables(engine_lake, NAMESPACE)
    schemas = {id(reference): loaded.load(reference.name).schema() for reference in references}
    return [str(pruning.row_filter(reference, schemas)) for reference in references]


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counts: list[int] = []

    plan = scan.Plans.plan

    def counting(*arguments: object) -> scan.Scan:
        planned = plan(*arguments)  # type: ignore[arg-type]
        counts.append(len(planned.files))
        return planned

    monkeypatch.setattr(scan.Plans, "plan", counting)
    return counts


@pytest.mark.parametrize(
    ("where", "files", "count"),
    [
        ("year = 2020", 1, 4),
        ("2020 = year", 1, 4),
        ("YEAR = 2020", 1, 4),
        ("p.year IN (2018, 2019)", 2, 8),
        ("year BETWEEN 2019 AND 2030", 2, 8),
        ("year > 2018 AND value > 0", 2, 7),
        ("2018 < year", 2, 8),
        ("(year = 2018 OR year = 2019) AND region_code = '13000'", 2, 2),
        ("year = 2018 OR region_code = '99999'", 1, 4),
        ("period_start >= date '2020-01-01'", 1, 4),
        ("period_start >= date '2019-12-31'", 1, 4),
        ("region_code LIKE '9%'", 0, 0),
        ("region_code LIKE '13%'", 3, 3),
        ("gender IS NOT NULL", 3, 8),  # the file that lacks the column says nothing about it
        ("year = 1900", 0, 0),
        ("year = -1", 0, 0),
        ("year = 2019 + 1", 1, 4),
        ("year = CAST(2 * (1000 + 10) AS integer)", 1, 4),
        ("year IN (2018, 2020 - 1)", 2, 8),
        ("year < 2000 OR year > 2019", 1, 4),
        ("year BETWEEN 1990 AND 1999 OR year BETWEEN 2020 AND 2029", 1, 4),
        ("year IS NULL", 0, 0),
        # What may not or need not prune.
        ("year = 2020 OR value = 130", 3, 5),
        ("year = 2020 OR value > 0", 3, 12),
        ("NOT year = 2020", 3, 8),
        ("year <> 2020", 3, 8),
        ("year + 0 = 2020", 3, 4),
        ("year = 2020.0", 3, 4),
        ("value > 1015", 3, 1),
        ("year = (SELECT max(year) FROM labor_data)", 3, 4),
        ("year NOT IN (2020)", 3, 8),
        ("CAST(year AS varchar) = '2020'", 3, 4),
        ("year = 99999999999", 3, 0),
        ("year = 2020 + 0.0", 3, 4),
        (f"year = 2020{' + 0' * 100}", 3, 4),
        ("region_code LIKE '_3%'", 3, 3),
        ("true", 3, 12),
    ],
)
def test_simple_conditions_leave_files_unread(
    engine: EmbeddedEngine, files_read: list[int], where: str, files: int, count: int
) -> None:
    assert rows(engine, f"SELECT count(*) FROM population_data p WHERE {where}") == [(count,)]
    assert files_read[0] == files


def test_parameters_prune_too(engine: EmbeddedEngine, files_read: list[int]) -> None:
    assert rows(engine, "SELECT count(*) FROM population_data WHERE year = ?", [2020]) == [(4,)]
    assert files_read == [1]


def test_bytes_scanned_are_those_of_the_files_that_were_read(engine: EmbeddedEngine) -> None:
    some = engine.run("SELECT count(*) FROM population_data WHERE year = 2020").bytes_scanned
    everything = engine.run("SELECT count(*) FROM population_data").bytes_scanned
    assert some is not None
    assert everything is not None
    assert 0 < some < everything / 2


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # The table of FROM is pruned beside a LEFT JOIN, the joined one is not: its NULLs may be what is asked for.
        (
            "SELECT 1 FROM population_data p LEFT JOIN dataset_dimensions d ON p.region_code = d.code "
            "WHERE p.year = 2020 AND d.level = 1",
            ["EqualTo(term=Reference(name='year'), literal=LongLiteral(2020))", "AlwaysTrue()"],
        ),
        (
            "SELECT 1 FROM population_data p JOIN dataset_dimensions d ON true WHERE year = 2020 AND level = 1",
            [
                "EqualTo(term=Reference(name='year'), literal=LongLiteral(2020))",
                "EqualTo(term=Reference(name='level'), literal=LongLiteral(1))",
            ],
        ),
        # Both have a dataset_id: without a qualifier it is nobody's.
        (
            "SELECT 1 FROM population_data p, dataset_dimensions d WHERE dataset_id = 'x' AND p.year = 1",
            ["EqualTo(term=Reference(name='year'), literal=LongLiteral(1))", "AlwaysTrue()"],
        ),
        ("SELECT 1 FROM population_data p RIGHT JOIN labor_data l ON true WHERE p.year = 1", ["AlwaysTrue()"] * 2),
        ("SELECT 1 FROM population_data p FULL JOIN labor_data l ON true WHERE p.year = 1", ["AlwaysTrue()"] * 2),
        ("SELECT 1 FROM population_data TABLESAMPLE BERNOULLI (50) WHERE year = 1", ["AlwaysTrue()"]),
        ("SELECT 1 FROM (population_data p JOIN labor_data l ON true) WHERE p.year = 1", ["AlwaysTrue()"] * 2),
        ("SELECT 1 FROM population_data, UNNEST(ARRAY[1]) AS u(year) WHERE year = 1", ["AlwaysTrue()"]),
        ("SELECT 1 FROM population_data HAVING max(year) = 1", ["AlwaysTrue()"]),
        # A condition of an outer query is not one of the inner.
        (
            "SELECT 1 FROM population_data p WHERE EXISTS (SELECT 1 FROM labor_data l WHERE p.year = 1 AND l.year = 2)",
            ["AlwaysTrue()", "EqualTo(term=Reference(name='year'), literal=LongLiteral(2))"],
        ),
        ("SELECT * FROM (SELECT * FROM labor_data) WHERE year = 1", [YEAR_1]),
        ("WITH l AS (SELECT * FROM labor_data) SELECT 1 FROM l WHERE l.year = 1", [YEAR_1]),
        (
            "WITH l AS (SELECT year AS y FROM labor_data), m AS (SELECT y AS z FROM l) SELECT 1 FROM m WHERE z = 1",
            [YEAR_1],
        ),
        ("SELECT 1 FROM (SELECT DISTINCT p.* FROM labor_data p ORDER BY 1) WHERE year = 1", [YEAR_1]),
        (
            "SELECT 1 FROM (SELECT l.year FROM labor_data l JOIN dataset_dimensions d ON true) WHERE year = 1",
            [YEAR_1, "AlwaysTrue()"],
        ),
        # What computes from several rows, or gives the name to something else, meets the condition after them.
        ("SELECT 1 FROM (SELECT year FROM labor_data LIMIT 1) WHERE year = 1", ["AlwaysTrue()"]),
        ("SELECT 1 FROM (SELECT max(year) AS year FROM labor_data) WHERE year = 1", ["AlwaysTrue()"]),
        ("SELECT 1 FROM (SELECT year, rank() OVER (ORDER BY year) FROM labor_data) WHERE year = 1", ["AlwaysTrue()"]),
        ("SELECT 1 FROM (SELECT year, count(*) FROM labor_data GROUP BY year) WHERE year = 1", ["AlwaysTrue()"]),
        ("SELECT 1 FROM (SELECT year + 1 AS year FROM labor_data) WHERE year = 1", ["AlwaysTrue()"]),
        ("SELECT 1 FROM (SELECT *, 1 AS year FROM labor_data) WHERE year = 1", ["AlwaysTrue()"]),
        ("SELECT 1 FROM (SELECT year FROM labor_data) AS l(year) WHERE year = 1", ["AlwaysTrue()"]),
        (
            "SELECT 1 FROM dataset_dimensions LEFT JOIN (SELECT year FROM labor_data) ON true WHERE year = 1",
            ["AlwaysTrue()"] * 2,
        ),
        # A clause that is read twice is needed whole.
        ("WITH l AS (SELECT * FROM labor_data) SELECT 1 FROM l WHERE year = 1 UNION SELECT 1 FROM l", ["AlwaysTrue()"]),
        ("WITH RECURSIVE l AS (SELECT * FROM labor_data) SELECT 1 FROM l WHERE year = 1", ["AlwaysTrue()"]),
    ],
)
def test_joins_are_pruned_only_where_no_row_can_be_missed(lake: Catalog, sql: str, expected: list[str]) -> None:
    assert filters(lake, sql) == expected


def test_two_places_of_one_table_are_pruned_each_for_itself(engine: EmbeddedEngine, files_read: list[int]) -> None:
    sql = """SELECT a.region_code FROM population_data a JOIN population_data b ON a.region_code = b.region_code
             WHERE a.year = 2018 AND b.year = 2020 AND b.value > a.value + 5 ORDER BY 1"""
    assert rows(engine, sql) == [("00000",), ("13000",)]
    assert files_read == [1, 1]


# Random predicates over a table with NULLs in the partition column, strings that sort oddly, and a late column.

YEARS = [None, 2018, 2019, 2020]
CODES = [None, "", "00000", "13", "130", "13000", "あ", "😀", "~"]
COLUMN_VALUES = {
    "year": st.sampled_from(
        ["2017", "2018", "2019", "2020", "-1", "2019.5", "CAST(NULL AS integer)", "2018 + 1", "CAST(2020 AS bigint)"]
    ),
    "code": st.sampled_from(["''", "'13'", "'130'", "'13000'", "'あ'", "'😀'", "'zzz'", "CAST(NULL AS varchar)"]),
    "day": st.sampled_from(["date '2018-10-01'", "date '2019-01-01'", "date '2020-10-01'"]),
    "value": st.sampled_from(["0", "1e0", "nan()", "infinity()", "-1.5"]),
    "late": st.sampled_from(["1", "2", "3"]),
}


@pytest.fixture(scope="module")
def random_lake(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedEngine:
    catalog = build_catalog(tmp_path_factory.mktemp("random"))
    schema = Schema(
        NestedField(1, "year", IntegerType()),
        NestedField(2, "code", StringType()),
        NestedField(3, "day", DateType()),
        NestedField(4, "value", DoubleType()),
    )
    spec = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "year"))
    table = catalog.create_table((NAMESPACE, "t"), schema, partition_spec=spec)
    for number, year in enumerate(YEARS):
        codes = CODES[number * 2 : number * 2 + 3]
        values = [float("nan"), None, float(number)]
        if number == 2:
            with table.update_schema() as update:
                update.add_column("late", IntegerType())
        late = {"late": [None, 1, 2]} if number >= 2 else {}
        days = [year and dt.date(year, 10, 1)] * len(codes)
        append(table, year=[year] * len(codes), code=codes, day=days, value=values, **late)
    return EmbeddedEngine(catalog, NAMESPACE)


def predicates() -> st.SearchStrategy[str]:
    def simple(column: str) -> st.SearchStrategy[str]:
        values = COLUMN_VALUES[column]
        comparison = st.sampled_from(["=", "<", "<=", ">", ">=", "<>"])
        return st.one_of(
            st.builds(lambda op, v: f"{column} {op} {v}", comparison, values),
            st.builds(lambda op, v: f"{v} {op} {column}", comparison, values),
            st.builds(lambda vs: f"{column} IN ({', '.join(vs)})", st.lists(values, min_size=1, max_size=3)),
            st.builds(lambda a, b: f"{column} BETWEEN {a} AND {b}", values, values),
            st.sampled_from([f"{column} IS NULL", f"{column} IS NOT NULL", f"{column} IS DISTINCT FROM NULL"]),
        )

    like = st.sampled_from(["13%", "%", "あ%", "1_%", "", "13"]).map(lambda pattern: f"code LIKE '{pattern}'")
    leaves = st.one_of(like, *(simple(column) for column in COLUMN_VALUES))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("({} AND {})".format, inner, inner),
            st.builds("({} OR {})".format, inner, inner),
            st.builds("NOT ({})".format, inner),
        ),
        max_leaves=5,
    )


def some_examples(share: float) -> settings:
    """Each example is two queries, a tenth of a second."""
    examples = round(share * settings.default.max_examples)
    return settings(max_examples=examples, suppress_health_check=[HealthCheck.function_scoped_fixture])


@some_examples(0.2)
@given(where=predicates())
def test_pruning_never_changes_an_answer(
    random_lake: EmbeddedEngine, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = f"SELECT CAST(year AS varchar), code, CAST(value AS varchar) FROM t WHERE {where} ORDER BY 1, 2, 3"
    pruned = rows(random_lake, sql)
    with monkeypatch.context() as patch:
        patch.setattr(pruning, "row_filter", lambda *_: AlwaysTrue())
        assert rows(random_lake, sql) == pruned


@some_examples(0.08)
@given(
    where=predicates().map(lambda text: text.replace("code", "a.code")).filter(lambda text: len(text) < 200),
    join=st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]),
)
def test_pruning_never_changes_the_answer_of_a_join(
    random_lake: EmbeddedEngine, where: str, join: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for column in ("year", "day", "value", "late"):
        where = where.replace(column, f"b.{column}" if column == "year" else f"a.{column}")
    sql = f"""SELECT CAST(a.year AS varchar), a.code, CAST(b.year AS varchar), b.code FROM t a {join} t b
              ON a.code = b.code AND b.year > 2018 WHERE {where} ORDER BY 1, 2, 3, 4"""
    pruned = rows(random_lake, sql)
    with monkeypatch.context() as patch:
        patch.setattr(pruning, "row_filter", lambda *_: AlwaysTrue())
        assert rows(random_lake, sql) == pruned


# Where the rows of t come from before the condition, by the names of its columns.
SOURCES = (
    "(SELECT * FROM t) AS u",
    "(SELECT DISTINCT * FROM t WHERE year > 2018 OR code = '') AS u",
    "(SELECT late AS year, code, day, value, year AS late FROM t) AS u",
    "(SELECT year - 1 AS year, code, day, value, late FROM t) AS u",
    "(SELECT year, code, day, max(value) AS value, max(late) AS late FROM t GROUP BY year, code, day) AS u",
    "(SELECT max(year) AS year, max(code) AS code, max(day) AS day, max(value) AS value, 1 AS late FROM t) AS u",
    "(SELECT year, code, day, value, row_number() OVER (ORDER BY code, value, year) AS late FROM t) AS u",
    "(SELECT * FROM t ORDER BY code, value, year LIMIT 3) AS u",
    "(SELECT b.* FROM t AS a LEFT JOIN t AS b ON a.code = b.code AND b.year > 2018) AS u",
    "(SELECT a.* FROM t AS a LEFT JOIN t AS b ON a.code = b.code AND b.year > 2018) AS u",
    "(SELECT * FROM (SELECT * FROM t) WHERE value IS NOT NULL UNION ALL SELECT * FROM t WHERE year = 2018) AS u",
    "(VALUES 1) AS one LEFT JOIN (SELECT * FROM t) AS u ON u.year = 2019",
)


CONDITIONS = ("year = 2019", "late = 2 AND code > ''", "code = '13' OR year > 2018 + 1", "day < date '2019-01-01'")


@pytest.mark.parametrize("source", SOURCES)
def test_pruning_by_an_outer_condition_never_changes_an_answer(
    random_lake: EmbeddedEngine, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in CONDITIONS:
        _check_outer(random_lake, source, where, monkeypatch)


@some_examples(0.08)
@given(where=predicates(), source=st.sampled_from(SOURCES))
def test_pruning_by_any_outer_condition_never_changes_an_answer(
    random_lake: EmbeddedEngine, where: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clause, place = "", source
    if source.startswith("(SELECT"):
        clause, place = f"WITH u AS {source.removesuffix(' AS u')}, v AS (SELECT * FROM u) ", "v"
    _check_outer(random_lake, place, where, monkeypatch, clause)


def _check_outer(
    lake: EmbeddedEngine, place: str, where: str, monkeypatch: pytest.MonkeyPatch, clause: str = ""
) -> None:
    sql = f"""{clause}SELECT CAST(year AS varchar), code, CAST(value AS varchar), CAST(late AS varchar)
              FROM {place} WHERE {where} ORDER BY 1, 2, 3, 4"""
    pruned = rows(lake, sql)
    with monkeypatch.context() as patch:
        patch.setattr(pruning, "row_filter", lambda *_: AlwaysTrue())
        assert rows(lake, sql) == pruned


def test_a_partition_without_a_year_bears_a_range_in_an_or(random_lake: EmbeddedEngine) -> None:
    assert rows(random_lake, "SELECT DISTINCT year FROM t WHERE year > 2019 OR year IS NULL ORDER BY 1") == [
        (2020,),
        (None,),
    ]


def test_the_random_table_has_what_is_hard(random_lake: EmbeddedEngine) -> None:
    assert rows(random_lake, "SELECT count(*), count(year), count(code), count(late) FROM t") == [(12, 9, 11, 4)]
