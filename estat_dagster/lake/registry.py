"""The registry: which datasets the lake holds, one small JSON object each. It is the source of truth.

The Iceberg table `dataset_inventory` is made from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from estat_dagster.domains import DATASET_ID, check_dataset_id
from estat_dagster.errors import DataError, ValidationError
from estat_dagster.lake import paths
from estat_dagster.lake.store import Store

REGISTERED, LOADED, FAILED = "registered", "loaded", "failed"


class DatasetEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the lake knows of a dataset: what it is, which part is held, and its last load.

    `scope` is what shall be loaded next, `loaded_scope` what the rows are. Title, dates and credit are what e-Stat said
    when it was last registered, `loaded_release` what it said of the rows; see `held_release`. `overall_number` is
    OVERALL_TOTAL_NUMBER, which e-Stat does not keep right. Counts and what follows them are of the last load that was
    published; `status` and `error` are of the last try.
    """

    dataset_id: str
    domain: str
    domain_reason: str
    title: str
    source: str
    registered_at: str
    scope: dict[str, str] = {}
    status: str = REGISTERED
    error: str | None = None
    stat_name: str = ""
    stat_code: str = ""
    gov_org: str = ""
    cycle: str = ""
    survey_date: str = ""
    open_date: str = ""
    updated_date: str = ""
    credit: str = ""
    overall_number: int | None = None
    total_number: int | None = None
    record_count: int | None = None
    valid_count: int | None = None
    quarantined_count: int | None = None
    null_count: int | None = None
    loaded_scope: dict[str, str] | None = None
    loaded_release: dict[str, str] | None = None
    table_name: str | None = None
    snapshot_id: int | None = None
    content_hash: str | None = None
    loaded_version: str | None = None
    raw_uri: str | None = None
    parquet_uri: str | None = None
    run_id: str | None = None
    changed_at: str | None = None
    checked_at: str | None = None


ENDING = ".json"
_ENTRY = msgspec.json.Decoder(DatasetEntry)


def held_scope(entry: DatasetEntry) -> dict[str, str]:
    """Return the part of the table that the lake holds, or shall hold where nothing was loaded yet."""
    return entry.scope if entry.loaded_scope is None else entry.loaded_scope


RELEASE = ("title", "survey_date", "open_date", "updated_date", "credit")
"""What of a description changes with a release, and is kept with its rows."""


def held_release(entry: DatasetEntry) -> DatasetEntry:
    """Return an entry with title, dates and credit of the rows that the lake holds; before a load, as registered."""
    return msgspec.structs.replace(entry, **(entry.loaded_release or {}))


def now() -> str:
    """Return this moment as the registry writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class MetadataManager:
    """Reads and writes the registry."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def register_dataset(self, entry: DatasetEntry) -> DatasetEntry:
        """Store a dataset's entry and return it; what is known of its last load is kept.

        Raises:
            ValidationError: the dataset was loaded into another domain's table.
        """
        known = self.find(entry.dataset_id)
        if known is None:
            return self.save_metadata(entry)
        if known.domain != entry.domain and known.snapshot_id is not None:
            raise ValidationError(
                f"{entry.dataset_id} is already loaded as {known.domain}, not {entry.domain}.",
                hint=f"Load it without a domain, or with --domain {known.domain}.",
                dataset_id=entry.dataset_id,
            )
        described = {name: getattr(entry, name) for name in DESCRIPTION}
        return self.save_metadata(msgspec.structs.replace(known, **described))

    def update_status(self, dataset_id: str, status: str, **facts: Any) -> DatasetEntry:
        """Store the outcome of a try, with facts of the load, and return the entry.

        Raises:
            DataError: the dataset is not registered.
        """
        entry = self.get_dataset_info(dataset_id)
        return self.save_metadata(msgspec.structs.replace(entry, **{"status": status, "error": None, **facts}))

    def get_dataset_info(self, dataset_id: str) -> DatasetEntry:
        """Return a dataset's entry.

        Raises:
            DataError: the dataset is not registered.
        """
        entry = self.find(dataset_id)
        if entry is None:
            raise DataError(
                f"{dataset_id} is not registered in the lake.",
                hint=f"Register and load it: `estat load {dataset_id}`.",
                dataset_id=dataset_id,
            )
        return entry

    def find(self, dataset_id: str) -> DatasetEntry | None:
        """Return a dataset's entry, or None where it has none.

        Raises:
            ValidationError: the id is none.
        """
        path = paths.registry(check_dataset_id(dataset_id))
        return self._decode(path) if self._store.exists(path) else None

    def save_metadata(self, entry: DatasetEntry) -> DatasetEntry:
        """Store an entry whole and return it."""
        body = msgspec.json.format(msgspec.json.encode(entry), indent=2)
        self._store.write(paths.registry(entry.dataset_id), body)
        return entry

    def remove(self, dataset_id: str) -> None:
        """Remove a dataset's entry; one that is not there is no error."""
        self._store.remove(paths.registry(check_dataset_id(dataset_id)))

    def __iter__(self) -> Iterator[DatasetEntry]:
        """Give every entry.

        Raises:
            DataError: one is damaged; after the others.
        """
        entries, damaged = self.look()
        yield from entries
        if damaged:
            raise next(iter(damaged.values()))

    def look(self, *dataset_ids: str) -> tuple[list[DatasetEntry], dict[str, DataError]]:
        """Return every entry that can be read, and by their ids what is wrong with the others; or just those named.

        Raises:
            DataError: a dataset that is named is not registered, or its entry cannot be read.
        """
        if dataset_ids:
            return [self.get_dataset_info(dataset_id) for dataset_id in dataset_ids], {}
        entries, damaged = [], {}
        for dataset_id in self.ids():
            try:
                entries.append(self._decode(paths.registry(dataset_id)))
            except DataError as error:
                damaged[dataset_id] = error
        return entries, damaged

    def ids(self) -> list[str]:
        """Return the ids of all entries, sorted; none is read."""
        names = (name.partition(".") for name in self._store.names(paths.registry()))
        return [name for name, dot, ending in names if dot + ending == ENDING and DATASET_ID.fullmatch(name)]

    def _decode(self, path: str) -> DatasetEntry:
        try:
            return _ENTRY.decode(self._store.read(path))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(
                f"The registry entry {self._store.uri(path)} cannot be read: {error}.",
                hint="Restore the file from a backup, or remove it and load the dataset again, with its `--filter` if "
                "it had one.",
            ) from error


DESCRIPTION = (
    "domain",
    "domain_reason",
    "title",
    "source",
    "scope",
    "stat_name",
    "stat_code",
    "gov_org",
    "cycle",
    "survey_date",
    "open_date",
    "updated_date",
    "overall_number",
    "credit",
)
"""What e-Stat and the user say of a dataset; the rest is what became of it."""
