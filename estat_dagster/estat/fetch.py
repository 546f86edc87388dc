"""Fetching a dataset: page 1 tells how many there are, the others come side by side, and only a whole table counts.

Where the bytes go is the caller's matter, through `PageSink`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from estat_dagster.errors import DataError, ValidationError
from estat_dagster.estat.client import PAGE_LIMIT, Answer, EstatClient
from estat_dagster.estat.manifest import Manifest, PageEntry, content_hash
from estat_dagster.estat.pages import NO_DATA, StatsPage
from estat_dagster.estat.scope import Scope, narrowing
from estat_dagster.telemetry import log

RESTARTS = 3


class PageSink(Protocol):
    """Where pages are kept: `write` stores one under a name, `remove` takes it back, `read` gives it again."""

    def write(self, name: str, wire: bytes) -> None:
        """Store the gzip bytes of a page."""

    def remove(self, name: str) -> None:
        """Take a page back, of a fetch that failed."""

    def read_page(self, name: str) -> StatsPage:
        """Return a stored page, read again."""


@dataclass(frozen=True)
class FetchPlan:
    """How to fetch: records a page, and requests at once."""

    chunk_size: int = PAGE_LIMIT
    max_concurrent: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.chunk_size <= PAGE_LIMIT:
            raise ValidationError(
                f"A chunk size of {self.chunk_size:,} is not possible.", hint=f"Choose 1 to {PAGE_LIMIT:,} records."
            )


class _ReplacedError(Exception):
    """The table was replaced between two pages."""


def fetch_dataset(
    client: EstatClient, dataset_id: str, scope: Scope, sink: PageSink, plan: FetchPlan | None = None
) -> Manifest:
    """Fetch the scope of a dataset into the sink and return the manifest, which the caller stores last.

    A table that e-Stat replaces in the middle is fetched again from the start.

    Raises:
        DataError: there are no data, the pages do not make a whole, or the table keeps being replaced.
        DataLakeError: as every request. The sink then holds nothing of this fetch.
    """
    plan = plan or FetchPlan()
    for _ in range(RESTARTS):
        attempt = _Fetch(client, dataset_id, scope, sink, plan)
        try:
            return attempt.run()
        except _ReplacedError as change:
            attempt.discard()
            log("fetch", f"The table was replaced in the middle: {change}. Starting again.", dataset_id=dataset_id)
        except BaseException:
            attempt.discard()
            raise
    raise DataError(
        f"e-Stat replaced the table {dataset_id} during each of {RESTARTS} fetches.",
        hint="Try again when e-Stat has finished updating it.",
        dataset_id=dataset_id,
    )


class _Fetch:
    """One try at a whole table."""

    def __init__(self, client: EstatClient, dataset_id: str, scope: Scope, sink: PageSink, plan: FetchPlan) -> None:
        self._client, self._dataset_id, self._scope, self._sink, self._plan = client, dataset_id, scope, sink, plan
        self._request = {"statsDataId": dataset_id, **narrowing(scope)}
        self._started = datetime.now(UTC)
        self._written: list[str] = []

    def run(self) -> Manifest:
        answer, first = self._client.get_page({**self._request, "limit": self._plan.chunk_size})
        self._refuse_empty(first)
        starts = range(1 + self._plan.chunk_size, first.total_number + 1, self._plan.chunk_size)
        entries = [self._keep(answer, first, 1, alone=not starts)]
        with ThreadPoolExecutor(max_workers=self._plan.max_concurrent) as pool:
            try:
                entries += pool.map(lambda start: self._fetch_page(start, first), starts)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        _check_contiguous(entries, first.total_number, self._dataset_id)
        return self._manifest(first, entries)

    def discard(self) -> None:
        for name in self._written:
            self._sink.remove(name)

    def _fetch_page(self, start: int, first: StatsPage) -> PageEntry:
        answer, page = self._client.get_page(
            {
                **self._request,
                "limit": self._plan.chunk_size,
                "startPosition": start,
                "metaGetFlg": "N",
                "explanationGetFlg": "N",
            }
        )
        now = (page.table.updated_date, page.total_number)
        if now != (first.table.updated_date, first.total_number):
            raise _ReplacedError(f"from {first.total_number:,} records of {first.table.updated_date} to {now}")
        return self._keep(answer, page, start, alone=False)

    def _keep(self, answer: Answer, page: StatsPage, start: int, *, alone: bool) -> PageEntry:
        expected = min(start + self._plan.chunk_size - 1, page.total_number)
        found = page.count_values()
        if (page.from_number, page.to_number, found) != (start, expected, expected - start + 1):
            raise DataError(
                f"A page of {self._dataset_id} is not whole: asked for records {start:,} to {expected:,}, it says "
                f"{page.from_number:,} to {page.to_number:,} and holds {found:,}.",
                hint="Load the dataset again; if it stays, report it to e-Stat.",
                dataset_id=self._dataset_id,
            )
        chunk = "" if alone else f"_chunk_{(start - 1) // self._plan.chunk_size + 1:03d}"
        name = f"{self._dataset_id}{chunk}_{self._timestamp}.json.gz"
        self._written.append(name)
        self._sink.write(name, answer.wire)
        log("fetch", f"records {start:,} to {expected:,} of {page.total_number:,}", dataset_id=self._dataset_id)
        return PageEntry(name, start, expected, len(answer.wire), hashlib.sha256(answer.wire).hexdigest())

    def _manifest(self, first: StatsPage, entries: Sequence[PageEntry]) -> Manifest:
        return Manifest(
            dataset_id=self._dataset_id,
            source=self._client.source,
            scope=dict(self._scope),
            request=self._request,
            fetched_at=self._started.isoformat(timespec="seconds"),
            result_date=first.date,
            updated_date=first.table.updated_date,
            total_number=first.total_number,
            content_hash=content_hash(self._sink.read_page(entry.file) for entry in entries),
            pages=tuple(entries),
        )

    def _refuse_empty(self, page: StatsPage) -> None:
        if page.status == NO_DATA or page.total_number == 0:
            part = " for this filter" if self._scope else ""
            raise DataError(
                f"e-Stat has no data in the table {self._dataset_id}{part}.",
                hint="`estat describe ID` shows its axes and codes; `estat search WORDS` finds other tables.",
                dataset_id=self._dataset_id,
            )

    @property
    def _timestamp(self) -> str:
        return self._started.strftime("%Y%m%dT%H%M%S%fZ")


def _check_contiguous(entries: Sequence[PageEntry], total: int, dataset_id: str) -> None:
    position = 1
    for entry in entries:
        if entry.from_number != position:
            raise DataError(f"The pages of {dataset_id} have a gap before record {position:,}.", dataset_id=dataset_id)
        position = entry.to_number + 1
    if position != total + 1:
        raise DataError(f"{dataset_id} has {total:,} records, {position - 1:,} came.", dataset_id=dataset_id)
