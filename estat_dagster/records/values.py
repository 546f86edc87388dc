"""What a cell's text is: a number, one of the table's symbols, or a text.

A number is known by its form alone; a symbol is explained only by the table's own NOTE. A text that is no number
gives no value, and never 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
_WIDE = str.maketrans("０１２３４５６７８９．，－＋−", "0123456789.,-+-")
_NUMBER = re.compile(
    r"(?P<sign>[+\-△▲]?)\s*"
    r"(?P<digits>[1-9]\d{0,2}(,\d{3})+(\.\d+)?|\d+(\.\d+)?|\.\d+)(?P<exponent>[eE][+-]?\d+)?",
    re.ASCII,
)
_SYMBOL = re.compile(r"[\W_xXｘＸχΧ]+")


def parse_number(words: str) -> float | None:
    """Return the number that a text writes, or None.

    Full-width digits, thousands separators, signs (△ and ▲ are minus) and exponents are read. A number too large for a
    double is returned as infinite; one too small for a double is none, for it is not 0.
    """
    match = _NUMBER.fullmatch(words.strip().translate(_WIDE))
    if not match:
        return None
    number = float(match["digits"].replace(",", "") + (match["exponent"] or ""))
    if number == 0 and re.search("[1-9]", match["digits"]):
        return None
    return -number if match["sign"] in ("-", "△", "▲") else number


def is_symbol(words: str) -> bool:
    """Return whether a text looks like a marker (`-`, `***`, `…`, `X`) and not like words."""
    return _SYMBOL.fullmatch(words) is not None


def value_columns(cells: pa.ChunkedArray, notes: Mapping[str, str]) -> dict[str, pa.ChunkedArray]:
    """Return `value`, `value_text` and `missing_reason` of the cells' texts.

    `missing_reason` is what NOTE says of exactly that text, also for a number ("0" can mean less than the unit).
    """
    plain = pc.fill_null(pc.match_substring_regex(cells, PLAIN_NUMBER), False)
    numbers = pc.cast(pc.if_else(plain, cells, None), pa.float64())
    others = pc.if_else(plain, None, cells)
    parsed = _by_distinct(others, {words: parse_number(words) for words in _distinct(others)}, pa.float64())
    value = pc.coalesce(numbers, parsed)
    return {
        "value": value,
        "value_text": pc.if_else(pc.is_valid(value), None, cells),
        "missing_reason": _by_distinct(cells, notes, pa.string()),
    }


def _by_distinct(cells: pa.ChunkedArray, table: Mapping[str, object], type_: pa.DataType) -> pa.ChunkedArray:
    """Return for each cell what the table holds for its text, or null."""
    keys = pa.array(list(table), pa.string())
    return pa.array(list(table.values()), type_).take(pc.index_in(cells, keys))


def _distinct(cells: pa.ChunkedArray) -> list[str]:
    return [words for words in pc.unique(cells).to_pylist() if words is not None]
