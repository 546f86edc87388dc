"""The benchmark's judge of other readers: what it calls wrong, lost and kept, on errors put in by hand."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.peers import environments, report
from benchmarks.peers.compare import AS_TEXT, CHANGED, DROPPED, INVENTED, RIGHT, compare, unpack
from benchmarks.peers.readers import OURS, READERS, Reader
from benchmarks.peers.runs import DRIVERS, Result, run_all
from benchmarks.peers.serve import DATA, SIMPLE, Answers
from benchmarks.peers.table import AXES, FOOTNOTE, KINDS, NOTES, PLAIN, SYMBOLS, TABLE_ID, Fact, facts, table

TRUTH = list(facts(5_000))
Columns = dict[str, list[Any]]


@pytest.fixture
def faithful() -> Columns:
    """What a reader hands over that loses nothing."""
    columns: Columns = {}
    for at, axis in enumerate(AXES):
        columns[f"{axis}_code"] = [fact.codes[at] for fact in TRUTH]
        columns[f"{axis}_name"] = [fact.names[at] for fact in TRUTH]
    columns["value"] = [fact.value for fact in TRUTH]
    columns["text"] = [fact.text if fact.value is None else None for fact in TRUTH]
    columns["unit"] = [fact.unit for fact in TRUTH]
    columns["reason"] = [fact.reason for fact in TRUTH]
    columns["annotation"] = [FOOTNOTE if fact.annotation else None for fact in TRUTH]
    return columns


def first(kind: str) -> int:
    return next(at for at, fact in enumerate(TRUTH) if fact.kind == kind)


def row_of(columns: Columns) -> list[str]:
    """The report's line of a reader that handed this over, without its name."""
    return report.losses([Result(READERS[0], comparison=compare(TRUTH, columns))])[1][1:]


def test_the_table_holds_every_kind_of_cell_and_its_text_is_what_the_truth_was_made_from() -> None:
    assert {fact.kind for fact in TRUTH} == set(KINDS)
    for fact in TRUTH:
        assert (fact.value is None) == (fact.kind == "words" or fact.kind.startswith("symbol"))
        assert fact.kind != PLAIN or float(fact.text) == fact.value
    assert {symbol for kind in SYMBOLS if (symbol := kind.symbol)} < set(NOTES)
    assert [(cell.codes, cell.value, cell.unit) for cell in table(500).cells] == [
        (fact.codes, fact.text, fact.unit) for fact in facts(500)
    ]
    assert all(fact.codes[0].startswith("0") and fact.codes[1].startswith("0") for fact in TRUTH)


def test_a_reader_that_loses_nothing_is_found_faultless(faithful: Columns) -> None:
    found = compare(TRUTH, faithful)
    assert (found.rows, found.wrong, found.count(RIGHT), found.surplus_rows) == (5_000, 0, 5_000, 0)
    assert row_of(faithful) == ["0", "0", *["kept"] * 6]


def test_the_order_of_the_rows_does_not_matter(faithful: Columns) -> None:
    turned = {name: column[::-1] for name, column in faithful.items()}
    assert compare(TRUTH, turned).wrong == 0


@pytest.mark.parametrize(
    ("kind", "value", "verdict"),
    [
        ("symbol -", 0.0, INVENTED),
        ("symbol X", 0, INVENTED),
        ("symbol ***", None, RIGHT),
        ("symbol ***", "***", AS_TEXT),
        ("symbol ***", "0", CHANGED),
        ("0 with a NOTE", None, DROPPED),
        ("0 with a NOTE", 0, RIGHT),
        ("words", None, DROPPED),
        ("words", 0.0, INVENTED),
        ("1,234", None, DROPPED),
        ("1,234", 1.0, CHANGED),
        ("full width", None, DROPPED),
        ("△ as minus", 5.0, CHANGED),
        (PLAIN, "17.5", CHANGED),
        (PLAIN, None, DROPPED),
        (PLAIN, 17.5, CHANGED),
    ],
)
def test_a_wrong_value_is_found_in_its_kind(faithful: Columns, kind: str, value: Any, verdict: str) -> None:
    at = first(kind)
    faithful["value"][at] = value
    faithful["text"][at] = None
    found = compare(TRUTH, faithful)
    others = [RIGHT] * (found.verdicts[kind].total() - 1)
    assert found.verdicts[kind] == Counter([verdict, *others])
    assert found.wrong == (verdict in (INVENTED, CHANGED, DROPPED))


def test_numbers_left_as_text_are_not_wrong_but_counted(faithful: Columns) -> None:
    faithful["value"] = [fact.text for fact in TRUTH]
    words = sum(fact.kind == "words" for fact in TRUTH)
    assert row_of(faithful)[:2] == ["0", f"{len(TRUTH) - words:,}"]


def test_a_symbol_that_only_became_empty_is_lost_though_no_value_is_wrong(faithful: Columns) -> None:
    faithful["text"] = [fact.text if fact.kind == "words" else None for fact in TRUTH]
    assert row_of(faithful) == ["0", "0", "kept", "kept", "kept", "lost", "kept", "kept"]


