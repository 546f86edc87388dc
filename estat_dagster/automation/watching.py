"""What e-Stat changed of the lake's datasets: registry and raw manifests joined with e-Stat's word. No Dagster here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import DataError, StorageError
from estat_dagster.estat import days
from estat_dagster.estat.manifest import Manifest
from estat_dagster.estat.updates import GONE, UNCHANGED, Held, Updates, find_updates
from estat_dagster.lake import paths
from estat_dagster.lake.compared import Compared, read_compared, write_compared
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.registry import LOADED, DatasetEntry
from estat_dagster.workbench import Workbench

LOOK_BACK = timedelta(days=7)
"""How far before the last comparison the next one looks: an update may show in e-Stat's list later than its date."""


@dataclass(frozen=True)
class Watched:
    """What became of the lake's datasets, and the ids that could not be compared, with the reason.

    Those of `damaged` do not tell any more what was loaded; loading them again mends that.
    """

    updates: Updates
    left_out: tuple[tuple[str, str], ...]
    damaged: tuple[tuple[str, str], ...] = ()


def watch(
    bench: Workbench, dataset_ids: Iterable[str] = (), *, each: bool = False, today: date | None = None
) -> Watched:
    """Ask which datasets e-Stat changed since they were loaded; without ids, of all that the lake holds.

    Args:
        bench: the lake and e-Stat.
        dataset_ids: only these, each asked for by its id.
        each: ask for every dataset by its id.
        today: the day in Japan.

    Raises:
        DataError: an id is not registered.
        DataLakeError: e-Stat did not answer in full.
    """
    ids = [check_dataset_id(each_id) for each_id in dict.fromkeys(dataset_ids)]
    entries, unread = bench.lake.registry.look(*ids)
    compared = read_compared(bench.lake.store)
    held, damaged = [], []
    left_out = [(dataset_id, error.message.rstrip(".")) for dataset_id, error in unread.items()]
    for entry in entries:
        if entry.raw_uri is None or entry.checked_at is None:
            left_out.append((entry.dataset_id, "it was never loaded"))
        elif entry.source != bench.estat.source:
            left_out.append((entry.dataset_id, f"it was loaded from {entry.source}"))
        else:
            try:
                held.append(held_of(bench.lake, entry, compared.get(entry.dataset_id)))
            except (DataError, StorageError) as error:
                if error.can_retry:
                    raise
                damaged.append((entry.dataset_id, error.message.rstrip(".")))
    updates = find_updates(bench.estat, held, today=today or days.today(), each=each or bool(ids))
    return Watched(updates, tuple(left_out), tuple(damaged))


def remember(lake: Lake, found: Watched, *, on: date | None = None) -> None:
    """Keep which datasets were found unchanged or gone, and on which day: the next look begins a week before it."""
    day = str(on or days.today())
    settled = [update for update in found.updates.tables if update.state in (UNCHANGED, GONE)]
    kept = {update.id: Compared(update.held_updated, day, update.state == GONE) for update in settled}
    if kept:
        write_compared(lake.store, kept)


def held_of(lake: Lake, entry: DatasetEntry, compared: Compared | None = None) -> Held:
    """Return a dataset as it was loaded, seen on the day of its last load or of the comparison after it.

    The registry's UPDATED_DATE is what e-Stat said when it was last registered, the manifest's is what the rows were
    made from. A later load that found the same content leaves the manifest as it is; then the registry's counts, but
    only if that load came after the day of the update: a load that failed leaves its date in the registry too.
    """
    seen_on = days.day_of(entry.checked_at or entry.registered_at)
    manifest = _manifest(lake, entry)
    found_again = entry.status == LOADED and manifest.updated_date < entry.updated_date < seen_on.isoformat()
    updated_date = entry.updated_date if found_again else manifest.updated_date
    still = compared if compared and compared.updated_date == updated_date else None
    return Held(
        id=entry.dataset_id,
        updated_date=updated_date,
        total_number=None if manifest.scope else manifest.total_number,
        seen_on=max(seen_on, date.fromisoformat(still.on) - LOOK_BACK) if still else seen_on,
        title=entry.title,
        is_gone=bool(still and still.is_gone),
    )


def _manifest(lake: Lake, entry: DatasetEntry) -> Manifest:
    name = (entry.raw_uri or "").rpartition("/")[2]
    return Manifest.from_json(lake.store.read(paths.raw(entry.dataset_id, name)))
