"""A scope in a person's words to e-Stat's codes: names and years are looked up in the table's own metadata.

Nothing is guessed: a name that no class has, or several, is refused with those that may be meant.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from estat_dagster.errors import ValidationError
from estat_dagster.estat.models import Axis, ClassItem, Metadata
from estat_dagster.estat.scope import KEYWORDS, Choice, Scope, narrowing, parse_choice, split_scope
from estat_dagster.estat.timecodes import parse_period

MOST_CANDIDATES = 6


def resolve_scope(scope: Scope, metadata: Metadata) -> dict[str, str]:
    """Return the scope in codes, axes and codes in the table's order, so that the same part is always the same text.

    On the time axis a year of four digits means all its periods.

    Raises:
        ValidationError: the table has no such axis, or the axis no such code, name, year or level, or several.
    """
    for axis_id in scope:
        if metadata.axis(axis_id) is None:
            names = ", ".join(axis.id for axis in metadata.axes)
            raise ValidationError(f"{metadata.table.id} has no axis {axis_id!r}.", hint=f"Its axes are {names}.")
    resolved = {
        axis.id: str(_Axis(axis, metadata.table.id).resolve(parse_choice(axis.id, scope[axis.id])))
        for axis in metadata.axes
        if axis.id in scope
    }
    for piece in split_scope(resolved):
        narrowing(piece)
    return resolved


class _Axis:
    def __init__(self, axis: Axis, table_id: str) -> None:
        self._axis, self._table_id = axis, table_id
        self._places = {item.code: place for place, item in enumerate(axis.classes)}

    def resolve(self, choice: Choice) -> Choice:
        self._check_level(choice.level)
        if choice.bounds:
            first, last = choice.bounds
            return replace(choice, bounds=(self._end(first, min), self._end(last, max)))
        if choice.codes[:1] and choice.codes[0] in KEYWORDS and choice.codes[0] not in self._places:
            return choice
        codes = {code for word in choice.codes for code in self._codes(word)}
        return replace(choice, codes=tuple(sorted(codes, key=self._places.__getitem__)))

    def _end(self, word: str, which: object) -> str:
        """Return the code at an end of a range: of a year with several periods, the first or the last."""
        if not word or word in KEYWORDS:
            return word
        codes = self._codes(word)
        return min(codes) if which is min else max(codes)

    def _codes(self, word: str) -> Sequence[str]:
        if word in self._places:
            return [word]
        wanted = _plain(word)
        found = [item for item in self._axis.classes if _plain(item.name) == wanted]
        if len(found) > 1:
            raise ValidationError(
                f"{word!r} is the name of {len(found)} classes on the axis {self._named} of {self._table_id}.",
                hint=f"Give the code of one: {_listed(found)}.",
            )
        if found:
            return [found[0].code]
        if self._axis.id == "time" and (codes := self._of_year(wanted)):
            return codes
        raise ValidationError(
            f"{self._table_id} has no code {word} on the axis {self._named}, and no class of that name.",
            hint=self._advice(wanted),
        )

    def _of_year(self, word: str) -> list[str]:
        if not (len(word) == 4 and word.isdecimal()):
            return []
        return [item.code for item in self._axis.classes if parse_period(item.code, item.name).year == int(word)]

    def _advice(self, wanted: str) -> str:
        names = {_plain(item.name): item for item in reversed(self._axis.classes)}
        parts = [item for item in self._axis.classes if wanted in _plain(item.name) or _plain(item.name) in wanted]
        alike = [names[name] for name in difflib.get_close_matches(wanted, names, MOST_CANDIDATES, 0.5)]
        if candidates := list(dict.fromkeys([*parts, *alike])):
            return f"Did you mean {_listed(candidates)}?"
        return f"`estat describe {self._table_id} --axis {self._axis.id}` shows the codes."

    def _check_level(self, level: str) -> None:
        if not level:
            return
        low, dash, high = level.partition("-")
        low, high = (low or "1", high or "9") if dash else (low, low)
        levels = sorted({item.level for item in self._axis.classes})
        if not any(low <= each <= high for each in levels):
            raise ValidationError(
                f"The axis {self._named} of {self._table_id} has no level {level}.",
                hint=f"Its levels are {', '.join(filter(None, levels)) or 'not given'}.",
            )

    @property
    def _named(self) -> str:
        return f"{self._axis.id} {self._axis.name}"


def _plain(name: str) -> str:
    """Return a name without spaces and differences of width."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def _listed(items: Iterable[ClassItem]) -> str:
    shown = [f"{item.code} {item.name}" for item in items]
    more = f" and {len(shown) - MOST_CANDIDATES} more" if len(shown) > MOST_CANDIDATES else ""
    return ", ".join(shown[:MOST_CANDIDATES]) + more
