"""What a fetch knows of its table and which pages it holds, written down beside them after each page.

A fetch that breaks off (the process is killed, e-Stat stays away) leaves its pages and this record. The next fetch of
the same request takes them up again: those pages count whose bytes are still the ones noted, and every answer must be
of the state of the table (UPDATED_DATE and TOTAL_NUMBER) that the record knows. A record of another request, page size
or origin is dropped with its pages. UPDATED_DATE names a day: pages fetched on that very day are not taken up, as the
table may be updated once more on it; nor are those of a table that has none.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from estat_dagster.errors import DataError
from estat_dagster.estat import days
from estat_dagster.estat.manifest import PageEntry, is_whole
from estat_dagster.estat.pages import StatsPage


class ReplacedError(Exception):
    """The table was replaced between two pages."""


class PageSink(Protocol):
    """Where pages are kept, and the record of a fetch that is not finished."""

    def write(self, name: str, wire: bytes) -> None:
        """Store the gzip bytes of a page."""

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a page, None where it is not there."""

    def read_page(self, name: str) -> StatsPage:
        """Return a stored page, read again."""

    def remove(self, name: str) -> None:
        """Take a page back."""

    def names(self, containing: str) -> list[str]:
        """Return the names of all files of the dataset that contain a text."""

    def write_record(self, record: bytes | None) -> None:
        """Store the record of the fetch in place of the one before, or take it away."""

    def read_record(self) -> bytes | None:
        """Return the record of a fetch that was not finished, None where there is none."""


class Order(msgspec.Struct, frozen=True):
    """What is fetched: from where, by which requests, and how many records a page."""

    source: str
    requests: tuple[dict[str, str], ...]
    chunk_size: int


class _Record(msgspec.Struct, frozen=True):
    order: Order
    stamps: tuple[str, ...]
    begun: str
    result_date: str = ""
    updated_date: str | None = None
    totals: dict[int, int] = {}
    pages: tuple[PageEntry, ...] = ()


_RECORD = msgspec.json.Decoder(_Record)


class Ledger:
    """The books of one fetch; threads may use it together.

    Args:
        stamp: the moment of this fetch, which is part of the names of its files.
    """

    def __init__(self, sink: PageSink, order: Order, stamp: str) -> None:
        self._sink, self._lock = sink, threading.Lock()
        self._pages: dict[tuple[int, int], PageEntry] = {}
        self._record = _Record(order, (stamp,), days.today().isoformat())

    def open(self) -> None:
        """Take up what an earlier fetch of the same order left, drop what is left of others, and begin the record."""
        left = _decode(self._sink.read_record())
        if left:
            self._take_up(left)
        self._save()

    def drop(self) -> None:
        """Take every page of this fetch back."""
        with self._lock:
            self._remove_others(self._record.stamps, ())
            self._pages.clear()
            self._sink.write_record(None)

    def close(self) -> None:
        """End the record: the pages are a whole, and their manifest follows."""
        self._sink.write_record(None)

    def agree(self, part: int, page: StatsPage) -> bool:
        """Compare an answer with the state of the table that is known; whether it is the first one of its part.

        Raises:
            ReplacedError: the table is another one now.
        """
        with self._lock:
            record = self._record
            known = (record.updated_date, record.totals.get(part))
            is_dated = bool(page.table.id)  # an answer without data need not say of which table it is
            found = (page.table.updated_date if is_dated else record.updated_date, page.total_number)
            if known[0] not in (None, found[0]) or known[1] not in (None, found[1]):
                raise ReplacedError(f"from {known[1]} records of {known[0]} to {found[1]} of {found[0]}")
            if known[1] is not None:
                return False
            dated = record.result_date or page.date
            totals = {**record.totals, part: found[1]}
            self._record = msgspec.structs.replace(record, result_date=dated, updated_date=found[0], totals=totals)
            return True

    def add(self, entry: PageEntry) -> None:
        """Note a stored page; its positions are those within its part.

        Raises:
            DataError: its records are those of another page.
        """
        with self._lock:
            for other in self._pages.values():
                if other.values_sha256 == entry.values_sha256:
                    raise DataError(
                        f"e-Stat sent the same records twice: for {_place(other)} and for {_place(entry)}.",
                        hint="Load the dataset again; if it stays, report it to e-Stat.",
                    )
            self._pages[entry.part, entry.from_number] = entry
            self._save()

    def total(self, part: int) -> int | None:
        """Return how many records a part has, None where that is not known yet."""
        return self._record.totals.get(part)

    def holds(self, part: int, start: int) -> bool:
        """Whether the page at that position is there."""
        return (part, start) in self._pages

    @property
    def pages(self) -> list[PageEntry]:
        """The pages that are there, in the order of parts and positions."""
        return [entry for _, entry in sorted(self._pages.items())]

    @property
    def updated_date(self) -> str:
        """UPDATED_DATE of every page."""
        return self._record.updated_date or ""

    @property
    def result_date(self) -> str:
        """RESULT.DATE of the first answer."""
        return self._record.result_date

    def _take_up(self, left: _Record) -> None:
        valid: list[PageEntry] = []
        if left.order == self._record.order and "" < (left.updated_date or "") < left.begun:
            valid = [entry for entry in left.pages if is_whole(entry, self._sink.read(entry.file))]
        self._remove_others(left.stamps, {entry.file for entry in valid})
        if valid:
            self._pages = {(entry.part, entry.from_number): entry for entry in valid}
            stamps = (*left.stamps, *self._record.stamps)
            self._record = msgspec.structs.replace(left, stamps=stamps)

    def _remove_others(self, stamps: Sequence[str], kept: Iterable[str]) -> None:
        for name in [name for stamp in stamps for name in self._sink.names(stamp)]:
            if name not in kept:
                self._sink.remove(name)

    def _save(self) -> None:
        record = msgspec.structs.replace(self._record, pages=tuple(self.pages))
        self._sink.write_record(msgspec.json.encode(record))


def _decode(record: bytes | None) -> _Record | None:
    """Return a record; one of another version of this program counts as none."""
    try:
        return _RECORD.decode(record) if record else None
    except msgspec.DecodeError:
        return None


def _place(entry: PageEntry) -> str:
    part = f" of part {entry.part}" if entry.part > 1 else ""
    return f"records {entry.from_number:,} to {entry.to_number:,}{part}"
