"""Statistical terms for everyday words: 収入 is 所得 or 賃金 in the titles of tables, "unemployment" is 完全失業率.

The entries are in `suggestions.tsv`. They are only offered; `apply_suggestions` puts in the place of a word what the
caller accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources

from estat_dagster.errors import ValidationError
from estat_dagster.estat.fields import FIELDS
from estat_dagster.estat.words import OPERATORS, fold_kana

_BETWEEN_TERMS = "、"


@dataclass(frozen=True)
class Suggestion:
    """The terms for an everyday word, the best one first, with the reason in Japanese and the field (統計分野)."""

    word: str
    terms: tuple[str, ...]
    reason: str
    field: str
    field_name: str


@dataclass(frozen=True)
class _Hit:
    start: int
    end: int
    suggestion: Suggestion


@lru_cache(maxsize=1)
def all_suggestions() -> tuple[Suggestion, ...]:
    """Return every entry, grouped by field."""
    text = resources.files("estat_dagster.estat").joinpath("suggestions.tsv").read_text("utf-8")
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        Suggestion(word, tuple(terms.split(_BETWEEN_TERMS)), reason, field, FIELDS[field])
        for field, word, terms, reason in lines[1:]
    )


def suggest(text: str) -> tuple[Suggestion, ...]:
    """Return the suggestions for the words of a query, in their order; width, case and kana do not matter.

    `word` is as the query writes it. A word counts whole: 失業率 is not 失業.
    """
    found = {hit.suggestion.word: hit.suggestion for hit in _hits(text)}
    return tuple(found.values())


def apply_suggestions(original_query: str, accepted: Mapping[str, str]) -> str:
    """Return the query with terms in the place of the words that they were accepted for; the rest stays as it was.

    Args:
        original_query: the words that `suggest` was asked for.
        accepted: word of the query -> one of the terms suggested for it.

    Raises:
        ValidationError: nothing was suggested for a word, or another term.
    """
    wanted = {fold_kana(word): term for word, term in accepted.items()}
    hits = [hit for hit in _hits(original_query) if fold_kana(hit.suggestion.word) in wanted]
    _check(accepted, {fold_kana(hit.suggestion.word): hit.suggestion for hit in hits})
    query = original_query
    for hit in reversed(hits):
        query = query[: hit.start] + wanted[fold_kana(hit.suggestion.word)] + query[hit.end :]
    return query


def _check(accepted: Mapping[str, str], offered: Mapping[str, Suggestion]) -> None:
    for word, term in accepted.items():
        suggestion = offered.get(fold_kana(word))
        if suggestion is None:
            raise ValidationError(
                f"Nothing was suggested for {word!r} in these words.",
                hint="`estat suggest WORDS` shows what is suggested.",
            )
        if term not in suggestion.terms:
            raise ValidationError(
                f"{term!r} was not suggested for {word!r}.", hint=f"Choose one of {', '.join(suggestion.terms)}."
            )


def _hits(text: str) -> Iterator[_Hit]:
    """Find entries in a query, the longest first where one holds another, as "birth rate" holds "birth"."""
    index = _index()
    most = max(key.count(" ") for key in index) + 1
    words = list(re.finditer(r"\S+", text))
    place = 0
    while place < len(words):
        for count in range(min(most, len(words) - place), 0, -1):
            start, end = words[place].start(), words[place + count - 1].end()
            entry = index.get(fold_kana(text[start:end]))
            if entry and text[start:end] not in OPERATORS:
                yield _Hit(start, end, replace(entry, word=text[start:end]))
                place += count
                break
        else:
            place += 1


@lru_cache(maxsize=1)
def _index() -> Mapping[str, Suggestion]:
    return {fold_kana(entry.word): entry for entry in all_suggestions()}
