"""Records that are all written alike, cut into columns by the places of their quotation marks.

e-Stat writes the records of a page with the same attributes in the same order, each value a quoted text, and the same
characters between them. Where that is proven, byte for byte, a column is what stands between two of the quotation marks
of each record; what cannot be proven is left to the JSON readers of `decode`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
BETWEEN, WHITE, VALUE = b"},{", b" \t\n\r", "$"
MASKS = np.array([2 ** (8 * size) - 1 for size in range(WORD + 1)], np.uint64)
BLOCK = 2 * 1024 * 1024
FIRST_PRINTABLE, LAST_ASCII = 0x20, 0x7F


def read_uniform(array: bytes) -> dict[str, pa.Array] | None:
    """Return attribute -> texts of the records of a JSON array, or None where they are not proven to be written alike.

    An escaped quotation mark, an unquoted value, a missing attribute, other spacing: each of them gives None.
    """
    start, end = array.find(b"{"), array.rfind(b"}") + 1
    if array[:start].strip(WHITE) != b"[" or array[end:].strip(WHITE) != b"]":
        return None
    names = _names(array[start:end])
    blocks = []
    for first, last in _blocks(array, start, end):
        columns = _read_block(array[first:last], names) if names else None
        if columns is None:
            return None
        blocks.append(columns)
    return {name: _joined(parts) for name, parts in zip(names, zip(*blocks, strict=True), strict=True)}


def _joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Return the parts of a column as one."""
    return pa.chunked_array(parts).unify_dictionaries().combine_chunks()


def _blocks(array: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Return where to cut records into blocks, small enough that what is made of one stays in the processor's cache.

    A cut inside of a text leaves two blocks that prove nothing.
    """
    while start < end:
        cut = array.find(BETWEEN, start + BLOCK, end)
        last = cut + 1 if cut >= 0 else end
        yield start, last
        start = last + 1


def _names(records: bytes) -> list[str]:
    """Return the attributes of the first record, none where it is not an object of different names and texts alone."""
    first = records[: records.find(b"}") + 1]
    try:
        record = msgspec.json.decode(first, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return list(record) if first.count(b'"') == MARKS * len(record) else []


def _read_block(records: bytes, names: list[str]) -> list[pa.Array] | None:
    """Return the texts of each attribute of `{...},{...}`, or None where nothing is proven."""
    data = np.frombuffer(records, np.uint8)
    marks = np.flatnonzero(data == QUOTE)
    escapes = np.flatnonzero(data == ESCAPE)
    if len(marks) % (MARKS * len(names)) or np.any(data[escapes + 1] == QUOTE) or _names(records) != names:
        return None
    grid = marks.reshape(-1, MARKS * len(names))
    first, opening, closing = grid[:, 0], list(grid.T[2::MARKS].copy()), list(grid.T[3::MARKS].copy())
    if not _are_alike(data, first, opening, closing):
        return None
    try:
        return [
            _unescape(_texts(data, start + 1, end)) if name == VALUE else _codes(data, start + 1, end)
            for name, start, end in zip(names, opening, closing, strict=True)
        ]
    except (pa.ArrowInvalid, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _are_alike(data: Bytes, first: Places, opening: list[Places], closing: list[Places]) -> bool:
    """Whether the same bytes stand between the values of every record, between the records, and nothing around.

    Args:
        first: the first quotation mark of each record.
        opening: those before each of its values; `closing` those behind.
    """
    inside = all(_is_constant(data, closing[n], opening[n + 1]) for n in range(len(opening) - 1))
    last = closing[-1]
    between = bytes(data[last[0] + 1 : first[1]]) if len(first) > 1 else BETWEEN
    return (
        inside
        and _is_constant(data, first, opening[0])
        and _is_constant(data, last[:-1], first[1:])
        and bytes(data[: first[0]]).strip(WHITE) == b"{"
        and between.translate(None, WHITE) == BETWEEN
        and bytes(data[last[-1] + 1 :]).strip(WHITE) == b"}"
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


def _codes(data: Bytes, start: Places, end: Places) -> pa.DictionaryArray:
    """Return the texts from start up to end, which are few different ones; short ones are compared as numbers."""
    lengths = end - start
    if lengths.max() > 2 * WORD or start[-1] + 2 * WORD > len(data):
        texts = pc.dictionary_encode(_texts(data, start, end))
    else:
        texts = _encode_short(data, start, lengths)
    meant = pc.dictionary_encode(_unescape(texts.dictionary))  # 人 may be written in two ways
    return pa.DictionaryArray.from_arrays(meant.indices.take(texts.indices), meant.dictionary)


def _encode_short(data: Bytes, start: Places, lengths: Places) -> pa.DictionaryArray:
    """Return texts of up to 16 bytes, found equal by their length and by their bytes as one or two numbers."""
    words: Any = np.ndarray(len(data) - WORD + 1, "<u8", data, strides=(1,))
    places = lengths
    for n in range(0, int(lengths.max()), WORD):
        part = pc.dictionary_encode(pa.array(words[start + n] & MASKS[np.clip(lengths - n, 0, WORD)]))
        both = places.astype(np.int64) * len(part.dictionary) + part.indices.to_numpy()
        places = pc.dictionary_encode(pa.array(both)).indices.to_numpy()
    one = np.empty(int(places.max()) + 1, np.int64)
    one[places] = np.arange(len(places))  # any row that holds the text
    return pa.DictionaryArray.from_arrays(pa.array(places), _texts(data, start[one], (start + lengths)[one]))


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
