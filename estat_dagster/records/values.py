"""What a cell's text is: a number, one of the table's symbols, or a text.

A number is known by its form alone; a symbol is explained only by the table's own NOTE. A text that is no number
gives no value, and never 0.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.records.texts import distinct, encode

PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]{1,20})?$"  # with more digits it may be too small for a double, which is not 0
_WIDE = str.maketrans("０１２３４５６７８９．，－＋−ｅＥ　\N{NO-BREAK SPACE}", "0123456789.,-+-eE  ")
_NUMBER = re.compile(
    r"(?P<sign>[+\-△▲]?)\s*"
    r"(?P<digits>[1-9]\d{0,2}(,\d{3})+(\.\d+)?|\d+(\.\d+)?|\.\d+)(?P<exponent>[eE][+-]?\d+)?",
    re.ASCII,
)
_MARKS = "xXｘＸχΧー"
"""Letters that stand for a number which is not told, or for a dash."""
_NOTHING = {"", "e", "na", "nan", "inf", "infinity", "none", "null"}
"""The letters of malformed numbers, and what programs write where they have none."""


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
    """Return whether a text says nothing by itself: a marker (`-`, `***`, `…`, `X`, `NaN`) or no number (`5.`)."""
    letters = "".join(char for char in words if char.isalpha() and char not in _MARKS)
    return words != "" and unicodedata.normalize("NFKC", letters).casefold() in _NOTHING


def find_note(words: str, notes: Mapping[str, str]) -> str | None:
    """Return what NOTE says of exactly that text, or of the text without the spaces around it."""
    return notes.get(words, notes.get(words.strip()))


def value_columns(words: pa.StringArray, notes: Mapping[str, str]) -> dict[str, pa.Array]:
    """Return `value`, `value_text` and `missing_reason` of the cells' texts.

    `missing_reason` is what NOTE says of the text, also for a number ("0" can mean less than the unit).
    """
    plain = _is_plain(words)
    others = pc.dictionary_encode(words.filter(pc.invert(plain)))
    parsed = pa.array([parse_number(text) for text in distinct(others)], pa.float64())
    value = pc.replace_with_mask(_numbers(words, plain), pc.invert(plain), parsed.take(others.indices))
    return {
        "value": value,
        "value_text": encode(pc.if_else(pc.is_valid(value), None, words)),
        "missing_reason": _reasons(words, plain, others, notes),
    }


def _is_plain(words: pa.StringArray) -> pa.BooleanArray:
    """Return which texts a double can be read from as they are; the pattern is tried on those with more than digits."""
    digits = pc.ascii_is_decimal(words).fill_null(False)
    others = pc.invert(digits)
    decimals = pc.match_substring_regex(words.filter(others), PLAIN_NUMBER).fill_null(False)
    return pc.replace_with_mask(digits, others, decimals)


def _numbers(words: pa.StringArray, plain: pa.BooleanArray) -> pa.DoubleArray:
    return pc.cast(words if pc.all(plain).as_py() else pc.if_else(plain, words, None), pa.float64())


def _reasons(
    words: pa.StringArray, plain: pa.BooleanArray, others: pa.DictionaryArray, notes: Mapping[str, str]
) -> pa.DictionaryArray:
    """Return what NOTE says of each text; a plain number must be written just so, others may have spaces around."""
    meanings = list(dict.fromkeys(notes.values()))
    places = pa.nulls(len(words), pa.int32())
    if any(parse_number(text) is not None for text in notes):
        exact = pc.index_in(words, pa.array(notes, pa.string()))
        places = pa.array([meanings.index(meaning) for meaning in notes.values()], pa.int32()).take(exact)
    found = [find_note(text, notes) for text in distinct(others)]
    spaced = pa.array([None if note is None else meanings.index(note) for note in found], pa.int32())
    places = pc.replace_with_mask(places, pc.invert(plain), spaced.take(others.indices))
    return pa.DictionaryArray.from_arrays(places, pa.array(meanings, pa.string()))
