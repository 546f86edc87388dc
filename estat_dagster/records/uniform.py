"""Records that are all written alike, cut into columns by the places of their quotation marks.

e-Stat writes the records of a page with the same attributes in the same order, each value a quoted text, and the same
characters between them. Where that is proven, byte for byte, a column is what stands between two of the quotation marks
of each record; what cannot be proven is left to the JSON readers of `decode`.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
QUOTE, ESCAPE = ord('"'), ord("\\")
MARKS = 4  # quotation marks of one attribute: two around its name, two around its value
WORD = 8
FIRST_PRINTABLE, LAST_ASCII = 0x20, 0x7F


def read_uniform(array: bytes) -> dict[str, pa.StringArray] | None:
    """Return attribute -> texts of the records of a JSON array, or None where they are not proven to be written alike.

    An escaped quotation mark, an unquoted value, a missing attribute, other spacing: each of them gives None.
    """
    names = _names(array)
    if not names:
        return None
    data = np.frombuffer(array, np.uint8)
    marks = np.flatnonzero(data == QUOTE)
    if len(marks) % (MARKS * len(names)) or np.any(data[np.flatnonzero(data == ESCAPE) + 1] == QUOTE):
        return None
    places = list(marks.reshape(-1, MARKS * len(names)).T.copy())
    if not _are_alike(data, places):
        return None
    try:
        columns = [
            _unescape(_texts(data, opening + 1, closing))
            for opening, closing in zip(places[2::MARKS], places[3::MARKS], strict=True)
        ]
    except (pa.ArrowInvalid, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return dict(zip(names, columns, strict=True))


def _names(array: bytes) -> list[str]:
    """Return the attributes of the first record, none where it is not an object of different names and texts alone."""
    first = array[: array.find(b"}") + 1].partition(b"{")
    try:
        [record] = msgspec.json.decode(b"".join(first) + b"]", type=list[dict[str, str]])
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return []
    return list(record) if first[2].count(b'"') == MARKS * len(record) else []


def _are_alike(data: Bytes, marks: list[Places]) -> bool:
    """Whether the same bytes stand between the values of every record, between the records, and nothing around."""
    opening, closing = marks[2::MARKS], marks[3::MARKS]
    inside = all(_is_constant(data, closing[n], opening[n + 1]) for n in range(len(opening) - 1))
    last, first = closing[-1], marks[0]
    between = bytes(data[last[0] + 1 : first[1]]) if len(first) > 1 else b"},{"
    return (
        inside
        and _is_constant(data, first, opening[0])
        and _is_constant(data, last[:-1], first[1:])
        and bytes(data[: first[0]]).split() in ([b"[{"], [b"[", b"{"])
        and b"".join(between.split()) == b"},{"
        and b"".join(bytes(data[last[-1] + 1 :]).split()) == b"}]"
    )


def _is_constant(data: Bytes, start: Places, end: Places) -> bool:
    """Whether the bytes from start to end, both included, are the same everywhere."""
    if not len(start):
        return True
    length = int(end[0] - start[0]) + 1
    if np.any(end - start != length - 1):
        return False
    if length < WORD:
        return all(np.all(data[start + n] == data[start[0] + n]) for n in range(length))
    words: Any = np.ndarray(len(data) - WORD + 1, "<u8", data, strides=(1,))
    steps = {*range(0, length - WORD, WORD), length - WORD}
    return all(np.all(words[start + n] == words[start[0] + n]) for n in steps)


def _texts(data: Bytes, start: Places, end: Places) -> pa.StringArray:
    """Return the texts that stand from start up to end."""
    offsets = np.zeros(len(start) + 1, np.int32)
    np.cumsum(end - start, out=offsets[1:])
    shift = np.repeat((start - offsets[:-1]).astype(np.int32), end - start)
    body = data[np.arange(offsets[-1], dtype=np.int32) + shift]
    return pa.StringArray.from_buffers(len(start), pa.py_buffer(offsets), pa.py_buffer(body))


def _unescape(texts: pa.StringArray) -> pa.StringArray:
    """Return what the texts mean as JSON.

    Raises:
        ArrowInvalid: a text is not UTF-8.
        DecodeError: a text is no JSON string.
    """
    letters = np.frombuffer(texts.buffers()[2], np.uint8)
    if letters.size and letters.max() > LAST_ASCII:
        texts.validate(full=True)
    if not np.any((letters == ESCAPE) | (letters < FIRST_PRINTABLE)):
        return texts
    written = pc.match_substring_regex(texts, r"[\\\x00-\x1f]")
    escaped = pc.dictionary_encode(texts.filter(written))
    meant = msgspec.json.decode('["' + '","'.join(escaped.dictionary.to_pylist()) + '"]', type=list[str])
    return pc.replace_with_mask(texts, written, pa.array(meant, pa.string()).take(escaped.indices))
