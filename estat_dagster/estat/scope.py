"""The scope of a dataset: which part of a table is asked for, as e-Stat's narrowing parameters.

Source: API 3.0 specification, 3.4 統計データ取得 (cdTab ... cdCat15, cdXxxFrom, cdXxxTo).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from estat_dagster.errors import ValidationError
from estat_dagster.estat.models import Metadata

MOST_CODES = 100
AXIS = re.compile(r"tab|area|time|cat(0[1-9]|1[0-5])")

Scope = Mapping[str, str]
"""Axis id -> codes: `13000`, `13000,27000` or `13000..14000`. Empty: the whole table."""


def narrowing(scope: Scope) -> dict[str, str]:
    """Return the request parameters of a scope.

    Raises:
        ValidationError: an axis or its codes cannot be asked for.
    """
    parameters: dict[str, str] = {}
    for axis, codes in scope.items():
        parameters.update(_axis_parameters(axis, codes))
    return parameters


def parse_filters(filters: tuple[str, ...]) -> dict[str, str]:
    """Read `AXIS=CODES` texts, as a command line gives them.

    Raises:
        ValidationError: a text has another form, or its axis or codes cannot be asked for.
    """
    scope: dict[str, str] = {}
    for words in filters:
        axis, equals, codes = words.partition("=")
        if not equals:
            raise ValidationError(f"The filter {words!r} is not AXIS=CODES.", hint="Write --filter area=13000,27000.")
        if axis in scope:
            raise ValidationError(f"The axis {axis!r} is filtered twice.", hint=f"Write --filter {axis}=A,B.")
        scope[axis] = codes
    narrowing(scope)
    return scope


def check_scope(scope: Scope, metadata: Metadata) -> None:
    """Compare a scope with the axes and codes of the table that it narrows.

    Raises:
        ValidationError: the table has no such axis, or the axis no such code.
    """
    for axis_id, codes in scope.items():
        axis = metadata.axis(axis_id)
        if axis is None:
            names = ", ".join(axis.id for axis in metadata.axes)
            raise ValidationError(f"{metadata.table.id} has no axis {axis_id!r}.", hint=f"Its axes are {names}.")
        known = {item.code for item in axis.classes}
        unknown = [code for code in re.split(r",|\.\.", codes) if code and code not in known]
        if unknown:
            raise ValidationError(
                f"{metadata.table.id} has no code {', '.join(unknown)} on the axis {axis_id} {axis.name}.",
                hint=f"`estat describe {metadata.table.id} --axis {axis_id}` shows the codes.",
            )


def describe_scope(scope: Scope) -> str:
    """Return a scope in one line, "" for the whole table."""
    return " ".join(f"{axis}={codes}" for axis, codes in scope.items())


def _axis_parameters(axis: str, codes: str) -> dict[str, str]:
    if not AXIS.fullmatch(axis):
        raise ValidationError(f"There is no axis {axis!r}.", hint="The axes are tab, area, time and cat01 to cat15.")
    name = axis[0].upper() + axis[1:]
    first, dots, last = codes.partition("..")
    if dots:
        bounds = {f"cd{name}From": first, f"cd{name}To": last}
        return {key: code for key, code in bounds.items() if _is_code(axis, code, empty=bool(first or last))}
    listed = codes.split(",")
    if len(listed) > MOST_CODES:
        raise ValidationError(
            f"{len(listed)} codes of the axis {axis!r}: e-Stat takes {MOST_CODES} at most.",
            hint=f"Give a range instead, as in {axis}={listed[0]}..{listed[-1]}.",
        )
    for code in listed:
        _is_code(axis, code)
    return {f"cd{name}": codes}


def _is_code(axis: str, code: str, *, empty: bool = False) -> bool:
    if code == "" and empty:
        return False
    if not re.fullmatch(r"[0-9A-Za-z_-]+", code):
        raise ValidationError(
            f"{code!r} is not a code of the axis {axis!r}.", hint="`estat describe ID` shows the codes of each axis."
        )
    return True
