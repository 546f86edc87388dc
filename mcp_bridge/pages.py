"""Pages of an answer: a cursor that says where to go on, and as many items as fit into the bytes that clients take."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from estat_dagster.errors import ValidationError

MOST_BYTES = 29_000
"""The most bytes of an answer, its text and its structured content together, without pictures."""

T = TypeVar("T")
A = TypeVar("A")


def cursor_for(offset: int, **arguments: Any) -> str:
    """Return the cursor that goes on at an offset of the answer to these arguments."""
    body = json.dumps([offset, _fingerprint(arguments)]).encode()
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def offset_of(cursor: str, **arguments: Any) -> int:
    """Return the offset where a cursor goes on, 0 where there is none.

    Raises:
        ValidationError: it is no cursor of these arguments.
    """
    if cursor and _decode(cursor)[1] != _fingerprint(arguments):
        raise _foreign()
    return offset_in(cursor)


def offset_in(cursor: str) -> int:
    """Return the offset in a cursor, of whatever arguments; see `offset_of`."""
    return _decode(cursor)[0] if cursor else 0


def _decode(cursor: str) -> tuple[int, str]:
    try:
        body = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        offset, fingerprint = json.loads(body)
    except (binascii.Error, ValueError, TypeError) as error:
        raise _foreign() from error
    if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
        raise _foreign()
    return offset, fingerprint


def _foreign() -> ValidationError:
    return ValidationError(
        "The cursor does not belong to these arguments.",
        hint="Pass the cursor of the last answer with the same arguments, or leave it out to begin again.",
    )


def as_many_as_fit(items: Sequence[T], compose: Callable[[Sequence[T]], A], size: Callable[[A], int]) -> A:
    """Return the answer made of about the most leading items that stays within the limit; it has at least one item.

    Args:
        items: what there is to show.
        compose: makes the answer of the items that fit; more items never make it smaller.
        size: the bytes of an answer.

    Raises:
        ValidationError: not even one item fits.
    """
    answer = compose(items)
    whole = size(answer)
    count = len(items)
    while whole > MOST_BYTES and count:
        count = min(int(count * MOST_BYTES / whole * _CAUTION), count - 1)
        answer = compose(items[:count])
        whole = size(answer)
    if whole > MOST_BYTES or (items and not count):
        raise ValidationError("One item alone is larger than an answer may be.", hint="Ask for fewer columns.")
    return answer


_CAUTION = 0.97
"""Items differ in size: a guess that is a little low fits at the first try in most cases."""


def _fingerprint(arguments: dict[str, Any]) -> str:
    body = json.dumps(arguments, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:12]
