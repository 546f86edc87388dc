"""A fetch that breaks off leaves its pages; the next one asks for what is missing, and never mixes two tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estat_dagster.errors import DataError, StorageError
from estat_dagster.estat.days import JAPAN
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.estat.manifest import Manifest
from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import TABLE_ID
from tests.estat.small_table import RECORDS, MemorySink, client_of, records_of, small_cells, small_table

SIZE = 4
STARTS = tuple(range(1, RECORDS + 1, SIZE))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([small_table()]) as running:
        yield running


class BreakingSink(MemorySink):
    """A sink in which the fetch ends after so many pages, as a process does that is killed."""

    def __init__(self, most: int, error: BaseException | None = None) -> None:
        super().__init__(self._count)
        self.left, self._error = most, error or KeyboardInterrupt()

    def _count(self, name: str) -> None:
        if not self.left:
            raise self._error
        self.left -= 1


def fetch(sandbox: Sandbox, sink: MemorySink, scope: dict[str, str] | None = None, **how: Any) -> Manifest:
    plan = FetchPlan(**({"chunk_size": SIZE, "max_concurrent": 4} | how))
    return fetch_dataset(client_of(sandbox.base_url, "test"), TABLE_ID, scope or {}, sink, plan)


def broken_off(sandbox: Sandbox, pages: int, *, at_once: int = 4, scope: dict[str, str] | None = None) -> BreakingSink:
    """Return a sink with so many pages of a fetch that broke off."""
    sink = BreakingSink(pages)
    with pytest.raises(KeyboardInterrupt):
        fetch(sandbox, sink, scope, max_concurrent=at_once)
    assert len(sink.pages) == pages
    sink.left = 1_000
    sandbox.requests.clear()
    return sink


def asked(sandbox: Sandbox) -> list[int]:
    return sorted(int(seen.params.get("startPosition", 1)) for seen in sandbox.requests)


def check_whole(sink: MemorySink, manifest: Manifest, table: Table) -> None:
    assert sink.records(manifest) == records_of(table.cells)
    assert set(sink.pages) == {entry.file for entry in manifest.pages}
    assert sink.record is None
    assert manifest.faults(lambda entry: sink.read_page(entry.file)) == []


@settings(max_examples=15)
@given(st.integers(1, len(STARTS) - 1), st.integers(1, 6), st.integers(1, 6))
def test_only_what_is_missing_is_asked_for(sandbox: Sandbox, pages: int, before: int, after: int):
    sink = broken_off(sandbox, pages, at_once=before)
    held = {entry["from_number"] for entry in msgspec.json.decode(sink.record or b"")["pages"]}
    manifest = fetch(sandbox, sink, max_concurrent=after)
    assert asked(sandbox) == [start for start in STARTS if start not in held]
    assert len(held) == pages
    check_whole(sink, manifest, small_table())
    assert manifest.content_hash == fetch(sandbox, MemorySink()).content_hash


@settings(max_examples=15)
@given(st.lists(st.integers(0, 2), max_size=6))
def test_a_fetch_may_break_off_as_often_as_it_likes(sandbox: Sandbox, breaks: list[int]):
    sink = BreakingSink(0, StorageError("the disk is full"))
    for pages in [*breaks, 1_000]:
        sink.left = pages
        try:
            manifest = fetch(sandbox, sink)
        except StorageError:
            continue
        check_whole(sink, manifest, small_table())
        return
    raise AssertionError("the last fetch broke off")


def test_where_every_page_is_there_only_the_count_is_asked_for(sandbox: Sandbox):
    sink = MemorySink()
    kept, sink.read_page = sink.read_page, crash  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        fetch(sandbox, sink)
    sink.read_page = kept  # type: ignore[method-assign]
    sandbox.requests.clear()
    check_whole(sink, fetch(sandbox, sink), small_table())
    [seen] = sandbox.requests
    assert seen.params == {"statsDataId": TABLE_ID, "cntGetFlg": "Y", "metaGetFlg": "N"}


def crash(name: str) -> Any:
    raise KeyboardInterrupt


NEWER = {
    "another date": small_table("2026-02-02", produce=lambda: small_cells("2")),
    "fewer records": small_table(produce=lambda: small_cells("2")[:9]),
}


@pytest.mark.parametrize("kind", NEWER)
@pytest.mark.parametrize("pages", [1, 5])
def test_pages_of_a_table_that_was_replaced_meanwhile_are_not_used(kind: str, pages: int):
    with Sandbox([small_table()]) as sandbox:
        sink = broken_off(sandbox, pages, at_once=1)
        old = set(sink.pages)
        sandbox.replace(NEWER[kind])
        check_whole(sink, fetch(sandbox, sink), NEWER[kind])
    assert not old & set(sink.pages)


def test_pages_of_the_day_of_the_update_are_not_used():
    today = datetime.now(JAPAN).date().isoformat()
    with Sandbox([small_table(today)]) as sandbox:
        sink = broken_off(sandbox, 3)
        sandbox.replace(small_table(today, produce=lambda: small_cells("2")))
        check_whole(sink, fetch(sandbox, sink), small_table(produce=lambda: small_cells("2")))


def damage(sink: MemorySink) -> None:
    name = sorted(sink.pages)[1]
    sink.pages[name] = sink.pages[name][:-1] + b"x"


def lose(sink: MemorySink) -> None:
    del sink.pages[sorted(sink.pages)[1]]


@pytest.mark.parametrize("harm", [damage, lose])
def test_a_page_that_is_not_the_one_that_was_stored_is_asked_for_again(
    sandbox: Sandbox, harm: Callable[[MemorySink], None]
):
    sink = broken_off(sandbox, 4, at_once=1)
    harm(sink)
    check_whole(sink, fetch(sandbox, sink), small_table())
    assert asked(sandbox) == [5, 17, 21]


def test_a_file_that_the_record_does_not_name_goes_too(sandbox: Sandbox):
    sink = broken_off(sandbox, 2, at_once=1)
    name = sorted(sink.pages)[0].replace("_001_", "_006_")
    sink.pages |= {name: b"stored, and the process was killed before it noted so", f"{name}.0a.tmp": b"half"}
    check_whole(sink, fetch(sandbox, sink), small_table())


@pytest.mark.parametrize("other", [{"scope": {"area": "13000"}}, {"chunk_size": 5}])
def test_pages_of_another_request_are_not_used_and_go(sandbox: Sandbox, other: dict[str, Any]):
    sink = broken_off(sandbox, 3)
    old = set(sink.pages)
    manifest = fetch(sandbox, sink, **other)
    assert set(sink.pages) == {entry.file for entry in manifest.pages}
    assert not old & set(sink.pages)
    part = [cell for cell in small_cells() if cell.codes[0] == "13000"] if "scope" in other else small_cells()
    assert sink.records(manifest) == records_of(part)


def test_a_record_that_cannot_be_read_counts_as_none(sandbox: Sandbox):
    sink = MemorySink()
    sink.record = b"{"
    check_whole(sink, fetch(sandbox, sink), small_table())


def test_pages_that_do_not_make_a_whole_are_not_kept_for_the_next_fetch():
    with Sandbox([small_table(produce=lambda: [*small_cells()[:8], *small_cells()[:4]])]) as sandbox:
        sink = MemorySink()
        with pytest.raises(DataError, match="the same records twice"):
            fetch(sandbox, sink)
    assert (sink.pages, sink.record) == ({}, None)
