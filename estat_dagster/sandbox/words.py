"""The search words of getStatsList: words joined by AND, OR and NOT.

NOT binds closest, then AND, then OR; words side by side are ANDed. Parentheses are not special. The specification gives
no more than 「東京 AND 人口」 and 「東京 OR 大阪」. Width and case of letters do not matter.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.refusal import wrong_value

_OPERATORS = ("AND", "OR", "NOT")


class Term(NamedTuple):
    """A word that a table's text must hold, or must not hold."""

    word: str
    wanted: bool


@dataclass(frozen=True)
class Query:
    """Alternatives (OR) of terms that must all hold (AND)."""

    alternatives: tuple[tuple[Term, ...], ...]

    def matches(self, text: str) -> bool:
        """Whether a text, folded by `fold`, is asked for."""
        return any(all((word in text) is wanted for word, wanted in terms) for terms in self.alternatives)


def parse(text: str) -> Query:
    """Return the query of a `searchWord`.

    Raises:
        RefusalError: STATUS 102 where an operator lacks a word.
    """
    alternatives: list[list[Term]] = [[]]
    before = "OR"
    for part in text.split():
        match part:
            case "OR" | "AND":
                _refuse(before in _OPERATORS)
                if part == "OR":
                    alternatives.append([])
            case "NOT":
                _refuse(before == "NOT")
            case _:
                alternatives[-1].append(Term(fold(part), wanted=before != "NOT"))
        before = part
    _refuse(before in _OPERATORS)
    return Query(tuple(map(tuple, alternatives)))


def fold(text: str) -> str:
    """Return the text without differences of width (ＧＤＰ, GDP) and case."""
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(maxsize=256)
def haystack(table: Table) -> str:
    """Return what the words are looked for in: title, names of statistics and survey, names of axes and their items."""
    title = table.facts["TITLE"]
    names = [title if isinstance(title, str) else title.get("$", ""), table.facts["STATISTICS_NAME"]]
    names.append(table.facts["STAT_NAME"].get("$", ""))
    for axis in table.axes:
        names += [axis.name, *(item.name for item in axis.items)]
    return fold("\n".join(names))


def _refuse(wrong: bool) -> None:
    if wrong:
        raise wrong_value("検索キーワード", "searchWord")
