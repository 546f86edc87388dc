"""The manifest of a fetch: what was asked, which pages came, and a hash of the data alone.

It is written last; a fetch without a manifest did not happen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from estat_dagster.errors import DataError
from estat_dagster.estat.models import Metadata, parse_axes
from estat_dagster.estat.pages import StatsPage
from estat_dagster.parallel import side_by_side


class PageEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stored page: its file name, positions (from 1), size in bytes and SHA-256 of the gzip file.

    Positions count through all parts. `values_sha256` is of the VALUE element alone, `part` the request it belongs to.
    """

    file: str
    from_number: int
    to_number: int
    bytes: int
    sha256: str
    values_sha256: str = ""
    part: int = 1


def is_whole(entry: PageEntry, wire: bytes | None) -> bool:
    """Whether the bytes of a page's file, None where there is none, are those that came."""
    return wire is not None and hashlib.sha256(wire).hexdigest() == entry.sha256


class Part(msgspec.Struct, frozen=True):
    """One of several requests of a scope with more codes than e-Stat takes at once, and how many records it has."""

    request: dict[str, str]
    total_number: int


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A complete fetch of a dataset's scope.

    `parts` and `class_inf` are there where the scope was asked for in several requests: no page has all classes then.
    """

    dataset_id: str
    source: str
    scope: dict[str, str]
    request: dict[str, str]
    fetched_at: str
    result_date: str
    updated_date: str
    total_number: int
    content_hash: str
    pages: tuple[PageEntry, ...]
    stamp: str = ""
    parts: tuple[Part, ...] = ()
    class_inf: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """The file name, without its ending; later fetches have later names."""
        return f"{self.dataset_id}_{self.stamp}"

    def to_json(self) -> bytes:
        """Return the manifest as it is stored."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @staticmethod
    def from_json(body: bytes) -> Manifest:
        """Read a stored manifest.

        Raises:
            DataError: it is damaged.
        """
        try:
            return _MANIFEST.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(
                f"The manifest of a fetch is damaged: {error}.",
                hint="Load the dataset again, or restore the file from a backup.",
            ) from error

    def metadata(self, first: StatsPage) -> Metadata:
        """Return table and all axes; `first` is the first page."""
        return Metadata(first.table, parse_axes(self.class_inf)) if self.class_inf else first.metadata

    def faults(self, read: Callable[[PageEntry], StatsPage]) -> list[str]:
        """Read every page again and return what is wrong with them, one sentence each; nothing where all is right."""
        found = list(self._page_faults(read))
        received = sum(entry.to_number - entry.from_number + 1 for entry in self.pages)
        if received != self.total_number:
            found.append(f"{received:,} records of {self.total_number:,}")
        return found

    def _page_faults(self, read: Callable[[PageEntry], StatsPage]) -> Iterator[str]:
        position, part, offset, states = 1, 1, 0, set()
        for entry, page in zip(self.pages, side_by_side(read, self.pages), strict=True):
            if entry.part != part:
                part, offset = entry.part, position - 1
            states.add(page.table.updated_date)
            total = self.parts[part - 1].total_number if self.parts else self.total_number
            seen = (page.total_number, page.from_number + offset, page.from_number + offset + page.count_values() - 1)
            if seen != (total, position, entry.to_number) or entry.from_number != position:
                yield f"{entry.file} does not hold the records from {position:,} to {entry.to_number:,}"
            position = entry.to_number + 1
        if len(states) > 1:
            yield f"the pages are of different states of the table: {sorted(states)}"


_MANIFEST = msgspec.json.Decoder(Manifest)


def content_hash(pages: Iterable[StatsPage], class_inf: bytes | None = None) -> str:
    """Return the SHA-256 of what decides the rows: classes, notes, annotations and values, in position order.

    The values count as one array, and symbols wherever they are explained, so that the size of the pages leaves no
    trace; dates of the answer do not count. Several requests of a scope leave no trace either where one request would
    give the records in the same order, which is so if the axis with many codes is the one that changes most slowly.

    Args:
        class_inf: all classes (`merge_class_inf`), where no single page has them.
    """
    digest = hashlib.sha256()
    notes: dict[str, str] = {}
    annotations: dict[str, str] = {}
    empty = True
    for number, page in enumerate(pages):
        if number == 0:
            facts = (page.table.survey_date, page.table.collect_area)
            digest.update(msgspec.json.encode(facts) + (page.class_inf if class_inf is None else class_inf) + b"[")
        inner = page.values[1:-1] if page.values.startswith(b"[") else page.values
        if inner.strip():
            digest.update(inner if empty else b"," + inner)
            empty = False
        notes |= page.notes
        annotations |= page.annotations
    digest.update(b"]" + msgspec.json.encode((sorted(notes.items()), sorted(annotations.items()))))
    return digest.hexdigest()


_Raws = list[msgspec.Raw]
_Objects = list[dict[str, msgspec.Raw]] | dict[str, msgspec.Raw]


def merge_class_inf(parts: Sequence[bytes]) -> bytes:
    """Return one CLASS_INF with the classes of all, each once, in the order of their coming, as e-Stat writes it."""
    axes: dict[bytes, dict[str, msgspec.Raw]] = {}
    classes: dict[bytes, dict[bytes, None]] = {}
    for class_inf in parts:
        inf = msgspec.json.decode(class_inf or b"{}", type=dict[str, msgspec.Raw])
        found = msgspec.json.decode(inf.get("CLASS_OBJ", b"[]"), type=_Objects | Literal[""] | None) or []
        for axis in found if isinstance(found, list) else [found]:
            name = bytes(axis.get("@id", b""))
            axes.setdefault(name, axis)
            classes.setdefault(name, {}).update(dict.fromkeys(_classes(axis)))
    merged = [_with_classes(axis, list(classes[name])) for name, axis in axes.items()]
    return msgspec.json.encode({"CLASS_OBJ": merged[0] if len(merged) == 1 else merged})


def _classes(axis: dict[str, msgspec.Raw]) -> list[bytes]:
    raw = bytes(axis.get("CLASS", b"[]"))
    return [bytes(item) for item in msgspec.json.decode(raw, type=_Raws)] if raw.startswith(b"[") else [raw]


def _with_classes(axis: dict[str, msgspec.Raw], classes: Sequence[bytes]) -> dict[str, msgspec.Raw]:
    same = classes == _classes(axis)
    return axis if same else {**axis, "CLASS": msgspec.Raw(b"[" + b",".join(classes) + b"]")}
