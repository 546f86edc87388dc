"""Which tables e-Stat changed since they were loaded: one window of `updatedDate` answers for all of them.

A table that the window must hold and does not is asked for by its id; only e-Stat's word on that id makes it gone.
Whatever e-Stat does not answer in full is an error and never "no updates".
Source: API 3.0 specification, 3.2 統計表情報取得 (updatedDate), 4.1 (UPDATED_DATE, OVERALL_TOTAL_NUMBER).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from estat_dagster.errors import ApiError
from estat_dagster.estat.client import EstatClient
from estat_dagster.estat.credit import service_credit
from estat_dagster.estat.criteria import window
from estat_dagster.estat.days import date_or_none
from estat_dagster.estat.listing import list_tables
from estat_dagster.estat.models import TableInfo

CHANGED, MAYBE, GONE, UNCHANGED = "changed", "maybe changed", "gone", "unchanged"
UNKNOWN_ID = 300
KINDS = ("1", "2")
"""searchKind: tables, and those of small areas and meshes, which the list of the first kind leaves out."""


@dataclass(frozen=True)
class Held:
    """A table as it was loaded.

    Args:
        id: statsDataId.
        updated_date: UPDATED_DATE of what was loaded, yyyy-mm-dd.
        total_number: TOTAL_NUMBER of the whole table; None where only a part was loaded, whose size says nothing.
        seen_on: the last day in Japan on which the table was found so.
        title: what it is called.
        is_gone: whether e-Stat did not have it any more on that day.
    """

    id: str
    updated_date: str
    total_number: int | None
    seen_on: date
    title: str = ""
    is_gone: bool = False


@dataclass(frozen=True)
class Update:
    """What became of a table: its state, and what changed in words."""

    id: str
    title: str
    state: str
    what: str
    held_updated: str
    updated: str | None
    held_records: int | None
    records: int | None


@dataclass(frozen=True)
class Updates:
    """What became of all tables that were asked about, in the order of their ids; how it was asked, and the credit."""

    tables: tuple[Update, ...]
    window: str
    requests: int
    source: str
    credit: str

    @property
    def news(self) -> tuple[Update, ...]:
        """The tables that are not known to be unchanged."""
        return tuple(table for table in self.tables if table.state != UNCHANGED)


def find_updates(client: EstatClient, held: Sequence[Held], *, today: date, each: bool = False) -> Updates:
    """Return what e-Stat changed of the held tables.

    Args:
        client: asks e-Stat.
        held: the tables, as they were loaded.
        today: the day in Japan.
        each: ask for every table by its id, a request a table; that also finds every one that is gone.

    Raises:
        ApiError: e-Stat is under maintenance, refuses, or its list is not whole.
        DataLakeError: as every request. Nothing is known then.
    """
    asked = "" if each or not held else window(min(today, *(table.seen_on for table in held)), today)
    listings = [list_tables(client, {"updatedDate": asked, "searchKind": kind}) for kind in KINDS if asked]
    now: dict[str, TableInfo | None] = {table.id: table for listing in listings for table in listing.tables}
    single = [table.id for table in held if table.id not in now and (each or table.is_gone or _belongs(table, asked))]
    now |= {dataset_id: _ask(client, dataset_id) for dataset_id in single}
    tables = [compare(table, now[table.id]) if table.id in now else _untouched(table) for table in held]
    return Updates(
        tables=tuple(sorted(tables, key=lambda table: table.id)),
        window=asked,
        requests=sum(listing.requests for listing in listings) + len(single),
        source=client.source,
        credit=service_credit(client.source),
    )


def compare(held: Held, now: TableInfo | None) -> Update:
    """Return what became of a table, from what e-Stat says of it now; None where e-Stat has it no more."""
    if now is None:
        return _update(held, GONE, "e-Stat has no table of this id any more", None, None)
    records = now.overall_total_number or None  # e-Stat writes 0 where it has not counted yet
    changes = []
    if now.updated_date != held.updated_date:
        changes.append(f"updated {held.updated_date} -> {now.updated_date}")
    if held.total_number and records and records != held.total_number:
        changes.append(f"records {held.total_number:,} -> {records:,}")
    if changes:
        return _update(held, CHANGED, ", ".join(changes), now.updated_date, records)
    if _same_day(held):
        why = f"loaded on {held.seen_on}, when e-Stat updated it: a later change of that day would not show"
        return _update(held, MAYBE, why, now.updated_date, records)
    return _update(held, UNCHANGED, "", now.updated_date, records)


def _update(held: Held, state: str, what: str, updated: str | None, records: int | None) -> Update:
    return Update(held.id, held.title, state, what, held.updated_date, updated, held.total_number, records)


def _untouched(held: Held) -> Update:
    """A table outside the window: e-Stat did not update it since it was seen."""
    return _update(held, UNCHANGED, "", held.updated_date, None)


def _same_day(held: Held) -> bool:
    updated = date_or_none(held.updated_date)
    return updated is None or updated >= held.seen_on


def _belongs(held: Held, asked: str) -> bool:
    """Whether the list of a window must hold a table: its own update lies in it."""
    first, _, last = asked.partition("-")
    return first <= held.updated_date.replace("-", "") <= last


def _ask(client: EstatClient, dataset_id: str) -> TableInfo | None:
    try:
        return client.get_metadata(dataset_id).table
    except ApiError as error:
        if error.status == UNKNOWN_ID:
            return None
        raise
