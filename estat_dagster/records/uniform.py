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
Words = npt.NDArray[np.uint64]
QUOTE, ESCAPE = ord('"'), ord("\\")
MARKS = 4  # quotation marks of one attribute: two around its name, two around its value
WORD = 8
BETWEEN, WHITE, VALUE = b"},{", b" \t\n\r", "$"
MASKS = np.array([2 ** (8 * size) - 1 for size in range(WORD + 1)], np.uint64)
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, with bits well spread
BLOCK = 2 * 1024 * 1024
FIRST_PRINTABLE, LAST_ASCII = 0x20, 0x7F


def read_uniform(array: bytes) -> dict[str, pa.Array] | None:
    """Return attribute -> texts of the records of a JSON array, or None where they are not proven to be written alike.

    An escaped quotation mark, an unquoted value, a missing attribute, other spacing: each of them gives None.
    """
    start, end = array.find(b"{"), array.rfind(b"}") + 1
    if array[:start].strip(WHITE) != b"[" or array[end:].strip(WHITE) != b"]":
        return None
    names = _names(array, start)
    blocks = []
    for first, last in _blocks(array, start, end):
        columns = _read_block(array, first, last, names) if names else None
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


def _names(array: bytes, start: int) -> list[str]:
    """Return the attributes of the record at a place, none where it is not an object of different names and texts."""
    record = array[start : array.find(b"}", start) + 1]
    try:
        found = msgspec.json.decode(record, type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return list(found) if record.count(b'"') == MARKS * len(found) else []


def _read_block(array: bytes, first: int, last: int, names: list[str]) -> list[pa.Array] | None:
    """Return the texts of each attribute of the `{...},{...}` between two places, or None where nothing is proven."""
    data = _with_words(array, first, last)
    records = data[: last - first]
    marks = np.flatnonzero(records == QUOTE)
    escapes = np.flatnonzero(records == ESCAPE)
    if len(marks) % (MARKS * len(names)) or np.any(data[escapes + 1] == QUOTE) or _names(array, first) != names:
        return None
    grid = marks.reshape(-1, MARKS * len(names))
    heads, opening, closing = grid[:, 0], list(grid.T[2::MARKS].copy()), list(grid.T[3::MARKS].copy())
    if not _are_alike(data, last - first, heads, opening, closing):
        return None
    try:
        return [
            _unescape(_texts(data, start + 1, end)) if name == VALUE else _codes(data, start + 1, end)
            for name, start, end in zip(names, opening, closing, strict=True)
        ]
    except (pa.ArrowInvalid, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _with_words(array: bytes, first: int, last: int) -> Bytes:
    """Return the bytes from first up to last, and some behind them, so that a word can be read at the place of each."""
    if last + 2 * WORD <= len(array):
        return np.frombuffer(array, np.uint8, last + 2 * WORD - first, first)
    return np.frombuffer(array[first:last] + bytes(2 * WORD), np.uint8)


def _are_alike(data: Bytes, size: int, first: Places, opening: list[Places], closing: list[Places]) -> bool:
    """Whether the same bytes stand between the values of every record, between the records, and nothing around.

    Args:
        data: the records, and what is behind their size.
        size: bytes of the records.
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
        and bytes(data[last[-1] + 1 : size]).strip(WHITE) == b"}"
    )


def _is_constant(data: Bytes, start: Places, end: Places) -> bool:
    """Whether the bytes from start to end, both included, are the same everywhere."""
    if not len(start):
        return True
    length = int(end[0] - start[0]) + 1
    if np.any(end - start != length - 1):
        return False
    if length < WORD:
        return _are_equal(_words(data, start) & MASKS[length])
    steps = {*range(0, length - WORD, WORD), length - WORD}
    return all(_are_equal(_words(data, start + n)) for n in steps)


def _are_equal(numbers: npt.NDArray[Any]) -> bool:
    return bool(np.all(numbers == numbers[0]))


def _words(data: Bytes, places: Places) -> Words:
    """Return the eight bytes at each place as a number."""
    overlapping: Words = np.ndarray(len(data) - WORD + 1, "<u8", data, strides=(1,))
    return overlapping[places]


def _codes(data: Bytes, start: Places, end: Places) -> pa.DictionaryArray:
    """Return the texts from start up to end, which are few different ones."""
    texts = _encode_short(data, start, end) or pc.dictionary_encode(_texts(data, start, end))
    meant = pc.dictionary_encode(_unescape(texts.dictionary))  # 人 may be written in two ways
    return pa.DictionaryArray.from_arrays(meant.indices.take(texts.indices), meant.dictionary)


def _encode_short(data: Bytes, start: Places, end: Places) -> pa.DictionaryArray | None:
    """Return texts of up to 16 bytes, told apart by their bytes as one or two numbers and by their lengths.

    None where they are longer, or where two different ones have the same sum of these.
    """
    lengths = end - start
    longest = int(lengths.max())
    if longest > 2 * WORD:
        return None
    parts = [_words(data, start + n) for n in range(0, max(longest, 1), WORD)]
    if _are_equal(lengths):
        parts = [part & MASKS[min(longest - n * WORD, WORD)] for n, part in enumerate(parts)]
    else:
        sizes = [np.clip(lengths - n * WORD, 0, WORD) for n in range(len(parts))]
        parts = [*(part & MASKS[size] for part, size in zip(parts, sizes, strict=True)), lengths.astype(np.uint64)]
    places = pc.dictionary_encode(pa.array(_mixed(parts))).indices.to_numpy()
    firsts = np.empty(int(places.max()) + 1, np.int64)
    firsts[places[::-1]] = np.arange(len(places) - 1, -1, -1)
    if len(parts) > 1 and not all(np.array_equal(part, part[firsts][places]) for part in parts):
        return None
    return pa.DictionaryArray.from_arrays(pa.array(places), _texts(data, start[firsts], end[firsts]))


def _mixed(parts: list[Words]) -> Words:
    """Return one number for several; those of different parts differ, as a rule."""
    mixed = parts[0]
    for part in parts[1:]:
        mixed = mixed * FACTOR + part
    return mixed


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
