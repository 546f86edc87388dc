"""Statistical terms for everyday words: entries that can be relied on, and queries that lose nothing."""

from __future__ import annotations

import unicodedata
from graphlib import TopologicalSorter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ValidationError
from estat_dagster.estat.fields import FIELDS
from estat_dagster.estat.suggest import Suggestion, all_suggestions, apply_suggestions, suggest
from estat_dagster.estat.words import OPERATORS, fold_kana, parse_query

ENTRIES = all_suggestions()


def test_there_are_at_least_150_japanese_entries_and_many_english_ones():
    english = [entry for entry in ENTRIES if entry.word.isascii()]
    assert len(ENTRIES) - len(english) >= 150
    assert len(english) >= 60


@pytest.mark.parametrize(
    ("word", "term"),
    [
        ("収入", "所得"),
        ("収入", "賃金"),
        ("物価", "消費者物価指数"),
        ("失業", "完全失業率"),
        ("income", "所得"),
        ("unemployment", "完全失業率"),
        ("がん", "悪性新生物"),
        ("birth rate", "合計特殊出生率"),
    ],
)
def test_everyday_words_lead_to_the_terms_of_statistics(word: str, term: str):
    [found] = suggest(word)
    assert found.word == word
    assert term in found.terms


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.word)
def test_every_entry_is_well_formed(entry: Suggestion):
    assert entry.field in FIELDS
    assert entry.field_name == FIELDS[entry.field]
    assert entry.reason.endswith("。")
    assert not entry.reason.isascii()
    assert entry.terms
    assert len(set(map(fold_kana, entry.terms))) == len(entry.terms)
    assert all(term and not any(char.isspace() for char in term) for term in entry.terms)
    assert fold_kana(entry.word) not in map(fold_kana, entry.terms)
    assert not OPERATORS & {*entry.word.split(), *entry.terms}
    assert any(part in entry.reason for term in entry.terms for part in (term, term[:2]))


def test_no_word_is_explained_twice_and_no_explanations_go_in_circles():
    words = [fold_kana(entry.word) for entry in ENTRIES]
    assert len(set(words)) == len(words)
    graph = {fold_kana(entry.word): set(map(fold_kana, entry.terms)) for entry in ENTRIES}
    TopologicalSorter(graph).prepare()  # a circle raises CycleError


def test_the_entries_stand_together_by_field():
    fields = [entry.field for entry in ENTRIES]
    assert fields == sorted(fields)
    assert len(set(fields)) == len(FIELDS) - 1  # その他 has no words of its own


@pytest.mark.parametrize(
    "written", ["ＩＮＣＯＭＥ", "Income", "ＣＰＩ", "cpi", "コドモ", "クラシ", "くるま", "Birth　Rate"]
)
def test_width_case_and_kana_do_not_matter(written: str):
    known = {fold_kana(entry.word) for entry in ENTRIES}
    found = suggest(written)
    assert len(found) == (fold_kana(written) in known)
    assert all(entry.word == written for entry in found)


def test_words_count_whole_and_the_longest_entry_wins():
    assert [entry.word for entry in suggest("birth rate AND birth")] == ["birth rate", "birth"]
    assert suggest("実収入 失業統計") == ()
    assert [entry.word for entry in suggest("東京 AND 収入 OR 物価")] == ["収入", "物価"]


def test_only_what_was_accepted_is_applied():
    query = "東京　AND  収入 NOT 物価"
    assert apply_suggestions(query, {}) == query
    assert apply_suggestions(query, {"収入": "所得"}) == "東京　AND  所得 NOT 物価"
    assert apply_suggestions(query, {"物価": "消費者物価指数", "収入": "賃金"}) == "東京　AND  賃金 NOT 消費者物価指数"
    assert apply_suggestions("Income OR 収入 income", {"ＩＮＣＯＭＥ": "賃金"}) == "賃金 OR 収入 賃金"


@pytest.mark.parametrize(
    ("accepted", "says"),
    [
        ({"人口": "総人口"}, "Nothing was suggested"),
        ({"物価": "地価公示"}, "Nothing was"),
        ({"収入": "株価"}, "所得, 賃金"),
    ],
)
def test_what_was_not_suggested_is_refused(accepted: dict[str, str], says: str):
    with pytest.raises(ValidationError, match=says):
        apply_suggestions("人口 収入", accepted)


everyday = st.sampled_from([entry.word for entry in ENTRIES])
other = st.sampled_from(["東京", "2020年", "Ａ　", "AND", "OR", "NOT", "(x)", "実収入"])
spaces = st.sampled_from([" ", "　", "  ", "\t"])


@given(st.lists(st.tuples(st.one_of(everyday, other), spaces), max_size=6), st.data())
def test_nothing_is_lost_of_what_was_not_replaced(pieces: list[tuple[str, str]], data: st.DataObject):
    query = "".join(text + space for text, space in pieces)
    accepted: dict[str, str] = {}
    for entry in suggest(query):
        if fold_kana(entry.word) not in map(fold_kana, accepted) and data.draw(st.booleans()):
            accepted[entry.word] = data.draw(st.sampled_from(entry.terms))
    terms = {fold_kana(word): term for word, term in accepted.items()}
    expected = "".join(terms.get(fold_kana(text), text) + space for text, space in pieces)
    assert apply_suggestions(query, accepted) == expected


@given(everyday, spaces, everyday)
def test_a_query_with_accepted_terms_is_still_a_query(one: str, space: str, two: str):
    query = f"{one}{space}OR{space}{two}"
    accepted = {entry.word: entry.terms[0] for entry in suggest(query)}
    changed = parse_query(apply_suggestions(query, accepted)).text
    assert " OR " in changed
    assert changed == unicodedata.normalize("NFKC", changed)
