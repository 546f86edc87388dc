"""Analyses of tables whose answers were worked out by hand, asked of the embedded engine."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from estat_dagster.cli import estat
from estat_dagster.errors import ValidationError
from estat_dagster.query.analyses import Kind, analysis_sql, answer
from estat_dagster.query.engine import QueryEngine
from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.sandbox.tables import catalogue
from estat_dagster.sandbox.tables.axes import axis, fiscal_years, items, years
from estat_dagster.sandbox.tables.facts import Title, generated, made_up
from estat_dagster.settings import Settings
from estat_dagster.workbench import Workbench
from tests.doors.loader import load

HAND, PART = "9900000901", "9900000902"
PUBLISHED = "0000010101"
REGIONS = ("00000", "01000", "02000", "03000", "04000")
PREFECTURES = "01000 北海道,02000 青森県,03000 岩手県,04000 宮城県"
FIGURES = {
    # measure, sex, period: the nation, then 北海道, 青森県, 岩手県, 宮城県
    ("1", "0", "2019100000"): (400, 21, 50, 60, 270),  # 北海道 should be 20
    ("1", "1", "2019100000"): (200, 10, 20, 30, 140),
    ("1", "2", "2019100000"): (200, 10, 30, 30, 130),
    ("1", "0", "2020100000"): (420, 20, 55, "***", 277),
    ("1", "1", "2020100000"): (220, 11, 22, "***", 150),
    ("1", "2", "2020100000"): (200, 9, 33, 31, 127),
    ("1", "0", "2020000000"): (410,),
    ("2", "0", "2020100000"): ("-", 5, 13, "***", 66),
}


def by_hand(table_id: str) -> Table:
    """A table with two measures and units, a total of two sexes, fiscal years beside a calendar year, and symbols."""
    axes = (
        axis("tab", "表章項目", [Item("1", "人口", "", "人"), Item("2", "構成比", "", "％")]),
        axis("cat01", "男女", (Item("0", "総数"), *items("1 男,2 女", level="2", parent="0"))),
        axis("area", "地域", [Item("00000", "全国"), *items(PREFECTURES, level="2")]),
        axis("time", "時間軸", (*fiscal_years((2019, 2020)), *years((2020,)))),
    )  # fmt: skip
    cells = [
        Cell((tab, sex, area, time), str(value))
        for (tab, sex, time), values in FIGURES.items()
        for area, value in zip(REGIONS, values, strict=False)
    ]
    facts = generated(table_id, Title("手計算"), survey=made_up("009", "人口の調査"), field="0201")
    return Table(facts, axes, lambda: cells, (("***", "調査していない"), ("-", "該当なし")))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("analyses")
    published = [table for table in catalogue.catalogue() if table.id == PUBLISHED]
    with Sandbox([by_hand(HAND), by_hand(PART), *published]) as sandbox:
        load(home, sandbox.base_url, HAND)
        load(home, sandbox.base_url, PART, scope={"cat01": ["1", "2"], "area": ["01000", "04000"]})
        load(home, sandbox.base_url, PUBLISHED)
    return home


@pytest.fixture(scope="module")
def engine(home: Path) -> QueryEngine:
    return Workbench(Settings(app_id="test", lake_home=home)).sql


def ask(engine: QueryEngine, kind: Kind, name: str, subject: str = HAND) -> list[dict[str, Any]]:
    [answered] = answer(engine, kind, subject, only=[name])
    return answered.result.read_all().to_pylist()


def of(rows: list[dict[str, Any]], *names: str, **wanted: object) -> list[Any]:
    """Return columns of the rows in which others are as wanted."""
    found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return [tuple(row[name] for name in names) if len(names) > 1 else row[names[0]] for row in found]


COUNTS = ("cell_count", "numbers", "missing")


def test_cells_are_counted_with_and_without_a_number(engine: QueryEngine) -> None:
    [row] = ask(engine, "basic", "overview")
    assert [row[name] for name in (*COUNTS, "periods", "regions")] == [36, 32, 4, 3, 5]


def test_fiscal_and_calendar_years_are_counted_apart(engine: QueryEngine) -> None:
    rows = ask(engine, "basic", "years")
    assert of(rows, "time_kind", "year", *COUNTS) == [
        ("calendar_year", 2020, 1, 1, 0), ("fiscal_year", 2019, 15, 15, 0), ("fiscal_year", 2020, 20, 16, 4),
    ]  # fmt: skip


def test_coverage_is_counted_by_region(engine: QueryEngine) -> None:
    rows = ask(engine, "basic", "regions")
    assert of(rows, "region_name", *COUNTS)[::3] == [("全国", 8, 7, 1), ("岩手県", 7, 4, 3)]


def test_missing_values_are_counted_by_the_tables_own_reason(engine: QueryEngine) -> None:
    rows = ask(engine, "basic", "missing")
    assert of(rows, "value_text", "missing_reason", "cell_count") == [
        ("***", "調査していない", 3), ("-", "該当なし", 1),
    ]  # fmt: skip


def test_a_mean_takes_no_total_and_no_missing_value_and_mixes_no_units(engine: QueryEngine) -> None:
    rows = ask(engine, "basic", "summary")
    assert of(rows, "tab_name", "category_name", "unit", "time_kind", *COUNTS, "least", "greatest") == [
        ("人口", "総数", "人", "fiscal_year", 8, 7, 1, 20, 277),
        ("人口", "男", "人", "fiscal_year", 8, 7, 1, 10, 150),
        ("人口", "女", "人", "fiscal_year", 8, 8, 0, 9, 130),
        ("構成比", "総数", "％", "fiscal_year", 4, 3, 1, 5, 66),
    ]
    assert of(rows, "mean") == [753 / 7, 383 / 7, 50, 28]


def test_change_is_told_for_totals_and_like_periods(engine: QueryEngine) -> None:
    rows = ask(engine, "advanced", "change")
    names = ("tab_name", "category_name", "time_name", "value", "previous_period", "change", "growth_percent")
    assert of(rows, *names) == [
        ("人口", "総数", "2020年", 410, None, None, None),
        ("人口", "総数", "2019年度", 400, None, None, None),
        ("人口", "総数", "2020年度", 420, "2019年度", 20, 5),
        ("構成比", "総数", "2020年度", None, None, None, None),
    ]
    assert set(of(rows, "region_name")) == {"全国"}
    assert of(rows, "years", "growth_percent_a_year")[2] == (1, None)


def test_regions_are_ranked_without_the_nation_and_without_a_place_for_a_missing_value(engine: QueryEngine) -> None:
    rows = ask(engine, "advanced", "rank")
    assert of(rows, "place", "region_name", "value", "missing_reason", tab_name="人口") == [
        (1, "宮城県", 277, None), (2, "青森県", 55, None), (3, "北海道", 20, None),
        (None, "岩手県", None, "調査していない"),
    ]  # fmt: skip
    assert of(rows, "place", "value", tab_name="構成比") == [(1, 66), (2, 13), (3, 5), (None, None)]
    assert set(of(rows, "time_name")) == {"2020年度"}


def test_quartiles_are_those_of_the_regions_that_have_a_number(engine: QueryEngine) -> None:
    rows = ask(engine, "advanced", "quartiles")
    names = ("regions", "least", "q1", "median", "q3", "greatest", "mean", "outliers", "outlying_regions")
    assert of(rows, *names, tab_name="人口") == [(3, 20, 20, 55, 277, 277, 352 / 3, 0, None)]


def test_outliers_of_a_published_table_are_named(engine: QueryEngine) -> None:
    [table] = [table for table in catalogue.catalogue() if table.id == PUBLISHED]
    category, time = "A1101", max(cell.codes[3] for cell in table.cells)
    values = sorted(
        float(cell.value)
        for cell in table.cells
        if cell.codes[1] == category and cell.codes[3] == time and cell.codes[2] != "00000"
    )
    q1, median, q3 = (values[math.ceil(47 * share) - 1] for share in (0.25, 0.5, 0.75))
    outlying = [value for value in values if value > q3 + 1.5 * (q3 - q1)]
    [row] = [row for row in ask(engine, "advanced", "quartiles", PUBLISHED) if "A1101_" in row["category_name"]]
    assert (row["regions"], row["q1"], row["median"], row["q3"]) == (47, q1, median, q3)
    assert row["mean"] == pytest.approx(statistics.fmean(values))
    assert row["outliers"] == len(outlying)
    assert row["outlying_regions"].split("、")[0] == "東京都"


def test_a_share_is_of_the_whole_it_is_part_of(engine: QueryEngine) -> None:
    rows = ask(engine, "advanced", "share_regions")
    assert of(rows, "region_name", "whole_name", "share_percent") == [
        ("宮城県", "全国", 27700 / 420), ("青森県", "全国", 5500 / 420), ("北海道", "全国", 2000 / 420),
        ("岩手県", "全国", None),
    ]  # fmt: skip
    assert set(of(rows, "tab_name")) == {"人口"}  # a 構成比 is no part of another
    rows = ask(engine, "advanced", "share_cat01")
    assert of(rows, "category_name", "whole_name", "region_name", "share_percent") == [
        ("男", "総数", "全国", 22000 / 420), ("女", "総数", "全国", 20000 / 420),
    ]  # fmt: skip


def test_where_a_table_names_no_parents_the_class_named_as_the_total_is_the_whole(tmp_path: Path) -> None:
    table = by_hand(HAND)
    tab, sexes, *others = table.axes
    flat = Axis(sexes.id, sexes.name, tuple(dataclasses.replace(i, level="1", parent=None) for i in sexes.items))
    with Sandbox([dataclasses.replace(table, axes=(tab, flat, *others))]) as sandbox:
        load(tmp_path, sandbox.base_url, HAND)
    rows = ask(Workbench(Settings(app_id="test", lake_home=tmp_path)).sql, "advanced", "share_cat01")
    assert of(rows, "category_name", "whole_name", "region_name", "share_percent") == [
        ("男", "総数", "全国", 22000 / 420), ("女", "総数", "全国", 20000 / 420),
    ]  # fmt: skip


def test_totals_stand_beside_their_parts_and_differ_only_where_all_parts_have_numbers(engine: QueryEngine) -> None:
    rows = ask(engine, "advanced", "parts_regions")
    names = ("total", "sum_of_parts", "parts_with_number", "parts_listed", "difference")
    assert of(rows, "category_name", "time_name", *names) == [
        ("総数", "2019年度", 400, 401, 4, 4, -1),
        ("男", "2019年度", 200, 200, 4, 4, 0),
        ("女", "2019年度", 200, 200, 4, 4, 0),
        ("女", "2020年度", 200, 200, 4, 4, 0),
        ("総数", "2020年度", 420, 352, 3, 4, None),
        ("男", "2020年度", 220, 183, 3, 4, None),
    ]
    rows = ask(engine, "advanced", "parts_cat01")
    assert of(rows, "time_name", *names, region_name="岩手県") == [
        ("2019年度", 60, 60, 2, 2, 0), ("2020年度", None, 31, 1, 2, None),
    ]  # fmt: skip
    assert of(rows, "time_name", *names, region_name="北海道")[0] == ("2019年度", 21, 20, 2, 2, 1)


def test_a_dataset_loaded_in_part_is_told_by_what_is_there(engine: QueryEngine) -> None:
    rows = ask(engine, "advanced", "rank", PART)
    assert of(rows, "category_name", "place", "region_name", "value") == [
        ("男", 1, "宮城県", 150), ("男", 2, "北海道", 11), ("女", 1, "宮城県", 127), ("女", 2, "北海道", 9),
    ]  # fmt: skip
    assert ask(engine, "advanced", "share_regions", PART) == []
    assert ask(engine, "advanced", "parts_regions", PART) == []


def test_a_table_is_analysed_dataset_by_dataset(engine: QueryEngine) -> None:
    rows = ask(engine, "basic", "overview", "population_data")
    assert of(rows, "dataset_id", "cell_count") == [(PUBLISHED, 672), (HAND, 36), (PART, 8)]
    whole = ask(engine, "advanced", "rank", "population_data")
    assert of(whole, "place", "value", dataset_id=HAND) == of(ask(engine, "advanced", "rank"), "place", "value")


@pytest.mark.parametrize(
    ("kind", "subject", "words"),
    [
        ("basic", "9900000903", "estat load 9900000903"),
        ("basic", "123", "ten digits"),
        ("basic", "no_such_table", "no_such_table"),
        ("custom", HAND, "needs its SQL"),
    ],
)
def test_what_cannot_be_analysed_is_told(engine: QueryEngine, kind: Kind, subject: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        list(answer(engine, kind, subject))


def test_names_that_are_no_names_never_reach_the_sql() -> None:
    for table, dataset_id in (("t; DROP TABLE t", None), ("t", "1' OR '1'='1")):
        with pytest.raises(ValidationError):
            analysis_sql("basic", [], table=table, dataset_id=dataset_id)


def test_the_command_shows_rows_and_the_sql_that_made_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATALAKE_HOME", str(home))
    monkeypatch.delenv("DATALAKE_S3_BUCKET", raising=False)

    def run(*words: str) -> str:
        done = CliRunner().invoke(estat, ["analyze", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    [document] = json.loads(run(HAND, "--type", "advanced", "--only", "rank", "--limit", "2", "--format", "json"))
    assert (document["name"], document["truncated"]) == ("rank", True)
    assert document["sql"].startswith("WITH cells AS (")
    assert [row["region_name"] for row in document["rows"]] == ["宮城県", "青森県"]
    again = run(HAND, "--type", "custom", "--query", document["sql"], "--format", "csv").splitlines()
    assert len(again) == 1 + 8
    assert "years: Coverage by year" in run(HAND)
    assert "SELECT dataset_id, value_text" in run(HAND, "--only", "missing", "--sql")


def test_an_analysis_can_be_of_a_snapshot_or_of_a_moment(tmp_path: Path) -> None:
    with Sandbox([by_hand(HAND)]) as sandbox:
        load(tmp_path, sandbox.base_url, HAND)
        table = sandbox.tables[HAND]
        sandbox.replace(table.revised(updated="2026-01-01", cells=list(table.produce())[:7]))
        load(tmp_path, sandbox.base_url, HAND)
    engine = Workbench(Settings(app_id="test", lake_home=tmp_path)).sql
    shots = engine.run('SELECT snapshot_id, committed_at FROM "population_data$snapshots" ORDER BY 2').read_all()
    first, second = shots.column(0).to_pylist()

    def rows(as_of: str | int | None) -> int:
        [found] = answer(engine, "basic", HAND, only=["overview"], as_of=as_of)
        return int(found.result.read_all().to_pylist()[0]["cell_count"])

    assert rows(None) == rows(second) == 7
    assert rows(str(first)) == rows(first) == sum(len(values) for values in FIGURES.values())
    assert rows("2100-01-01") == 7
    with pytest.raises(ValidationError, match="has no snapshot"):
        rows("123456789")
