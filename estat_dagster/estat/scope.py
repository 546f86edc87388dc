"""The scope of a dataset: which part of a table is asked for, as e-Stat's narrowing parameters.

One text an axis: `13000`; `13000,27000`; `13000..14000`, open on either side; `min` or `max`; `level:2`, `level:2-3`,
`level:2-`; a level and codes of it, `level:3:13000..13999`. Names become codes in `resolve`.
Source: API 3.0 specification, 3.4 統計データ取得 (lvTab ... lvCat15, cdTab ... cdCat15, cdXxxFrom, cdXxxTo).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from estat_dagster.errors import ValidationError

MOST_CODES = 100
LONG = 8
AXIS = re.compile(r"tab|area|time|cat(0[1-9]|1[0-5])")
KEYWORDS = ("min", "max")

Scope = Mapping[str, str]
"""Axis id -> what of it, in the notation above. Empty: the whole table."""


@dataclass(frozen=True)
class Choice:
    """What is wanted of one axis: all conditions together. `bounds` are the first and the last code, "" where open."""

    codes: tuple[str, ...] = ()
    bounds: tuple[str, str] | None = None
    level: str = ""

    def __str__(self) -> str:
        codes = "..".join(self.bounds) if self.bounds else ",".join(self.codes)
        return ":".join(filter(None, ("level:" + self.level if self.level else "", codes)))


Filters = Mapping[str, str | Sequence[str]]
"""A scope as callers give it: several codes may be a list."""


def parse_choice(axis: str, words: str) -> Choice:
    """Read the text of one axis.

    Raises:
        ValidationError: there is no such axis, or the text has another form.
    """
    if not AXIS.fullmatch(axis):
        raise ValidationError(f"There is no axis {axis!r}.", hint="The axes are tab, area, time and cat01 to cat15.")
    level = ""
    if words.startswith("level:"):
        level, _, words = words.removeprefix("level:").partition(":")
        if not re.fullmatch("[1-9]-?|[1-9]?-[1-9]", level, re.ASCII):
            raise ValidationError(f"{level!r} is not a level.", hint=f"Write {axis}=level:2, level:1-2 or level:2-.")
        if not words:
            return Choice(level=level)
    first, dots, last = words.partition("..")
    if dots and (first or last):
        return Choice(bounds=(first, last), level=level)
    codes = tuple(words.split(","))
    if dots or not all(codes):
        raise _no_code(axis, words)
    if len(codes) > 1 and set(codes) & set(KEYWORDS):
        raise ValidationError("min and max cannot stand among other codes.", hint=f"Write {axis}=max alone.")
    return Choice(codes=tuple(dict.fromkeys(codes)), level=level)


def normal_scope(filters: Filters) -> dict[str, str]:
    """Return filters by axis, in which codes may be lists, as a scope.

    Raises:
        ValidationError: an axis or a text has another form.
    """
    scope = {axis: codes if isinstance(codes, str) else ",".join(codes) for axis, codes in filters.items()}
    return {axis: str(parse_choice(axis, words)) for axis, words in scope.items()}


def parse_filters(filters: Sequence[str]) -> dict[str, str]:
    """Read `AXIS=CODES` texts, as a command line gives them.

    Raises:
        ValidationError: a text has another form.
    """
    scope: dict[str, str] = {}
    for words in filters:
        axis, equals, codes = words.partition("=")
        if not equals:
            raise ValidationError(f"The filter {words!r} is not AXIS=CODES.", hint="Write --filter area=13000,27000.")
        if axis in scope:
            raise ValidationError(f"The axis {axis!r} is filtered twice.", hint=f"Write --filter {axis}=A,B.")
        scope[axis] = codes
    return normal_scope(scope)


def narrowing(scope: Scope) -> dict[str, str]:
    """Return the request parameters of a scope that one request can ask for.

    Raises:
        ValidationError: an axis or its codes cannot be asked for, or needs several requests (`split_scope`).
    """
    parameters: dict[str, str] = {}
    for axis, words in scope.items():
        parameters.update(_axis_parameters(axis, parse_choice(axis, words)))
    return parameters


def split_scope(scope: Scope) -> list[dict[str, str]]:
    """Return scopes of at most 100 codes an axis, as e-Stat takes them, that make up the scope together, in its order.

    Raises:
        ValidationError: an axis or a text has another form.
    """
    pieces = [[(axis, str(piece)) for piece in _pieces(parse_choice(axis, words))] for axis, words in scope.items()]
    return [dict(together) for together in itertools.product(*pieces)]


def describe_scope(scope: Scope) -> str:
    """Return a scope in one line, "" for the whole table."""
    return " ".join(f"{axis}={_shortened(words)}" for axis, words in scope.items())


def _pieces(choice: Choice) -> list[Choice]:
    codes = choice.codes
    if len(codes) <= MOST_CODES:
        return [choice]
    return [replace(choice, codes=codes[at : at + MOST_CODES]) for at in range(0, len(codes), MOST_CODES)]


def _shortened(words: str) -> str:
    codes = words.split(",")
    return words if len(codes) <= LONG else f"{','.join(codes[:3])},... ({len(codes)} codes)"


def _axis_parameters(axis: str, choice: Choice) -> dict[str, str]:
    name = axis[0].upper() + axis[1:]
    parameters = {f"lv{name}": choice.level} if choice.level else {}
    if choice.bounds:
        first, last = choice.bounds
        ends = {f"cd{name}From": first, f"cd{name}To": last}
        return parameters | {key: _code(axis, code) for key, code in ends.items() if code}
    if len(choice.codes) > MOST_CODES:
        raise ValidationError(
            f"{len(choice.codes)} codes of the axis {axis!r}: e-Stat takes {MOST_CODES} at most in one request.",
            hint=f"Give a range instead, as in {axis}={choice.codes[0]}..{choice.codes[-1]}.",
        )
    codes = ",".join(_code(axis, code) for code in choice.codes)
    return parameters | ({f"cd{name}": codes} if codes else {})


def _code(axis: str, code: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z_-]+", code):
        raise _no_code(axis, code)
    return code


def _no_code(axis: str, words: str) -> ValidationError:
    return ValidationError(
        f"{words!r} is not a code of the axis {axis!r}.", hint="`estat describe ID` shows the codes of each axis."
    )