def damage_one_label(columns: Columns) -> None:
    columns["area_name"][7] = "どこか"


def drop_labels(columns: Columns) -> None:
    for axis in AXES:
        del columns[f"{axis}_name"]


def drop_one_axis(columns: Columns) -> None:
    del columns["tab_code"], columns["tab_name"]


def strip_zeros(columns: Columns) -> None:
    columns["area_code"] = [int(code) for code in columns["area_code"]]


def halve_the_width_of_units(columns: Columns) -> None:
    columns["unit"] = [unit and unit.replace("％", "%") for unit in columns["unit"]]


def keep_signs_only(columns: Columns) -> None:
    columns["annotation"] = [fact.annotation for fact in TRUTH]


def drop_meanings(columns: Columns) -> None:
    columns["reason"] = [None] * len(TRUTH)


WITH_ZERO = sum(fact.codes[2].startswith("0") for fact in TRUTH)
PERCENT = sum(fact.unit == "％" for fact in TRUTH)


@pytest.mark.parametrize(
    ("damage", "place", "said"),
    [
        (damage_one_label, 3, "area lost in 1"),
        (drop_labels, 3, "lost"),
        (drop_one_axis, 2, "lost: tab"),
        (strip_zeros, 2, f"area lost; zeros lost in {WITH_ZERO:,}"),
        (halve_the_width_of_units, 4, f"lost in {PERCENT:,}"),
        (drop_meanings, 6, "lost"),
        (keep_signs_only, 7, "sign only, text lost"),
    ],
)
def test_what_is_lost_is_said(faithful: Columns, damage: Callable[[Columns], None], place: int, said: str) -> None:
    damage(faithful)
    assert (row_of(faithful)[0], row_of(faithful)[place]) == ("0", said)


def test_rows_that_do_not_come_are_wrong_and_rows_too_many_are_said(faithful: Columns) -> None:
    short = {name: column[:-3] for name, column in faithful.items()}
    assert compare(TRUTH, short).wrong == 3
    doubled = {name: [*column, column[-1]] for name, column in faithful.items()}
    assert row_of(doubled)[0] == "0, 1 rows too many"


def test_what_drivers_hand_over_keeps_numbers_and_texts_apart() -> None:
    spec = importlib.util.spec_from_file_location("peers_common", DRIVERS / "common.py")
    assert spec
    assert spec.loader
    common = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = common
    spec.loader.exec_module(common)
    column = [1, "1", 1.5, float("nan"), None, "", 0, "0", 0.0]
    packed = orjson.loads(orjson.dumps({"value": common._packed(column)}))
    [back] = unpack(packed).values()
    assert list(map(repr, back)) == ["1", "'1'", "1.5", "None", "None", "''", "0", "'0'", "0.0"]


@pytest.mark.parametrize("reader", READERS, ids=[reader.name for reader in READERS])
def test_every_reader_has_a_driver_and_packages_that_are_pinned(reader: Reader) -> None:
    source = (DRIVERS / reader.driver).read_text("utf-8")
    assert "measure(" in source
    assert "e-stat.go.jp" not in source
    assert all("==" in package for package in reader.packages)
    assert reader.takes in ("JSON", "CSV")


def test_a_reader_that_cannot_be_installed_or_run_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "HOME", tmp_path)
    readers = [Reader("too new", "read_pandas.py", ("x==1",), python=(3, 99)), Reader("broken", "read_nothing.py")]
    results = run_all(readers, "http://127.0.0.1:9", TRUTH, 2)
    assert results[0].failure == "it needs Python 3.99 or newer, and none is here"
    assert results[1].failure.startswith("it failed: ")
    assert [row[3].split(":")[0] for row in report.environment(results)[1:]] == ["not run", "not run"]
    assert report.markdown(report.speed(results, len(TRUTH))).count("\n") == 1


def test_this_project_is_compared_and_names_are_unique() -> None:
    names = [reader.name for reader in READERS]
    assert OURS in names
    assert len(set(names)) == len(names)


def test_json_and_csv_answers_hold_the_same_cells() -> None:
    answers = Answers(table(1_500))
    asked = {"statsDataId": TABLE_ID, "startPosition": "1001", "limit": "1000"}
    json_page = orjson.loads(gzip.decompress(answers.get(DATA, asked)))
    csv_lines = gzip.decompress(answers.get(SIMPLE, asked)).decode().splitlines()
    truth: list[Fact] = list(facts(1_500))[1_000:]
    values = json_page["GET_STATS_DATA"]["STATISTICAL_DATA"]["DATA_INF"]["VALUE"]
    assert [(value["@area"], value["$"]) for value in values] == [(fact.codes[2], fact.text) for fact in truth]
    rows = [line[1:-1].split('","') for line in csv_lines[csv_lines.index('"VALUE"') + 2 :]]
    assert [(row[4], row[5], row[-2], row[-1]) for row in rows] == [
        (fact.codes[2], fact.names[2], fact.text, fact.annotation or "") for fact in truth
    ]
