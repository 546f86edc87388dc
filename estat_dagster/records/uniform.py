"""Records that are written alike, cut into columns where the first one says.

e-Stat writes the records of a page with the same attributes in the same order, each value a quoted text, and the same
characters between them; a record may have a footnote more, or lack the unit. The first record of a kind is the template
of the others: what stands between its values stands between the values of each, byte for byte. A column is what stands
in its place. Where there are many kinds, or anything is not proven, the records are left to the JSON readers of
`decode`. All work on the records is Arrow's and NumPy's, so that pages are cut side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

QUOTE, ESCAPE, WHITE, VALUE = b'"', b"\\", b" \t\n\r", "$"
FIRST_PLAIN = 0x20
Bytes = npt.NDArray[np.uint8]
MOST_TEMPLATES = 8  # of a page: with and without a unit, a footnote, a cell
MARKS = 4  # quotation marks of one attribute: two around its name, two around its value


class Template(NamedTuple):
    """The first record: names and raw values, and what stands before each value with its quotation mark."""

    names: list[str]
    values: list[bytes]
    before: list[bytes]


class _NotAlikeError(Exception):
    """Something is not proven."""


def read_uniform(array: bytes) -> dict[str, pa.Array] | None:
    """Return attribute -> texts of the records of a JSON array, or None where they are not proven to be written alike.

    Texts are dictionary-encoded but for `$`; a record without the attribute has null. An escaped quotation mark, an
    unquoted value, another first attribute, other spacing between records: each of them gives None.
    """
    try:
        records = _records(array)
        columns, place = _slice(records, _template(records[0].as_py()))
        columns |= _split(records, place, len(columns))
        return {name: _unescape(raw) if name == VALUE else _encode(raw) for name, raw in columns.items()}
    except (_NotAlikeError, pa.ArrowInvalid, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _records(array: bytes) -> pa.BinaryArray:
    """Return what stands from one `{` up to the next, and from the last up to its `}`."""
    starts = np.flatnonzero(np.frombuffer(array, np.uint8) == ord("{"))
    end = array.rfind(b"}") + 1
    if not len(starts) or array[: starts[0]].strip(WHITE) != b"[" or array[end:].strip(WHITE) != b"]":
        raise _NotAlikeError
    offsets = np.append(starts, end).astype(np.int32)
    return pa.BinaryArray.from_buffers(pa.binary(), len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(array)])


def _template(record: bytes) -> Template:
    parts = record.split(QUOTE)
    names = list(msgspec.json.decode(record.rstrip(b"," + WHITE), type=dict[str, str]))
    if b"\\" + QUOTE in record or not names or len(parts) != MARKS * len(names) + 1:
        raise _NotAlikeError
    heads = [parts[:3], *([b"", *parts[n : n + 3]] for n in range(MARKS, len(parts) - 1, MARKS))]
    before = [QUOTE.join([*head, b""]) for head in heads]
    return Template(names, parts[3::MARKS], before)


def _slice(records: pa.BinaryArray, template: Template) -> tuple[dict[str, pa.Array], int]:
    """Return the raw texts of the first attributes, and the place behind the quotation mark of the next one's value.

    They are sliced as long as every record has its next value at the same place as the first.
    """
    grid = _bytes(pc.binary_slice(records, 0, pc.min(pc.binary_length(records)).as_py())).reshape(len(records), -1)
    alike = np.all(grid == grid[0], axis=0)
    columns: dict[str, pa.Array] = {}
    place = len(template.before[0])
    if place > len(alike) or not alike[:place].all():
        raise _NotAlikeError
    for name, value, following in zip(template.names, template.values, template.before[1:], strict=False):
        end = place + len(value)
        behind = end + len(following)
        if behind > len(alike) or not alike[end:behind].all():
            break
        is_one = alike[place:end].all()
        columns[name] = _repeated(value, len(records)) if is_one else _sliced(grid[:, place:end])
        place = behind
    return columns, place


def _repeated(text: bytes, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text], pa.binary()))


def _sliced(texts: Bytes) -> pa.FixedSizeBinaryArray:
    rows, width = texts.shape
    body = pa.py_buffer(np.ascontiguousarray(texts))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), rows, [None, body])


def _split(records: pa.BinaryArray, place: int, first: int) -> dict[str, pa.Array]:
    """Return the raw texts of the attributes from `first` on, out of the records from `place` on."""
    rest = pc.binary_slice(records, place, pc.max(pc.binary_length(records)).as_py())
    offsets = np.frombuffer(rest.buffers()[1], np.int32)
    marks = np.flatnonzero(_bytes(rest) == ord(QUOTE)).astype(np.int32)
    behind = np.searchsorted(marks, offsets[1:])
    counts = np.diff(behind, prepend=0)
    groups: list[dict[str, pa.Array]] = []
    places: list[np.ndarray] = []
    waiting = [np.flatnonzero(counts == count) for count in np.flatnonzero(np.bincount(counts))]
    while waiting:
        own = waiting.pop()
        template, count = _template(records[own[0]].as_py()), counts[own[0]]
        if count != MARKS * (len(template.names) - first - 1) + 1 or len(groups) == MOST_TEMPLATES:
            raise _NotAlikeError
        cuts = marks[behind[own][:, np.newaxis] + np.arange(-count, 0)]
        parts = _Parts(rest, np.column_stack([offsets[own] - 1, cuts, offsets[own + 1]]))
        alike = _are_alike(parts, template, first)
        if not alike.all():
            waiting.append(own[~alike])
            parts, own = parts.those(alike), own[alike]
        groups.append(_columns(parts, template, first, ends_array=own[-1] == len(records) - 1))
        places.append(own)
    return groups[0] if len(groups) == 1 else _together(groups, places)


class _Parts:
    """Texts cut at some places, as many of each: what stands between two of them.

    Args:
        texts: the texts, in one buffer.
        cuts: places in that buffer, a row a text: the one before its first byte, its marks, and the one behind it.
    """

    def __init__(self, texts: pa.BinaryArray, cuts: npt.NDArray[np.int32]) -> None:
        self._texts, self._cuts = texts, cuts
        self.marks = cuts.shape[1] - 2

    def __len__(self) -> int:
        return len(self._cuts)

    def those(self, wanted: npt.NDArray[np.bool_]) -> _Parts:
        """Return the parts of some of the texts."""
        return _Parts(self._texts, self._cuts[wanted])

    def between(self, first: int, last: int, *, marks: int = 0) -> pa.BinaryArray:
        """Return what stands from one cut of each text to another, without these or, if `marks` is 1, with them."""
        bounds = np.empty((len(self._cuts), 2), np.int32)
        bounds[:, 0], bounds[:, 1] = self._cuts[:, first] + 1 - marks, self._cuts[:, last] + marks
        pieces = pa.BinaryArray.from_buffers(
            pa.binary(), bounds.size - 1, [None, pa.py_buffer(bounds), self._texts.buffers()[2]]
        )
        return pieces.take(pa.array(np.arange(0, bounds.size, 2)))  # those between them are nobody's


def _are_alike(parts: _Parts, template: Template, first: int) -> npt.NDArray[np.bool_]:
    """Return of each record whether what stands between its values is what stands in the template."""
    alike = np.ones(len(parts), np.bool_)
    opening = range(MARKS, parts.marks, MARKS)
    for mark, text in zip(opening, template.before[first + 1 :], strict=True):
        alike &= _equal(parts.between(mark - MARKS + 1, mark, marks=1), text)
    return alike


def _columns(parts: _Parts, template: Template, first: int, *, ends_array: bool) -> dict[str, pa.Array]:
    """Return the raw texts of records of one template, cut at their quotation marks."""
    _check_ends(parts.between(parts.marks, parts.marks + 1), ends_array)
    opening = range(0, parts.marks, MARKS)
    names = template.names[first:]
    return {name: parts.between(mark, mark + 1) for name, mark in zip(names, opening, strict=True)}


def _together(groups: list[dict[str, pa.Array]], places: list[np.ndarray]) -> dict[str, pa.Array]:
    """Return the columns of all groups, each record's text at its place; null where it has none."""
    order = pa.array(np.argsort(np.concatenate(places)))
    names = dict.fromkeys(name for columns in groups for name in columns)
    nothing = [pa.nulls(len(own), pa.binary()) for own in places]
    return {
        name: pa.concat_arrays([own.get(name, none) for own, none in zip(groups, nothing, strict=True)]).take(order)
        for name in names
    }


