"""The manifest of a fetch: what was asked, which pages came, and a hash of the data alone.

It is written last; a fetch without a manifest did not happen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from estat_dagster.estat.pages import StatsPage


class PageEntry(msgspec.Struct, frozen=True):
    """One stored page: its file name, positions (from 1), size in bytes and SHA-256 of the gzip file."""

    file: str
    from_number: int
    to_number: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """A complete fetch of a dataset's scope."""

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

    def to_json(self) -> bytes:
        """Return the manifest as it is stored."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    @staticmethod
    def from_json(body: bytes) -> Manifest:
        """Read a stored manifest."""
        return msgspec.json.decode(body, type=Manifest)


def content_hash(pages: Iterable[StatsPage]) -> str:
    """Return the SHA-256 of what decides the rows: classes, notes, annotations and values, in position order.

    The values count as one array, and symbols wherever they are explained, so that the size of the pages leaves no
    trace; dates of the answer do not count.
    """
    digest = hashlib.sha256()
    notes: dict[str, str] = {}
    annotations: dict[str, str] = {}
    empty = True
    for number, page in enumerate(pages):
        if number == 0:
            facts = (page.table.survey_date, page.table.collect_area)
            digest.update(msgspec.json.encode(facts) + page.class_inf + b"[")
        inner = page.values[1:-1] if page.values.startswith(b"[") else page.values
        if inner.strip():
            digest.update(inner if empty else b"," + inner)
            empty = False
        notes |= page.notes
        annotations |= page.annotations
    digest.update(b"]" + msgspec.json.encode((sorted(notes.items()), sorted(annotations.items()))))
    return digest.hexdigest()
