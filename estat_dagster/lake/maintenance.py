"""Keeping tables in good order: what is to be done, on which tables, and a report of it as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from estat_dagster.errors import DataLakeError, ValidationError
from estat_dagster.lake.compacting import compact
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.repairing import repair
from estat_dagster.lake.sweeping import KEEP, check_age, expire_snapshots, remove_drafts, remove_orphans
from estat_dagster.telemetry import log

REPAIR, COMPACT, EXPIRE, ORPHANS = "repair", "compact", "expire", "orphans"
KINDS = (COMPACT, EXPIRE, ORPHANS)
"""What is done where nothing is chosen, in this order: compaction frees files, expiry lets go of them, and then they
are orphans."""

OLDER_THAN = timedelta(days=30)


@dataclass(frozen=True)
class Report:
    """What was done to a table, or would be in a dry run.

    `count` and `bytes` are of data files put together, of snapshots expired (no bytes), of files removed, or of files
    that were gone or damaged. `table` is "" for what is outside the tables. `error` is why nothing could be done.
    """

    kind: str
    table: str
    count: int
    bytes: int
    details: dict[str, Any]
    error: DataLakeError | None = None


def maintain(
    lake: Lake,
    kinds: Iterable[str] = KINDS,
    names: Iterable[str] = (),
    *,
    older_than: timedelta = OLDER_THAN,
    keep: int = KEEP,
    dry_run: bool = False,
) -> Iterator[Report]:
    """Do the kinds of maintenance on the tables, one after another, and tell of each when it is done.

    What cannot be done is refused at the call, before the first change. A table that cannot be read or written later
    is told with its error, and left as it is.

    Args:
        lake: the lake.
        kinds: of `KINDS`, or `REPAIR`.
        names: the tables; none is all of them, and the drafts outside.
        older_than: age of the snapshots that expire and of the files that are removed.
        keep: how many of the newest snapshots of a table stay, however old.
        dry_run: only tell.

    Raises:
        ValidationError: there is no such kind or table, or files would be removed too early.
        StorageError: the tables cannot be listed.
    """
    wanted, chosen = set(kinds), list(dict.fromkeys(names))
    if unknown := wanted - {REPAIR, *KINDS}:
        raise ValidationError(f"There is no maintenance {min(unknown)!r}.", hint=f"There are {', '.join(KINDS)}.")
    if ORPHANS in wanted:
        check_age(older_than)
    for name in chosen:
        lake.tables.load(name)
    return _all(lake, [kind for kind in (REPAIR, *KINDS) if kind in wanted], chosen, older_than, keep, dry_run)


def _all(
    lake: Lake, kinds: list[str], chosen: list[str], older_than: timedelta, keep: int, dry_run: bool
) -> Iterator[Report]:
    tables = chosen or lake.tables.names()
    for kind in kinds:
        for name in tables:
            try:
                done = _do(lake, kind, name, older_than, keep, dry_run)
            except DataLakeError as error:
                done = Report(kind, name, 0, 0, {}, error)
            yield _told(done)
    if ORPHANS in kinds and not chosen:
        drafts = remove_drafts(lake.store, older_than, dry_run=dry_run)
        yield _told(Report(ORPHANS, "", len(drafts.files), drafts.bytes, {}))


def _told(report: Report) -> Report:
    words = report.error or f"{report.count:,}"
    log("maintain", f"{report.kind} {report.table or 'drafts'}: {words}", table=report.table)
    return report


def _do(lake: Lake, kind: str, name: str, older_than: timedelta, keep: int, dry_run: bool) -> Report:
    if kind == REPAIR:
        mended = repair(lake, name, dry_run=dry_run)
        lost = len(mended.gone + mended.damaged)
        facts = ("gone", "damaged", "mended", "load_again", "unknown_rows")
        return Report(kind, name, lost, mended.bytes, {fact: getattr(mended, fact) for fact in facts})
    if kind == COMPACT:
        done = compact(lake.tables, name, dry_run=dry_run)
        details = {key: fact for key, fact in vars(done).items() if key not in ("table_name", "bytes")}
        return Report(kind, name, done.files_before - done.files_after, done.bytes, details)
    if kind == EXPIRE:
        gone = expire_snapshots(lake.tables, name, older_than, keep=keep, dry_run=dry_run)
        return Report(kind, name, len(gone.snapshot_ids), 0, {"kept": gone.kept})
    orphans = remove_orphans(lake.tables, name, older_than, dry_run=dry_run)
    return Report(kind, name, len(orphans.files), orphans.bytes, {})