def _check_ends(ends: pa.BinaryArray, ends_array: bool) -> None:
    """Raise an error unless every record ends as the first does, with a comma behind it; the array's last has none."""
    if ends_array and ends[-1].as_py().translate(None, WHITE) != b"}":
        raise _NotAlikeError
    others = ends[:-1] if ends_array else ends
    if len(others) and (
        others[0].as_py().translate(None, WHITE) != b"}," or not _equal(others, others[0].as_py()).all()
    ):
        raise _NotAlikeError


def _bytes(texts: pa.BinaryArray) -> Bytes:
    return np.frombuffer(texts.buffers()[2], np.uint8)


def _equal(column: pa.BinaryArray, text: bytes) -> npt.NDArray[np.bool_]:
    equal: npt.NDArray[np.bool_] = pc.equal(column, pa.scalar(text, pa.binary())).to_numpy(zero_copy_only=False)
    return equal


def _encode(raw: pa.Array) -> pa.DictionaryArray:
    """Return the texts of a column of few different ones."""
    texts = pc.dictionary_encode(raw)
    meant = pc.dictionary_encode(_unescape(texts.dictionary))  # 人 may be written in two ways
    if len(meant.dictionary) == len(texts.dictionary):
        return pa.DictionaryArray.from_arrays(texts.indices, meant.dictionary)
    return pa.DictionaryArray.from_arrays(meant.indices.take(texts.indices), meant.dictionary)


def _unescape(raw: pa.Array) -> pa.StringArray:
    """Return what raw texts mean as JSON.

    Raises:
        ArrowInvalid: a text is not UTF-8.
        DecodeError: a text is no JSON string.
    """
    texts = raw.cast(pa.string())
    letters = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    if not np.any((letters < FIRST_PLAIN) | (letters == ord(QUOTE)) | (letters == ord(ESCAPE))):
        return texts
    if pc.any(pc.match_substring_regex(texts, r'"|\\$')).as_py():
        raise _NotAlikeError
    written = pc.match_substring_regex(texts, r"[\\\x00-\x1f]")
    escaped = pc.dictionary_encode(texts.filter(written))
    meant = msgspec.json.decode('["' + '","'.join(escaped.dictionary.to_pylist()) + '"]', type=list[str])
    return pc.replace_with_mask(texts, written, pa.array(meant, pa.string()).take(escaped.indices))
