"""What a cell's text is: a number, one of the table's symbols, or a text.

A number is known by its form alone; a symbol is explained only by the table's own NOTE. A text that is no number
gives no value, and never 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.records.texts import spread

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


def value_columns(cells: pa.DictionaryArray, notes: Mapping[str, str]) -> dict[str, pa.Array]:
    """Return `value`, `value_text` and `missing_reason` of the cells' texts, each different text read once.

    `missing_reason` is what NOTE says of exactly that text, also for a number ("0" can mean less than the unit).
    """
    words = cells.dictionary
    plain = pc.match_substring_regex(words, PLAIN_NUMBER)
    others = words.filter(pc.invert(plain)).to_pylist()
    parsed = pa.array([parse_number(text) for text in others], pa.float64())
    numbers = pc.cast(pc.if_else(plain, words, None), pa.float64())
    value = pc.replace_with_mask(numbers, pc.invert(plain), parsed)
    reasons = pa.array(notes.values(), pa.string()).take(pc.index_in(words, pa.array(notes, pa.string())))
    return {
        "value": value.take(cells.indices),
        "value_text": spread(cells, pc.if_else(pc.is_valid(value), None, words)),
        "missing_reason": spread(cells, reasons),
    }
