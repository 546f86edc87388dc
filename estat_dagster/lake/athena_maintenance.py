"""The same maintenance done by Athena, where a lake on S3 is too large for one machine: its statements, in order.

`OPTIMIZE … BIN_PACK` puts files of several datasets together, as our own compaction does, in files of any size.
`VACUUM` expires snapshots and removes orphans, both, by the properties of the table, which are set before it and stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Protocol

from estat_dagster.errors import ValidationError
from estat_dagster.lake.maintenance import COMPACT, EXPIRE, KINDS, OLDER_THAN, ORPHANS
from estat_dagster.lake.sweeping import KEEP, check_age

NAME = re.compile(r"[a-z_][a-z0-9_]*")


class RunsSql(Protocol):
    """Runs a statement to its end, and raises where it fails."""

    def __call__(self, sql: str) -> object:
        """Run it."""


def statements(
    database: str, name: str, kinds: Iterable[str] = KINDS, *, older_than: timedelta = OLDER_THAN, keep: int = KEEP
) -> Iterator[str]:
    """Return Athena's statements for a table.

    Raises:
        ValidationError: a name is none of Glue's, Athena has no such kind, or files would be removed too early.
    """
    for part in (database, name):
        if not NAME.fullmatch(part):
            raise ValidationError(f"{part!r} is not a name in Glue.", hint="Write it in lower case: population_data.")
    table, wanted = f"{database}.{name}", set(kinds)
    if unknown := wanted - set(KINDS):
        raise ValidationError(f"Athena has no {min(unknown)}.", hint="Leave --athena out.")
    if wanted & {EXPIRE, ORPHANS}:
        check_age(older_than)
    if COMPACT in wanted:
        yield f"OPTIMIZE {table} REWRITE DATA USING BIN_PACK"
    if wanted & {EXPIRE, ORPHANS}:
        seconds = int(older_than.total_seconds())
        yield (
            f"ALTER TABLE {table} SET TBLPROPERTIES ("
            f"'vacuum_max_snapshot_age_seconds'='{seconds}', 'vacuum_min_snapshots_to_keep'='{max(keep, 1)}')"
        )
        yield f"VACUUM {table}"


def maintain_on_athena(
    run: RunsSql,
    database: str,
    names: Iterable[str],
    kinds: Iterable[str] = KINDS,
    *,
    older_than: timedelta = OLDER_THAN,
    keep: int = KEEP,
) -> Iterator[str]:
    """Run the statements for tables one after another, and return each when it ran.

    What cannot be done is refused at the call, before the first statement.

    Raises:
        ValidationError: as `statements` says.
    """
    wanted = tuple(kinds)
    planned = [sql for name in names for sql in statements(database, name, wanted, older_than=older_than, keep=keep)]
    return _run(run, planned)


def _run(run: RunsSql, planned: list[str]) -> Iterator[str]:
    for sql in planned:
        run(sql)
        yield sql
