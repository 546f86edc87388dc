"""Words as people write them, made comparable: width, case, kana, and the query that e-Stat's searchWord takes.

Which words mean the same statistics is `suggest`'s matter.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from estat_dagster.errors import ValidationError

OPERATORS = frozenset({"AND", "OR", "NOT"})
_KATAKANA_TO_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}


def fold(text: str) -> str:
    """Return the text without differences of width, case, spacing and accents: `Ｔｏｋｙｏ` and `Tōkyō` are `tokyo`."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(char for char in parts if not "\u0300" <= char <= "\u036f")
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def fold_kana(text: str) -> str:
    """Return the folded text with katakana as hiragana: `トウキョウ` and `とうきょう` are one."""
    return fold(text).translate(_KATAKANA_TO_HIRAGANA)


@dataclass(frozen=True)
class Query:
    """A searchWord in parts: words and e-Stat's operators, in their order."""

    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The searchWord as it is sent."""
        return " ".join(self.parts)

    @property
    def alternatives(self) -> tuple[tuple[str, ...], ...]:
        """The words that a table shall hold: groups, of which one (OR) shall be there whole (AND); no negated ones."""
        groups: list[list[str]] = [[]]
        before = ""
        for part in self.parts:
            if part == "OR":
                groups.append([])
            elif part not in OPERATORS and before != "NOT":
                groups[-1].append(part)
            before = part
        return tuple(tuple(group) for group in groups)


def parse_query(text: str) -> Query:
    """Read search words: NFKC, and AND between words that stand side by side; AND, OR and NOT in capitals are e-Stat's.

    Raises:
        ValidationError: an operator has no word.
    """
    parts: list[str] = []
    for part in unicodedata.normalize("NFKC", text).split():
        before = parts[-1] if parts else "OR"
        if (part in ("AND", "OR") and before in OPERATORS) or part == before == "NOT":
            _refuse(text, part)
        if part not in OPERATORS and before not in OPERATORS:
            parts.append("AND")
        parts.append(part)
    if parts and parts[-1] in OPERATORS:
        _refuse(text, parts[-1])
    return Query(tuple(parts))


def _refuse(text: str, operator: str) -> None:
    raise ValidationError(
        f"In the search words {text!r} the {operator} has no word of its own.",
        hint="Write 人口 AND 世帯, 東京 OR 大阪, 就業 NOT 失業; small letters are words.",
    )
