"""Files that e-Stat has beside its database: Excel, CSV and PDF, found by words (getDataCatalog).

Source: API 3.0 specification, 3.8 データカタログ情報取得.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from estat_dagster.errors import DataError
from estat_dagster.estat.client import PAGE_LIMIT, EstatClient
from estat_dagster.estat.models import as_node, as_nodes, number, text
from estat_dagster.estat.pages import parse_document

KINDS = ("XLS", "CSV", "PDF", "XML", "XLS_REP", "DB")


@dataclass(frozen=True)
class CatalogFile:
    """A file: what it is called, where it is, and which catalogue entry and survey it belongs to."""

    id: str
    title: str
    kind: str
    url: str
    modified: str
    released: str
    catalog_id: str
    catalog_title: str
    survey: str
    organisation: str
    cycle: str
    survey_date: str


def search_files(
    client: EstatClient, words: str = "", *, kinds: Sequence[str] = (), **narrower: str
) -> list[CatalogFile]:
    """Return the files that match, the ones changed last first.

    Args:
        words: AND, OR and NOT are e-Stat's.
        kinds: which of `KINDS`; all where none is given. `DB` is a table of the database.
        narrower: e-Stat's other parameters, such as `statsCode` or `surveyYears`.

    Raises:
        ApiError: e-Stat refuses a parameter.
        DataError: the entries change while they are read.
    """
    given = {"searchWord": words, "dataType": ",".join(kinds), **narrower, "limit": PAGE_LIMIT}
    files = [file for entry in _entries(client, {k: v for k, v in given.items() if v}) for file in _files(entry)]
    return sorted(files, key=lambda file: (file.modified, file.id), reverse=True)


def _entries(client: EstatClient, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the catalogue's entries of all pages."""
    seen, start = 0, 1
    while True:
        listed = client.ask(
            "getDataCatalog", {**parameters, "startPosition": start}, lambda answer: _listed(answer.body)
        )
        entries = as_nodes(listed.get("DATA_CATALOG_INF"), "DATA_CATALOG_INF")
        yield from entries
        seen, start = seen + len(entries), number(as_node(listed.get("RESULT_INF"), "RESULT_INF"), "NEXT_KEY")
        if not start:
            break
        if not entries:
            raise DataError("e-Stat's list of files does not go on where it said.", hint="Try again.")
    if seen != number(listed, "NUMBER"):
        raise DataError(f"e-Stat says {number(listed, 'NUMBER'):,} entries and sent {seen:,}.", hint="Try again.")


def _listed(body: bytes) -> dict[str, Any]:
    return as_node(parse_document(body, "GET_DATA_CATALOG").get("DATA_CATALOG_LIST_INF"), "DATA_CATALOG_LIST_INF")


def _files(entry: dict[str, Any]) -> Iterator[CatalogFile]:
    dataset = as_node(entry.get("DATASET"), "DATASET")
    title = as_node(dataset.get("TITLE"), "TITLE")
    for resource in as_nodes(as_node(entry.get("RESOURCES"), "RESOURCES").get("RESOURCE"), "RESOURCE"):
        yield CatalogFile(
            id=text(resource.get("@id")),
            title=text(as_node(resource.get("TITLE"), "TITLE").get("NAME")),
            kind=text(resource.get("FORMAT")),
            url=text(resource.get("URL")),
            modified=text(resource.get("LAST_MODIFIED_DATE")),
            released=text(resource.get("RELEASE_DATE")),
            catalog_id=text(entry.get("@id")),
            catalog_title=text(title.get("NAME")),
            survey=text(dataset.get("STAT_NAME")),
            organisation=text(dataset.get("ORGANIZATION")),
            cycle=text(title.get("CYCLE")),
            survey_date=text(title.get("SURVEY_DATE")),
        )
