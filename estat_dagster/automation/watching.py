"""What e-Stat changed of the lake's datasets: registry and raw manifests joined with e-Stat's word. No Dagster here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import DataError, StorageError
from estat_dagster.estat import days
from estat_dagster.estat.manifest import Manifest
from estat_dagster.estat.updates import Held, Updates, find_updates
from estat_dagster.lake import paths
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.registry import LOADED, DatasetEntry
from estat_dagster.workbench import Workbench


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
    registry, ids = bench.lake.registry, [check_dataset_id(each_id) for each_id in dict.fromkeys(dataset_ids)]
    entries, unread = ([registry.get_dataset_info(each_id) for each_id in ids], {}) if ids else registry.look()
    held, damaged = [], []
    left_out = [(dataset_id, error.message.rstrip(".")) for dataset_id, error in unread.items()]
    for entry in entries:
        if entry.raw_uri is None or entry.checked_at is None:
            left_out.append((entry.dataset_id, "it was never loaded"))
        elif entry.source != bench.estat.source:
            left_out.append((entry.dataset_id, f"it was loaded from {entry.source}"))
        else:
            try:
                held.append(held_of(bench.lake, entry))
            except (DataError, StorageError) as error:
                if error.can_retry:
                    raise
                damaged.append((entry.dataset_id, error.message.rstrip(".")))
    updates = find_updates(bench.estat, held, today=today or days.today(), each=each or bool(ids))
    return Watched(updates, tuple(left_out), tuple(damaged))


def held_of(lake: Lake, entry: DatasetEntry) -> Held:
    """Return a dataset as it was loaded.

    The registry's UPDATED_DATE is what e-Stat said when it was last registered, the manifest's is what the rows were
    made from. A later load that found the same content leaves the manifest as it is; then the registry's counts, but
    only if that load came after the day of the update: a load that failed leaves its date in the registry too.
    """
    seen_on = days.day_of(entry.checked_at or entry.registered_at)
    manifest = _manifest(lake, entry)
    found_again = entry.status == LOADED and manifest.updated_date < entry.updated_date < seen_on.isoformat()
    return Held(
        id=entry.dataset_id,
        updated_date=entry.updated_date if found_again else manifest.updated_date,
        total_number=None if manifest.scope else manifest.total_number,
        seen_on=seen_on,
        title=entry.title,
    )


def _manifest(lake: Lake, entry: DatasetEntry) -> Manifest:
    name = (entry.raw_uri or "").rpartition("/")[2]
    return Manifest.from_json(lake.store.read(paths.raw(entry.dataset_id, name)))
