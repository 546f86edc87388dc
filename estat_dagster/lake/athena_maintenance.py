"""The same maintenance done by Athena, where a lake on S3 is too large for one machine: its statements, in order.

`OPTIMIZE … BIN_PACK` puts files of several datasets together, as our own compaction does, in files of any size.
`VACUUM` expires snapshots and removes orphans by the properties of the table, which are set before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Protocol

from estat_dagster.errors import ValidationError
from estat_dagster.lake.maintenance import COMPACT, EXPIRE, KINDS, OLDER_THAN, ORPHANS
from estat_dagster.lake.sweeping import KEEP

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
        ValidationError: a name is none of Glue's.
    """
    for part in (database, name):
        if not NAME.fullmatch(part):
            raise ValidationError(f"{part!r} is not a name in Glue.", hint="Write it in lower case: population_data.")
    table, wanted = f"{database}.{name}", set(kinds)
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
) -> list[str]:
    """Run the statements for tables one after another, and return them."""
    done, wanted = [], tuple(kinds)
    for name in names:
        for sql in statements(database, name, wanted, older_than=older_than, keep=keep):
            run(sql)
            done.append(sql)
    return done
