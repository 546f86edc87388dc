"""Words as people write them: one form for all widths, cases and kana; queries that mean what they say."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ValidationError
from estat_dagster.estat.criteria import Criteria
from estat_dagster.estat.words import OPERATORS, fold, fold_kana, parse_query
from estat_dagster.sandbox import words as sandbox_words

texts = st.text(alphabet="ＡＢab トウとうがｶﾞÅōＯ人口　\t7７-ー", max_size=20)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ｔｏｋｙｏ", "tokyo"),
        ("Tōkyō", "TOKYO"),
        ("Ａ　人口", "a 人口"),
        ("ﾄｳｷｮｳ", "トウキョウ"),
        ("①", "1"),
        ("  x  y ", "X Y"),
    ],
)
def test_spellings_of_one_word_fold_to_the_same(one: str, other: str):
    assert fold(one) == fold(other)


def test_folding_keeps_apart_what_is_different():
    assert len({fold(word) for word in ("か", "が", "は", "ば", "ぱ", "東京", "京都")}) == 7
    assert fold("トウ") != fold("とう")
    assert fold_kana("トウキョウ") == fold_kana("とうきょう") == "とうきょう"
    assert fold_kana("ヴァイオリンヶ") == "ゔぁいおりんゖ"
    assert fold_kana("ガ") == "が" != fold_kana("カ")


@given(texts)
def test_folding_twice_is_folding_once(text: str):
    assert fold(fold(text)) == fold(text)
    assert fold_kana(fold_kana(text)) == fold_kana(text)
    assert fold(unicodedata.normalize("NFKC", text)) == fold(text)
    assert fold_kana(text.upper()) == fold_kana(text)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("人口", "人口"),
        ("人口　世帯", "人口 AND 世帯"),
        ("人口 世帯 OR ＧＤＰ", "人口 AND 世帯 OR GDP"),
        ("東京 ＡＮＤ 人口", "東京 AND 人口"),
        ("就業 NOT 失業", "就業 NOT 失業"),
        ("NOT 失業 就業", "NOT 失業 AND 就業"),
        ("rice and fish", "rice AND and AND fish"),
        ("", ""),
    ],
)
def test_a_query_is_sent_as_it_means(written: str, sent: str):
    assert parse_query(written).text == sent


@pytest.mark.parametrize(
    "wrong", ["AND", "人口 OR", "OR 人口", "人口 AND OR 世帯", "NOT NOT 人口", "人口 NOT", "NOT AND 人口"]
)
def test_an_operator_without_its_word_is_refused_with_a_hint(wrong: str):
    with pytest.raises(ValidationError, match="has no word") as caught:
        parse_query(wrong)
    assert "人口 AND 世帯" in caught.value.hint


word = st.sampled_from(["人口", "世帯", "ＧＤＰ", "gdp", "2020年"])
groups = st.lists(st.lists(st.tuples(word, st.booleans()), min_size=1, max_size=3), min_size=1, max_size=3)


@given(groups, st.booleans(), st.sampled_from([" ", "　"]))
def test_a_query_asks_for_the_same_tables_as_its_words(
    alternatives: list[list[tuple[str, bool]]], spelled: bool, space: str
):
    """What is sent matches what the written words match, by the sandbox's reading of them."""
    joined = f"{space}AND{space}" if spelled else space
    written = f"{space}OR{space}".join(
        joined.join(text if wanted else f"NOT{space}{text}" for text, wanted in group) for group in alternatives
    )
    query = parse_query(written)
    assert sandbox_words.parse(query.text) == sandbox_words.parse(written)
    assert parse_query(query.text) == query
    wanted = [[unicodedata.normalize("NFKC", text) for text, kept in group if kept] for group in alternatives]
    assert [list(group) for group in query.alternatives] == wanted


@given(st.text(alphabet="AND ORT人口　", max_size=30))
def test_any_text_is_a_query_or_refused(text: str):
    try:
        query = parse_query(text)
    except ValidationError:
        return
    plain = [part for part in query.parts if part not in OPERATORS]
    assert plain == [part for part in unicodedata.normalize("NFKC", text).split() if part not in OPERATORS]


days = st.dates(date(1950, 1, 1), date(2099, 12, 31))


@given(days, st.integers(0, 4000), st.sampled_from(["-", ""]))
def test_a_window_holds_both_of_its_days(first: date, length: int, dash: str):
    last = min(first + timedelta(days=length), date(2099, 12, 31))
    form = f"%Y{dash}%m{dash}%d"
    asked = Criteria(updated=f"{first:{form}}..{last:{form}}").parameters(last)["updatedDate"]
    assert asked.split("-")[0] == f"{first:%Y%m%d}"
    assert asked.split("-")[-1] == f"{last:%Y%m%d}"
    assert Criteria(updated=f"{first:{form}}..").parameters(last)["updatedDate"] == asked


@given(days, days)
def test_a_range_of_months_reaches_from_the_first_to_the_last(one: date, two: date):
    first, last = sorted((one, two))
    month = Criteria(updated=f"{first:%Y-%m}..{last:%Y-%m}").parameters(last)["updatedDate"]
    years = Criteria(years=f"{first:%Y}..{last:%Y}").parameters(last)["surveyYears"]
    same = f"{first:%Y%m}" == f"{last:%Y%m}"
    after = (last.replace(day=1) + timedelta(days=31)).replace(day=1)
    expected = f"{first:%Y%m}" if same else f"{first:%Y%m}01-{after - timedelta(days=1):%Y%m%d}"
    assert month == expected
    assert years == (f"{first:%Y}" if first.year == last.year else f"{first:%Y}01-{last:%Y}12")


@given(st.text(alphabet="0123456789-.", max_size=20))
def test_any_window_is_one_that_e_stat_takes_or_refused(text: str):
    try:
        params = Criteria("x", years=text, updated=text).parameters(date(2026, 1, 1))
    except ValidationError:
        return
    if text:
        from estat_dagster.sandbox import periods

        assert periods.parse("surveyYears", params["surveyYears"])
        assert periods.parse("updatedDate", params["updatedDate"])
