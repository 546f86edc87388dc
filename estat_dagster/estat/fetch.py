"""Fetching a dataset: the first answer tells how many records there are, the pages come side by side, and only a whole
table counts. Where the bytes go is the caller's matter, through `PageSink`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from estat_dagster.errors import ApiError, DataError, DataLakeError
from estat_dagster.estat.client import Answer, EstatClient
from estat_dagster.estat.ledger import Ledger, Order, PageSink, ReplacedError
from estat_dagster.estat.manifest import Manifest, PageEntry, Part, content_hash, merge_class_inf
from estat_dagster.estat.pages import StatsPage
from estat_dagster.estat.parallel import ParallelFetcher
from estat_dagster.estat.plan import FetchPlan, refuse_larger
from estat_dagster.estat.scope import Scope, narrowing, split_scope
from estat_dagster.parallel import side_by_side
from estat_dagster.telemetry import log

__all__ = ["RESTARTS", "FetchPlan", "PageSink", "fetch_dataset"]

RESTARTS = 3
BAD_VALUE = range(102, 106)
"""The STATUS of a parameter that cannot be, as a position behind the last record may be."""


def fetch_dataset(
    client: EstatClient, dataset_id: str, scope: Scope, sink: PageSink, plan: FetchPlan | None = None
) -> Manifest:
    """Fetch the scope of a dataset into the sink and return the manifest, which the caller stores last.

    A table that e-Stat replaces in the middle is fetched again from the start. What a fetch that broke off has left is
    used (see `ledger`).

    Raises:
        ValidationError: the scope has more records than the plan allows; nothing of it was fetched.
        DataError: there are no data, the pages do not make a whole, or the table keeps being replaced. The sink then
            holds nothing of this fetch.
        DataLakeError: as every request. Where trying again may help, the pages stay for the next try.
    """
    plan = plan or FetchPlan()
    if plan.max_records is not None:
        plan = replace(plan, expected=refuse_larger(client, dataset_id, scope, plan))
    for _ in range(RESTARTS):
        attempt = _Fetch(client, dataset_id, scope, sink, plan)
        try:
            return attempt.run()
        except ReplacedError as change:
            attempt.ledger.drop()
            plan = replace(plan, expected=0)  # that guess may have been what went wrong
            log("fetch", f"The table was replaced in the middle: {change}. Starting again.", dataset_id=dataset_id)
        except DataLakeError as error:
            if not error.can_retry:
                attempt.ledger.drop()
            raise
    raise DataError(
        f"e-Stat replaced the table {dataset_id} during each of {RESTARTS} fetches.",
        hint="Try again when e-Stat has finished updating it.",
        dataset_id=dataset_id,
    )


class _Task(NamedTuple):
    """A page to ask for: the number of its request, and its first record there."""

    part: int
    start: int


class _Fetch:
    """One try at a whole table."""

    def __init__(self, client: EstatClient, dataset_id: str, scope: Scope, sink: PageSink, plan: FetchPlan) -> None:
        self._client, self._dataset_id, self._scope, self._sink, self._plan = client, dataset_id, scope, sink, plan
        self._requests = tuple({"statsDataId": dataset_id, **narrowing(piece)} for piece in split_scope(scope))
        self._started = datetime.now(UTC)
        self._stamp = self._started.strftime("%Y%m%dT%H%M%S%fZ")
        self.ledger = Ledger(sink, Order(client.source, self._requests, plan.chunk_size), self._stamp)
        self._asked: set[_Task] = set()

    def run(self) -> Manifest:
        self.ledger.open()
        tasks = list(self._first_tasks())
        if tasks:
            self._asked.update(tasks)
            ParallelFetcher(self._plan.max_concurrent, self._plan.interval).run(tasks, self._fetch_page)
        else:
            self._confirm()
        manifest = self._manifest(self._whole())
        self.ledger.close()
        return manifest

    def _first_tasks(self) -> Iterator[_Task]:
        """Return the pages that are missing as far as it is known, the first of each request to begin with."""
        parts = range(1, len(self._requests) + 1)
        unknown = [part for part in parts if self.ledger.total(part) is None]
        yield from (_Task(part, 1) for part in unknown)
        for part in parts:
            if part not in unknown:
                yield from self._missing(part, self.ledger.total(part) or 0)
        if unknown == [1] and len(parts) == 1:
            yield from (task for task in self._missing(1, self._plan.expected) if task.start > 1)

    def _missing(self, part: int, total: int) -> Iterator[_Task]:
        starts = range(1, total + 1, self._plan.chunk_size)
        return (_Task(part, start) for start in starts if not self.ledger.holds(part, start))

    def _fetch_page(self, task: _Task) -> Sequence[_Task]:
        """Ask for a page, keep it, and return the others of its part where this answer is the first that tells them."""
        known = self.ledger.total(task.part)
        if known is not None and task.start > max(known, 1):
            return ()
        try:
            answer, page = self._client.get_page(self._parameters(task))
        except ApiError as error:
            if known is None and task.start > 1 and error.status in BAD_VALUE:
                raise ReplacedError(f"there are no records from {task.start:,} on") from error
            raise
        is_first = self.ledger.agree(task.part, page)
        if task.start <= page.total_number:
            self._keep(task, answer, page)
        if not is_first:
            return ()
        others = [each for each in self._missing(task.part, page.total_number) if each not in self._asked]
        self._asked.update(others)
        return others

    def _parameters(self, task: _Task) -> dict[str, object]:
        asked = {**self._requests[task.part - 1], "limit": self._plan.chunk_size}
        if task.start == 1:
            return asked
        return {**asked, "startPosition": task.start, "metaGetFlg": "N", "explanationGetFlg": "N"}

    def _keep(self, task: _Task, answer: Answer, page: StatsPage) -> None:
        end = min(task.start + self._plan.chunk_size - 1, page.total_number)
        found = page.count_values()
        if (page.from_number, page.to_number, found) != (task.start, end, end - task.start + 1):
            raise DataError(
                f"A page of {self._dataset_id} is not whole: asked for records {task.start:,} to {end:,}, it says "
                f"{page.from_number:,} to {page.to_number:,} and holds {found:,}.",
                hint="Load the dataset again; if it stays, report it to e-Stat.",
                dataset_id=self._dataset_id,
            )
        if page.table.id != self._dataset_id:
            raise DataError(
                f"e-Stat answered with the table {page.table.id or '(without an id)'}, not {self._dataset_id}.",
                hint="Load the dataset again; if it stays, report it to e-Stat.",
                dataset_id=self._dataset_id,
            )
        if task.start == 1 and not page.axes:
            raise DataError(
                f"e-Stat sent records of {self._dataset_id} without CLASS_INF, which says what their codes mean.",
                hint="Load the dataset again; if it stays, report it to e-Stat.",
                dataset_id=self._dataset_id,
            )
        name = self._file(task, alone=end == page.total_number and task.start == 1)
        self._sink.write(name, answer.wire)
        sha256, values = hashlib.sha256(answer.wire).hexdigest(), hashlib.sha256(page.values).hexdigest()
        self.ledger.add(PageEntry(name, task.start, end, len(answer.wire), sha256, values, task.part))
        log("fetch", f"records {task.start:,} to {end:,} of {page.total_number:,}", dataset_id=self._dataset_id)

    def _file(self, task: _Task, *, alone: bool) -> str:
        part = f"_part_{task.part:03d}" if len(self._requests) > 1 else ""
        chunk = "" if alone else f"_chunk_{(task.start - 1) // self._plan.chunk_size + 1:03d}"
        return f"{self._dataset_id}{part}{chunk}_{self._stamp}.json.gz"

    def _confirm(self) -> None:
        """Ask whether the table is still the one of the pages, where all of them were there already."""
        for part, request in enumerate(self._requests, start=1):
            self.ledger.agree(part, self._client.get_page({**request, "cntGetFlg": "Y", "metaGetFlg": "N"})[1])

    def _whole(self) -> tuple[PageEntry, ...]:
        """Return the pages of all parts with positions that count through.

        Raises:
            DataError: there are none, or they leave a gap.
        """
        entries = [each for part in range(1, len(self._requests) + 1) for each in self._whole_part(part)]
        if not entries:
            part = " for this filter" if self._scope else ""
            raise DataError(
                f"e-Stat has no data in the table {self._dataset_id}{part}.",
                hint="`estat describe ID` shows its axes and codes; `estat search WORDS` finds other tables.",
                dataset_id=self._dataset_id,
            )
        return tuple(_counted_through(entries))

    def _whole_part(self, part: int) -> list[PageEntry]:
        entries = [entry for entry in self.ledger.pages if entry.part == part]
        position, total = 1, self.ledger.total(part) or 0
        for entry in entries:
            if entry.from_number != position:
                break
            position = entry.to_number + 1
        if position != total + 1:
            raise DataError(
                f"{self._dataset_id} has {total:,} records, {position - 1:,} came without a gap.",
                dataset_id=self._dataset_id,
            )
        return entries

    def _manifest(self, pages: tuple[PageEntry, ...]) -> Manifest:
        several = len(self._requests) > 1
        firsts = (entry for number, entry in enumerate(pages) if not number or entry.part != pages[number - 1].part)
        class_inf = merge_class_inf([self._sink.read_page(e.file).class_inf for e in firsts]) if several else None
        parts = [Part(request, self.ledger.total(part) or 0) for part, request in enumerate(self._requests, start=1)]
        return Manifest(
            dataset_id=self._dataset_id,
            source=self._client.source,
            scope=dict(self._scope),
            request={"statsDataId": self._dataset_id} if several else self._requests[0],
            fetched_at=self._started.isoformat(timespec="seconds"),
            result_date=self.ledger.result_date,
            updated_date=self.ledger.updated_date,
            total_number=sum(part.total_number for part in parts),
            content_hash=content_hash(side_by_side(self._sink.read_page, [e.file for e in pages]), class_inf),
            pages=pages,
            stamp=self._stamp,
            parts=tuple(parts) if several else (),
            class_inf=msgspec.json.decode(class_inf) if class_inf else None,
        )


def _counted_through(entries: Iterable[PageEntry]) -> Iterator[PageEntry]:
    position = 1
    for entry in entries:
        size = entry.to_number - entry.from_number + 1
        yield msgspec.structs.replace(entry, from_number=position, to_number=position + size - 1)
        position += size
