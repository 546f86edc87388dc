"""Values for the `?` of a query as they are written on the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from estat_dagster.errors import ValidationError

_TRUTH = {"true": True, "false": False}


def parse_parameter(text: str) -> object:
    """Return the value of `number:2020`, `date:2020-04-01`, `timestamp:...`, `bool:true`, `null:`, or a text.

    Codes such as 13000 are texts in the lake: what has no kind before it stays a text.

    Raises:
        ValidationError: the value is not of its kind.
    """
    kind, colon, value = text.partition(":")
    if not colon or kind not in _READERS:
        return text
    try:
        return _READERS[kind](value)
    except (ValueError, KeyError, InvalidOperation) as error:
        raise ValidationError(
            f"--param {text} is no {kind}.", hint="Write number:2020, date:2020-04-01, bool:true, null: or text:..."
        ) from error


def _number(text: str) -> int | Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return int(text) if text.lstrip("+-").isdecimal() else number


def _null(text: str) -> None:
    if text:
        raise ValueError(text)


_READERS: dict[str, Callable[[str], object]] = {
    "text": str,
    "number": _number,
    "date": dt.date.fromisoformat,
    "timestamp": dt.datetime.fromisoformat,
    "bool": _TRUTH.__getitem__,
    "null": _null,
}
