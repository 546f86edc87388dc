"""Which snapshot of an Iceberg table "as of" means: one rule for queries, readers and commands."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from estat_dagster.errors import ValidationError

if TYPE_CHECKING:
    from pyiceberg.table import Table

AsOf = str | int | date
"""A snapshot id, or a moment, also as ISO 8601 text: UTC where no zone is given; of a date its first instant."""


def is_snapshot_id(as_of: AsOf | None) -> bool:
    """Whether that is the id of a snapshot, which is one table's, and no moment, which all tables have."""
    return isinstance(as_of, int) or (isinstance(as_of, str) and bool(re.fullmatch(r"\d{9,}", as_of)))


def snapshot_as_of(table: Table, as_of: AsOf) -> int:
    """Return the id of the snapshot with that id, or of the one that was current at that moment.

    Raises:
        ValidationError: the text is neither, there is no such snapshot, or the table did not exist yet.
    """
    name = table.name()[-1]
    if isinstance(as_of, int) or (isinstance(as_of, str) and is_snapshot_id(as_of)):
        if table.snapshot_by_id(int(as_of)) is None:
            raise ValidationError(f"{name} has no snapshot {as_of}.", hint=_hint(name))
        return int(as_of)
    moment = _moment(as_of)
    found = table.snapshot_as_of_timestamp(round(moment.timestamp() * 1000))
    if found is None:
        raise ValidationError(f"{name} has no snapshot as old as {moment.isoformat()}.", hint=_hint(name))
    return found.snapshot_id


def _moment(as_of: str | date) -> datetime:
    try:
        moment = datetime.fromisoformat(as_of.strip()) if isinstance(as_of, str) else as_of
    except ValueError as error:
        raise ValidationError(
            f"{as_of!r} is neither a snapshot's id nor a moment.",
            hint="Write a snapshot id, a date such as 2026-04-01, or a moment such as 2026-04-01T09:00:00+09:00.",
        ) from error
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _hint(name: str) -> str:
    return f"`estat history {name}` lists its snapshots."
