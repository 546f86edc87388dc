"""Removing what nothing needs any more: fetches older than the newest ones, and quarantine of datasets that are gone.

The newest manifest of a dataset, the pages that it names, and the manifest that the registry names always stay. A
dataset with an unfinished fetch, which a later one takes up, is left alone.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from estat_dagster.domains import DATASET_ID, DOMAINS
from estat_dagster.errors import DataError, ValidationError
from estat_dagster.lake import paths
from estat_dagster.lake.raw import MANIFEST_ENDING, RECORD
from estat_dagster.lake.registry import DatasetEntry, MetadataManager
from estat_dagster.lake.store import Store


class _Pages(msgspec.Struct):
    pages: list[_Page]


class _Page(msgspec.Struct):
    file: str


_PAGES = msgspec.json.Decoder(_Pages)


@dataclass(frozen=True)
class Superfluous:
    """A file that can go, its size, and why."""

    path: str
    bytes: int
    reason: str


def find_superfluous(
    store: Store, registry: MetadataManager, *, keep: int
) -> tuple[list[Superfluous], dict[str, DataError]]:
    """Return the files that nothing needs, without removing them, and which datasets could not be judged, with why.

    Args:
        store: the lake's files.
        registry: which datasets there are, and which manifests they stand on.
        keep: how many fetches of a dataset stay, the newest ones; at least 1.

    Raises:
        ValidationError: keep is not possible.
    """
    if keep < 1:
        raise ValidationError(f"{keep} fetches cannot be kept.", hint="Keep 1 or more: the newest one is the data.")
    entries, damaged = registry.look()
    found, left_out = [], dict(damaged)
    for entry in entries:
        try:
            found += _old_fetches(store, entry, keep)
        except DataError as error:
            left_out[entry.dataset_id] = error
    found += _orphans(store, {entry.dataset_id: entry for entry in entries}, damaged)
    return found, left_out


def remove_superfluous(store: Store, files: list[Superfluous]) -> int:
    """Remove the files, manifests before the pages that they name, and return their bytes."""
    for file in sorted(files, key=lambda file: not file.path.endswith(MANIFEST_ENDING)):
        store.remove(file.path)
    return sum(file.bytes for file in files)


def _old_fetches(store: Store, entry: DatasetEntry, keep: int) -> list[Superfluous]:
    names = store.names(paths.raw(entry.dataset_id))
    manifests = [name for name in names if name.endswith(MANIFEST_ENDING)]
    if not manifests or RECORD in names:
        return []
    kept = {*manifests[-keep:], (entry.raw_uri or "").rpartition("/")[2]} & set(manifests)
    needed = kept | {file for name in kept for file in _pages(store, entry.dataset_id, name)}
    newest = manifests[-1].removesuffix(MANIFEST_ENDING).rpartition("_")[2]
    # Pages later than the newest manifest belong to a fetch that runs.
    old = [paths.raw(entry.dataset_id, name) for name in names if name not in needed and _stamp(name) <= newest]
    return [Superfluous(path, store.size(path), f"a fetch before the {keep} newest") for path in old]


def _pages(store: Store, dataset_id: str, manifest: str) -> list[str]:
    path = paths.raw(dataset_id, manifest)
    try:
        return [page.file for page in _PAGES.decode(store.read(path)).pages]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"The manifest {store.uri(path)} cannot be read: {error}.",
            hint=f"Restore it from a backup, or remove it and load the dataset again: `estat load {dataset_id}`.",
            dataset_id=dataset_id,
        ) from error


def _stamp(name: str) -> str:
    return name.removesuffix(MANIFEST_ENDING).removesuffix(".json.gz").rpartition("_")[2]


def _orphans(store: Store, entries: Mapping[str, DatasetEntry], unknown: Container[str]) -> Iterator[Superfluous]:
    """Quarantine of datasets that are not registered, or that belong to another domain now."""
    for domain in DOMAINS.values():
        for name in store.names(paths.quarantine(domain)):
            dataset_id = name.removesuffix(".parquet")
            if not DATASET_ID.fullmatch(dataset_id) or dataset_id in unknown:
                continue
            entry = entries.get(dataset_id)
            if entry is None or entry.domain != domain.name:
                path = paths.quarantine(domain, dataset_id)
                why = "its dataset is not registered" if entry is None else f"its dataset belongs to {entry.domain}"
                yield Superfluous(path, store.size(path), why)
