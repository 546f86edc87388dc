"""Time codes and names as periods: every form that e-Stat uses, and nothing guessed for any other."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.estat.periods import NONE, Period
from estat_dagster.estat.timecodes import parse_period, parse_survey_date
from tests.replay import SAMPLES, as_list, real_document, real_text


def year(y: int) -> Period:
    return Period("calendar_year", y, start=date(y, 1, 1), end=date(y, 12, 31))


def fiscal(y: int) -> Period:
    return Period("fiscal_year", y, start=date(y, 4, 1), end=date(y + 1, 3, 31))


def month(y: int, m: int, end: date) -> Period:
    return Period("month", y, month=m, start=date(y, m, 1), end=end)


def quarter(y: int, q: int, end: date) -> Period:
    return Period("quarter", y, quarter=q, start=date(y, 3 * q - 2, 1), end=end)


def span(kind: str, start: date, end: date) -> Period:
    return Period(kind, start.year, start=start, end=end)


KNOWN = [
    ("2020000000", "2020年", year(2020)),
    ("2020000000", "", year(2020)),
    ("2020000000", "２０２０年", year(2020)),
    ("2020000000", "2020 年", year(2020)),
    ("2020000000", "令和2年", year(2020)),
    ("2019000000", "令和元年", year(2019)),
    ("2019000000", "平成31年", year(2019)),
    ("1989000000", "昭和64年", year(1989)),
    ("1989000000", "平成元年", year(1989)),
    ("1926000000", "大正15年", year(1926)),
    ("1900000000", "明治33年", year(1900)),
    ("1980100000", "1980年度", fiscal(1980)),
    ("1980100000", "昭和55年度", fiscal(1980)),
    ("1980100000", "", fiscal(1980)),
    ("2024000101", "2024年1月", month(2024, 1, date(2024, 1, 31))),
    ("2024000202", "", month(2024, 2, date(2024, 2, 29))),
    ("1900000202", "1900年2月", month(1900, 2, date(1900, 2, 28))),
    ("2019000505", "令和元年5月", month(2019, 5, date(2019, 5, 31))),
    ("2024001212", "2024年12月", month(2024, 12, date(2024, 12, 31))),
    ("1994000103", "1994年1～3月期", quarter(1994, 1, date(1994, 3, 31))),
    ("1994000406", "1994年4〜6月期", quarter(1994, 2, date(1994, 6, 30))),
    ("2026000709", "2026年7-9月期", quarter(2026, 3, date(2026, 9, 30))),
    ("2026000709", "", quarter(2026, 3, date(2026, 9, 30))),
    ("2020001012", "2020年10月～12月", quarter(2020, 4, date(2020, 12, 31))),
    ("2020000103", "2020年第1四半期", quarter(2020, 1, date(2020, 3, 31))),
    ("1994010000", "", span("half_year", date(1994, 1, 1), date(1994, 6, 30))),
    ("1994020000", "", span("half_year", date(1994, 7, 1), date(1994, 12, 31))),
    ("1994020000", "1994年下半期", span("half_year", date(1994, 7, 1), date(1994, 12, 31))),
    ("2020000106", "2020年1～6月期", span("half_year", date(2020, 1, 1), date(2020, 6, 30))),
    ("2020000104", "2020年1月～4月", span("range", date(2020, 1, 1), date(2020, 4, 30))),
    ("2020000204", "2020年2～4月", span("range", date(2020, 2, 1), date(2020, 4, 30))),
    # October of one table is the year from October of another: the name decides.
    ("2019001010", "2019年10月", month(2019, 10, date(2019, 10, 31))),
    ("2019001010", "", month(2019, 10, date(2019, 10, 31))),
    ("2019001010", "2019年10月～2020年9月", span("range", date(2019, 10, 1), date(2020, 9, 30))),
    ("2019001010", "令和元年10月～令和2年9月", span("range", date(2019, 10, 1), date(2020, 9, 30))),
    ("20190000000", "2019年", year(2019)),
    ("20190000000", "", year(2019)),
    ("20190000000", "2019年度", fiscal(2019)),
    ("2020", "2020年", year(2020)),
    ("2020", "", year(2020)),
    ("2020", "2020年度", fiscal(2020)),
    # Twelve months are the year that they make, however they are written.
    ("2020100000", "2020年4月～2021年3月", fiscal(2020)),
    ("2020000000", "2020年1～12月", year(2020)),
    ("2020000112", "2020年", year(2020)),
    # Remarks change nothing.
    ("2019001010", "2019年10月分", month(2019, 10, date(2019, 10, 31))),
    ("2019001010", "2019年10月期", month(2019, 10, date(2019, 10, 31))),
    ("2019001010", "2019年10月（速報）", month(2019, 10, date(2019, 10, 31))),
    ("2020000303", "2020年3月末", month(2020, 3, date(2020, 3, 31))),
    ("2020000303", "2020年3月31日現在", month(2020, 3, date(2020, 3, 31))),
    ("2020000000", "2020年（令和2年）", year(2020)),
    ("2020000000", "2020年平均（2015年基準）", year(2020)),
    ("2020000000", "Ｒ２年", year(2020)),
    ("2020100000", "2020年度平均", fiscal(2020)),
    ("2020100000", "令和2年度末", fiscal(2020)),
    ("2020100000", "FY2020", fiscal(2020)),
    ("2020100000", "2020", fiscal(2020)),
    # Parts of a fiscal year lie in it.
    ("2020000406", "2020年度第1四半期", quarter(2020, 2, date(2020, 6, 30))),
    ("2021000103", "2020年度第４四半期", quarter(2021, 1, date(2021, 3, 31))),
    ("2021000103", "2020年度1～3月", quarter(2021, 1, date(2021, 3, 31))),
    ("2020000409", "2020年度上半期", span("half_year", date(2020, 4, 1), date(2020, 9, 30))),
    ("2020000103", "2020年第Ⅰ四半期", quarter(2020, 1, date(2020, 3, 31))),
    ("2020000103", "2020年Q1", quarter(2020, 1, date(2020, 3, 31))),
    ("1994010000", "1994年前半", span("half_year", date(1994, 1, 1), date(1994, 6, 30))),
    ("2020000000", "令和2(2020)年", year(2020)),
    ("2019000000", "令和元（2019）年", year(2019)),
    ("2020000000", "2020（令和２）年", year(2020)),
    ("2019000000", "R元年", year(2019)),
    ("2020000000", "2020年（令和2）", year(2020)),
    ("2018100000", "平成30(2018)年度", fiscal(2018)),
    ("2018100000", "2018（平成30）年度", fiscal(2018)),
    ("2020000101", "令和2(2020)年1月", month(2020, 1, date(2020, 1, 31))),
    ("2020000101", "2020/01", month(2020, 1, date(2020, 1, 31))),
    ("2020000101", "202001", month(2020, 1, date(2020, 1, 31))),
    ("1994000103", "1994/1-3.", quarter(1994, 1, date(1994, 3, 31))),
    ("1994000406", "1994年II期", quarter(1994, 2, date(1994, 6, 30))),
    ("2020000000", "2020年（1年間）", year(2020)),
    ("2019001010", "2019年10月～翌年9月", span("range", date(2019, 10, 1), date(2020, 9, 30))),
]

UNKNOWN = [
    ("", ""),
    ("総数", "総数"),
    ("2020000013", ""),  # no thirteenth month
    ("2020001301", ""),
    ("2020001201", ""),  # ends before it starts
    ("2020000201", ""),
    ("2020000003", ""),
    ("2020030000", ""),  # no third half
    ("2020010103", ""),
    ("2020200000", ""),
    ("2020100103", ""),
    ("0000000000", ""),
    ("9999000000", ""),
    ("202000000", ""),
    ("202000000000", ""),
    ("20190000001", ""),
    ("２０２０００００００", ""),
    ("2020000000\n", ""),
    (" 2020000000", ""),
    ("-2020000000", ""),
    ("00001", "平成2～4年"),
    ("00001", "令和0年"),
    ("00001", "2020年13月"),
    ("00001", "2020年第5四半期"),
    ("00001", "2020年産"),
]


@pytest.mark.parametrize(("code", "name", "period"), KNOWN)
def test_a_known_form_is_its_period_without_doubt(code: str, name: str, period: Period):
    assert parse_period(code, name) == period


@pytest.mark.parametrize(("code", "name"), UNKNOWN)
def test_an_unknown_form_is_flagged_and_nothing_is_guessed(code: str, name: str):
    found = parse_period(code, name)
    assert found == Period("unknown", doubt=found.doubt)
    assert repr(code) in found.doubt


@pytest.mark.parametrize(
    ("code", "name", "period"),
    [
        ("2020000000", "2020年度", fiscal(2020)),
        ("2020100000", "2020年", year(2020)),
        ("2020000000", "2021年", year(2021)),
        ("2020000000", "R元年", year(2019)),
        ("2020000101", "2020年2月", month(2020, 2, date(2020, 2, 29))),
        ("2019001010", "2020年10月～2021年9月", span("range", date(2020, 10, 1), date(2021, 9, 30))),
        ("2020", "2021年度", fiscal(2021)),
        ("2020000000", "2020年度平均", fiscal(2020)),
        ("2020000000", "2020年度（速報）", fiscal(2020)),
        ("2020000000", "令和2年度末", fiscal(2020)),
        ("2020000000", "2021年（速報）", year(2021)),
        ("2020000000", "2020年（令和元年）", year(2020)),
        ("2020000000", "2020年（年度）", year(2020)),
        ("2020000000", "2020年3月末", month(2020, 3, date(2020, 3, 31))),
        ("2020000103", "2020年度第1四半期", quarter(2020, 2, date(2020, 6, 30))),
        ("2020010000", "2020年度上半期", span("half_year", date(2020, 4, 1), date(2020, 9, 30))),
        ("2020010000", "2020年度下半期", span("half_year", date(2020, 10, 1), date(2021, 3, 31))),
        # A code of no known form tells nothing.
        ("2020001301", "2020年1月", month(2020, 1, date(2020, 1, 31))),
        ("2021030000", "2020年", year(2020)),
        ("A01", "2020年度", fiscal(2020)),
        ("", "2020年3月", month(2020, 3, date(2020, 3, 31))),
    ],
)
def test_where_code_and_name_differ_the_name_is_right_and_a_doubt_says_so(code: str, name: str, period: Period):
    found = parse_period(code, name)
    assert code in found.doubt
    assert name in found.doubt
    assert replace(found, doubt="") == period


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("2019000000", "2015～2019年"),
        ("2019000000", "2015～19年"),
        ("1990000000", "平成2～4年"),
        ("2019000000", "2018・2019年平均"),
        ("2019000000", "2018年産"),
        ("2019000000", "FY2019"),
        ("2019100000", "2019年産"),
        ("2019100000", "FY2018"),
        ("2020000000", "2020年10月1日現在"),
        ("2020000000", "2020年第1四半期分類"),
        ("2020000406", "2020年第1四半期分類"),
        ("2020000000", "2020年の下期"),
        ("2020010000", "2020年の下期"),
        ("2020000101", "2020年度1月"),
        ("2020000103", "2020年1月～2月の計"),
        ("1994000103", "1994年II期"),
        ("1994000103", "1994年第2期"),
        ("2020000000", "2020年第2期"),
        ("2020000000", "2020年前期"),
        ("2020000101", "2020/02"),
        ("2020000101", "202002"),
        ("2020000101", "2020.2"),
        ("2000000000", "平成12年・17年"),
        ("2020000000", "2020年、21年"),
        ("2020000000", "3か年平均"),
        ("2020000000", "5年間"),
        ("2020000000", "令和2(2019)年"),
        ("2020000303", "2020年3月までの1年間"),
        ("2020000103", "2020年から翌3月まで"),
    ],
)
def test_a_name_that_speaks_against_the_code_without_being_readable_leaves_nothing_to_trust(code: str, name: str):
    found = parse_period(code, name)
    assert found == Period("unknown", doubt=found.doubt)
    assert code in found.doubt
    assert name in found.doubt


@pytest.mark.parametrize("name", ["2019年産", "令和元年10月～2年9月"])
def test_october_under_a_name_that_cannot_be_read_is_doubtful(name: str):
    assert name in parse_period("2019001010", name).doubt


@pytest.mark.parametrize("name", ["2019年産", "2019 (p)", "調査年", "2019年の平均"])
def test_a_name_that_cannot_be_read_leaves_a_clear_code_as_it_is(name: str):
    assert parse_period("2019000000", name) == year(2019)


@pytest.mark.parametrize(
    ("survey_date", "period"),
    [
        ("", NONE),
        ("0", NONE),
        ("2015", Period("survey_date", 2015, start=date(2015, 1, 1), end=date(2015, 12, 31))),
        ("201500", Period("survey_date", 2015, start=date(2015, 1, 1), end=date(2015, 12, 31))),
        ("201510", Period("survey_date", 2015, start=date(2015, 10, 1), end=date(2015, 10, 31))),
        ("202001-202012", Period("survey_date", 2020, start=date(2020, 1, 1), end=date(2020, 12, 31))),
        ("202004-202103", Period("survey_date", None, start=date(2020, 4, 1), end=date(2021, 3, 31))),
        ("2015-2016", Period("survey_date", None, start=date(2015, 1, 1), end=date(2016, 12, 31))),
    ],
)
def test_survey_date_gives_a_year_only_where_it_names_a_single_one(survey_date: str, period: Period):
    assert parse_survey_date(survey_date) == period


@pytest.mark.parametrize("survey_date", ["-", "201513", "202012-202001", "2015-2016-2017", "平成27年", " 2015", "0-0"])
def test_a_survey_date_of_unknown_form_is_flagged(survey_date: str):
    found = parse_survey_date(survey_date)
    assert found == Period("unknown", doubt=found.doubt)
    assert repr(survey_date) in found.doubt


def check(period: Period) -> None:
    """A period is whole: both days in order, quarter and month only for their kinds, nothing at all when unknown."""
    known = period.kind not in ("unknown", "none")
    assert known == (period.start is not None) == (period.end is not None)
    assert (period.quarter is not None) == (period.kind == "quarter")
    assert (period.month is not None) == (period.kind == "month")
    assert bool(period.doubt) or period.kind != "unknown"
    if period.start and period.end:
        assert period.start <= period.end
        assert period.year in (period.start.year, None)


near_misses = st.text(alphabet="0123456789年度月期半上下前後第四-～~ 元令和平成昭翌FYQIR（）計末", max_size=16)
anything = st.one_of(st.text(max_size=20), near_misses, st.from_regex(r"[12]\d{9,10}", fullmatch=True))


@given(anything, anything)
def test_no_text_raises_and_every_period_is_whole(code: str, name: str):
    check(parse_period(code, name))


@given(st.one_of(st.text(max_size=15), st.from_regex(r"\d{4,6}(-\d{4,6})?", fullmatch=True)))
def test_no_survey_date_raises_and_every_period_is_whole(survey_date: str):
    check(parse_survey_date(survey_date))


@given(st.integers(1000, 2999), st.integers(1, 12), st.integers(1, 12), st.booleans())
def test_months_round_trip_through_code_and_name(y: int, first: int, last: int, named: bool):
    first, last = min(first, last), max(first, last)
    name = f"{y}年{first}月～{last}月" if first < last else f"{y}年{first}月"
    found = parse_period(f"{y}00{first:02}{last:02}", name if named else "")
    check(found)
    assert not found.doubt
    assert (found.start, found.end.year, found.end.month) == (date(y, first, 1), y, last)
    assert (found.month is not None) == (first == last)
    assert (found.quarter is not None) == ((first, last) in ((1, 3), (4, 6), (7, 9), (10, 12)))


def test_every_time_code_of_the_real_tables_is_read_without_doubt():
    files = [path.name for kind in ("getStatsData", "getMetaInfo") for path in SAMPLES.glob(f"*{kind}*.json")]
    if not files:
        pytest.skip(f"the folder {SAMPLES} is not here")
    items = []
    for file in files:
        [answer] = real_document(file).values()
        inf = answer.get("STATISTICAL_DATA") or answer["METADATA_INF"]
        axes = as_list(inf["CLASS_INF"]["CLASS_OBJ"])
        items += [item for axis in axes if axis["@id"] == "time" for item in as_list(axis["CLASS"])]
    pairs = [(item["@code"], item["@name"]) for item in items]
    pairs += re.findall(r'code="(\d{10})" name="([^"]*)"', real_text("getStatsData_gdp_quarterly.xml"))
    kinds = set()
    for code, name in pairs:
        found = parse_period(code, name)
        assert not found.doubt
        assert found == parse_period(code), "code and name agree"
        kinds.add(found.kind)
    assert kinds >= {"calendar_year", "fiscal_year", "quarter", "month"}
