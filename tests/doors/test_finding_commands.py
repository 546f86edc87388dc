"""`estat search`, `suggest`, `describe`, `codes` and `updates` as their user meets them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unittest import mock

import pytest

from estat_dagster.cli import main
from estat_dagster.sandbox.faults import Fault, Kind
from estat_dagster.sandbox.server import Sandbox
from tests.doors.lakeside import Lakeside

LABOR = "0003005798"
CREDIT = "国によって保証されたものではありません"


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


class Estat:
    """The `estat` command in this process, with a lake and an environment of its own."""

    def __init__(self, lakeside: Lakeside) -> None:
        self._environment = {
            "DATALAKE_HOME": str(lakeside.home),
            "ESTAT_BASE_URL": lakeside.sandbox.base_url,
            "ESTAT_APP_ID": lakeside.app_id,
        }

    def __call__(self, *words: str) -> Done:
        out, err, code = io.StringIO(), io.StringIO(), 0
        with (
            mock.patch.dict("os.environ", self._environment),
            mock.patch("sys.argv", ["estat", *words]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def serving() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def estat(serving: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Estat:
    """A command in whose lake one dataset is loaded."""
    lakeside = Lakeside(tmp_path_factory.mktemp("finding") / "lake", serving)
    assert lakeside.load(LABOR).success
    return Estat(lakeside)


def refused(done: Done) -> str:
    """Return the one line that a user reads when something is wrong."""
    assert (done.returncode, done.stdout) == (1, "")
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return line


def printed(estat: Estat, *words: str) -> Any:
    """Return what a command prints as JSON; its answers carry the credit."""
    done = estat(*words, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert CREDIT in done.stderr or words[0] == "suggest"
    return json.loads(done.stdout)


def test_search_ranks_explains_and_pages(estat: Estat) -> None:
    first, second = (printed(estat, "search", "労働", "--most", "1", "--offset", offset) for offset in ("0", "1"))
    assert [row["id"] for row in (*first, *second)] == ["9900000001", LABOR]
    assert first[0]["score"] > second[0]["score"]
    assert "title +40: holds 労働" in first[0]["why"]
    filtered = printed(estat, "search", "--survey", "00200531", "--cycle", "monthly")
    assert [(row["id"], row["organisation"], row["records"]) for row in filtered] == [(LABOR, "総務省", 15)]


def test_search_that_finds_nothing_offers_terms_that_can_be_accepted(estat: Estat) -> None:
    nothing = estat("search", "稼ぎ", "--format", "json")
    assert json.loads(nothing.stdout) == []
    assert "No table was found." in nothing.stderr
    assert "--accept 稼ぎ=賃金" in nothing.stderr
    found = printed(estat, "search", "稼ぎ", "--accept", "稼ぎ=賃金")
    assert "0003425893" in {row["id"] for row in found}


def test_suggest_gives_terms_with_their_reason(estat: Estat) -> None:
    rows = list(csv.DictReader(io.StringIO(estat("suggest", "income", "物価", "--format", "csv").stdout)))
    assert {(row["word"], row["term"]) for row in rows} >= {("income", "所得"), ("物価", "消費者物価指数")}
    assert all(row["reason"] and row["field"] == "07 企業・家計・経済" for row in rows)
    assert len({row["word"] for row in printed(estat, "suggest")}) >= 150


def test_describe_tells_everything_as_one_object(estat: Estat) -> None:
    found = printed(estat, "describe", LABOR)
    assert [axis["axis"] for axis in found["axes"]] == ["tab", "cat01", "cat02", "cat03", "area", "time"]
    assert (found["plan"]["records"], found["domain"]) == (15, "labor")
    assert (found["periods"]["first"], found["periods"]["last"]) == ("2024-01-01", "2024-01-31")
    assert set(found["notes"]) == {"*", "***", "0", "…"}
    assert CREDIT in found["credit"]
    shown = estat("describe", LABOR)
    assert "symbol ***: " in shown.stderr
    assert "完全失業者" in shown.stdout
    codes = printed(estat, "describe", LABOR, "--axis", "cat03")
    assert [(row["code"], row["name"]) for row in codes] == [("0", "総数"), ("1", "男"), ("2", "女")]


def test_codes_are_found_by_name_reading_and_tree(estat: Estat) -> None:
    [tokyo] = printed(estat, "codes", "0000010101", "とうきょう")
    assert (tokyo["axis"], tokyo["code"], tokyo["name"]) == ("area", "13000", "東京都")
    children = printed(estat, "codes", "9900000014", "--axis", "area", "--children-of", "13000", "--most", "2")
    assert [row["path"] for row in children] == ["13000 東京都"] * 2
    assert "1 to 2 of 22 codes" in estat("codes", "9900000014", "--children-of", "tokyo", "--most", "2").stderr
    assert "Nothing on the axes" in estat("codes", LABOR, "火星").stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["search"], "Nothing is asked"),
        (["search", "人口", "AND"], "has no word"),
        (["search", "人口", "--years", "20x"], "2015..2020"),
        (["search", "人口", "--accept", "所得"], "WORD=TERM"),
        (["search", "収入", "--accept", "収入=株価"], "所得"),
        (["codes", "1", "x"], "ten digits"),
        (["codes", LABOR, "--children-of", "火星"], "Nothing stands below"),
        (["updates", "9900000013"], "not registered"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_input_is_one_line_that_says_what_to_do(estat: Estat, words: list[str], says: str) -> None:
    assert says in refused(estat(*words))


def test_updates_are_told_with_dates_records_and_what_changed(estat: Estat, serving: Sandbox) -> None:
    assert printed(estat, "updates") == []
    assert [row["state"] for row in printed(estat, "updates", "--every")] == ["unchanged"]
    day = str((datetime.now(UTC) + timedelta(hours=9)).date())
    before = serving.tables[LABOR]
    serving.replace(before.revised(updated=day, cells=before.cells[:-1]))
    [news] = printed(estat, "updates")
    serving.remove(LABOR)
    [gone] = printed(estat, "updates", LABOR)
    serving.replace(before)
    assert (news["id"], news["state"], news["loaded update"], news["e-Stat's update"]) == (
        LABOR, "changed", "2024-08-30", day,
    )  # fmt: skip
    assert (news["records loaded"], news["records now"]) == (15, 14)
    assert news["what changed"] == f"updated 2024-08-30 -> {day}, records 15 -> 14"
    assert (gone["state"], gone["e-Stat's update"]) == ("gone", None)


def test_an_e_stat_that_does_not_answer_is_not_no_updates(estat: Estat, serving: Sandbox) -> None:
    serving.faults.add(Fault(Kind.XML_100, function="getStatsList"))
    line = refused(estat("updates"))
    serving.faults.clear()
    assert "STATUS 100" in line
