"""How e-Stat writes JSON: compact, every special character escaped, a list of one as an object, numbers by their looks.

Seen in real answers; the specification says none of it. What an answer holds belongs to the functions of the API.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SPECIAL = re.compile("[^ -~]|[\"\\\\<>&=']")
_NUMBER = re.compile(r"0|-?[1-9][0-9]*")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Fragment:
    """JSON that is written already, for the records: a hundred thousand of them are made once and kept."""

    text: str


def encode(value: Any) -> str:
    """Return the JSON of dicts, lists, strings, integers and fragments, all of it ASCII.

    Raises:
        TypeError: the value holds anything else.
    """
    match value:
        case Fragment():
            return value.text
        case str():
            return quote(value)
        case int():
            return str(value)
        case dict():
            return "{" + ",".join(f"{quote(key)}:{encode(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(encode, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def quote(text: str) -> str:
    r"""Return a JSON string in which only plain ASCII is itself: `\u6771`, `\u003C` for the rest, in capital hex."""
    return f'"{_SPECIAL.sub(_escape, text)}"'


def text(value: str) -> str | int:
    """Return what becomes of an element's text: a number where it looks like one, as `2015` does and `00200521` not."""
    return int(value) if _NUMBER.fullmatch(value) else value


def one_or_many(parts: Sequence[Any]) -> Any:
    """Return the only part itself, several as a list."""
    return parts[0] if len(parts) == 1 else list(parts)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    utf16 = char.encode("utf-16-be").hex().upper()
    return _SHORT.get(char) or "".join(f"\\u{utf16[at : at + 4]}" for at in range(0, len(utf16), 4))
