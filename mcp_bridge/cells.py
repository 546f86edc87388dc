"""Values of a query's rows as JSON can hold them: nothing rounded or invented, and no row too long for an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_bridge.plain import cut

Json = str | int | float | bool | None | list[Any] | dict[str, Any]

MOST_ROW = 4_000
"""The most bytes of a row's texts: an answer says each twice, and must hold one row at least."""
_SAFE = 2**53  # beyond it JavaScript rounds a number


def to_json(value: object) -> Json:
    """Return a value as JSON: NULL as null, whole numbers beyond 2^53, decimals, NaN and infinities as texts."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -_SAFE <= value <= _SAFE else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): to_json(each) for key, each in value.items()}
        case list() | tuple():
            return [to_json(each) for each in value]
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)


def fit_row(row: Sequence[object]) -> tuple[list[Json], int]:
    """Return a row as JSON, and how many of its cells were cut because the row was too long."""
    cells = [to_json(value) for value in row]
    sizes = [_size(cell) for cell in cells]
    if sum(sizes) <= MOST_ROW:
        return cells, 0
    room = max(MOST_ROW // len(cells) // 4, 8)  # a character has at most four bytes
    shortened = [cut(_text(cell), room) if size > 4 * room else cell for cell, size in zip(cells, sizes, strict=True)]
    return shortened, sum(before is not after for before, after in zip(cells, shortened, strict=True))


def _size(cell: Json) -> int:
    return len(_text(cell).encode("utf-8", "surrogatepass"))


def _text(cell: Json) -> str:
    return cell if isinstance(cell, str) else str(cell)
