"""Finding tables: what e-Stat has for some words, newest first, and what a table looks like before it is fetched."""

from __future__ import annotations

from dataclasses import dataclass

from estat_dagster.estat.client import PAGE_LIMIT, EstatClient
from estat_dagster.estat.models import Metadata, TableInfo


@dataclass(frozen=True)
class Found:
    """How many tables match, and the newest of them."""

    total: int
    tables: tuple[TableInfo, ...]


@dataclass(frozen=True)
class Description:
    """A table before it is fetched: its metadata, its number of records, and the requests that a fetch would make."""

    metadata: Metadata
    records: int
    requests: int


def search_tables(client: EstatClient, words: str, *, field: str | None = None, most: int = 20) -> Found:
    """Search tables by words (AND, OR and NOT are e-Stat's), newest update first.

    e-Stat answers in the order of ids, which is oldest first, so all matches are asked for and sorted here.

    Raises:
        ApiError: e-Stat refuses, as for a field that it does not have.
    """
    parameters = {"searchWord": words, "explanationGetFlg": "N", "limit": PAGE_LIMIT}
    total, tables = client.get_list({**parameters, "statsField": field} if field else parameters)
    newest = sorted(tables, key=lambda table: (table.updated_date, table.id), reverse=True)
    return Found(total, tuple(newest[:most]))


def describe_table(client: EstatClient, dataset_id: str) -> Description:
    """Return what a table is and how large a fetch of all of it would be."""
    metadata = client.get_metadata(dataset_id)
    records = client.get_count(dataset_id)
    return Description(metadata, records, max(1, -(-records // PAGE_LIMIT)))
