"""Fetching whole tables from the sandbox: pages that join, a hash of the data alone, filters, replaced tables."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ApiError, DataError, ValidationError
from estat_dagster.estat.fetch import RESTARTS, FetchPlan, fetch_dataset
from estat_dagster.estat.manifest import Manifest
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import TABLE_ID
from tests.estat.small_table import RECORDS, YEARS, MemorySink, client_of, records_of, small_cells, small_table


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([small_table()]) as running:
        yield running


def fetch(sandbox: Sandbox, sink: MemorySink, *, chunk_size: int = 10, scope: dict[str, str] | None = None) -> Manifest:
    return fetch_dataset(client_of(sandbox.base_url), TABLE_ID, scope or {}, sink, FetchPlan(chunk_size, 4))


@given(st.integers(1, RECORDS + 2))
def test_the_pages_of_any_size_make_the_whole_table_and_leave_no_trace_in_the_hash(sandbox: Sandbox, chunk_size: int):
    sink = MemorySink()
    manifest = fetch(sandbox, sink, chunk_size=chunk_size)
    assert sink.records(manifest) == records_of(small_cells())
    assert manifest.total_number == RECORDS
    starts = range(1, RECORDS + 1, chunk_size)
    assert [entry.from_number for entry in manifest.pages] == list(starts)
    assert [entry.to_number for entry in manifest.pages] == [min(s + chunk_size - 1, RECORDS) for s in starts]
    assert [entry.file for entry in manifest.pages] == list(dict.fromkeys(e.file for e in manifest.pages))
    assert {entry.file: entry.sha256 for entry in manifest.pages} == {
        name: hashlib.sha256(wire).hexdigest() for name, wire in sink.pages.items()
    }
    assert all(entry.bytes == len(sink.pages[entry.file]) for entry in manifest.pages)
    assert manifest.content_hash == fetch(sandbox, MemorySink(), chunk_size=RECORDS).content_hash


def test_a_table_of_one_page_is_one_file_and_a_larger_one_a_file_a_page(sandbox: Sandbox):
    single, several = fetch(sandbox, MemorySink(), chunk_size=RECORDS), fetch(sandbox, MemorySink())
    [entry] = single.pages
    assert re.fullmatch(rf"{TABLE_ID}_\d{{8}}T\d{{12}}Z\.json\.gz", entry.file)
    patterns = [rf"{TABLE_ID}_chunk_00{number}_\d{{8}}T\d{{12}}Z\.json\.gz" for number in (1, 2, 3)]
    assert all(re.fullmatch(p, entry.file) for p, entry in zip(patterns, several.pages, strict=True))
    assert len({entry.file.split("_")[-1] for entry in several.pages}) == 1


def test_only_the_first_page_is_asked_with_metadata_and_without_a_position(sandbox: Sandbox):
    sandbox.requests.clear()
    fetch(sandbox, MemorySink(), chunk_size=8)
    first, *others = (dict(seen.params) for seen in sandbox.requests)
    assert first == {"statsDataId": TABLE_ID, "limit": "8"}
    more = {"statsDataId": TABLE_ID, "limit": "8", "metaGetFlg": "N", "explanationGetFlg": "N"}
    assert sorted(others, key=lambda params: int(params["startPosition"])) == [
        {**more, "startPosition": "9"},
        {**more, "startPosition": "17"},
    ]


def test_the_manifest_names_the_request_and_reads_back(sandbox: Sandbox):
    manifest = fetch(sandbox, MemorySink(), scope={"area": "13000"})
    assert manifest.request == {"statsDataId": TABLE_ID, "cdArea": "13000"}
    assert manifest.scope == {"area": "13000"}
    assert (manifest.dataset_id, manifest.updated_date, manifest.source) == (TABLE_ID, "2026-01-01", sandbox.base_url)
    assert manifest.result_date.endswith("+09:00")
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"area": "13000"}, [c for c in small_cells() if c.codes[0] == "13000"]),
        ({"area": "13000,27000", "time": YEARS[0]}, [c for c in small_cells()[7:] if c.codes[1] == YEARS[0]]),
        ({"time": f"{YEARS[1]}..{YEARS[2]}"}, [c for c in small_cells() if c.codes[1] in YEARS[1:3]]),
        ({"time": f"..{YEARS[0]}"}, [c for c in small_cells() if c.codes[1] == YEARS[0]]),
        ({"time": f"{YEARS[6]}.."}, [c for c in small_cells() if c.codes[1] == YEARS[6]]),
        ({"area": "00000", "time": "max"}, [small_cells()[6]]),
    ],
)
def test_a_filter_fetches_its_part_whole(sandbox: Sandbox, scope: dict[str, str], expected: list):
    sink = MemorySink()
    manifest = fetch(sandbox, sink, chunk_size=2, scope=scope)
    assert sink.records(manifest) == records_of(expected)
    assert manifest.total_number == len(expected)


def test_a_filter_that_selects_nothing_is_a_data_error_and_keeps_nothing(sandbox: Sandbox):
    sink = MemorySink()
    with pytest.raises(DataError, match="no data in the table 0000000001 for this filter"):
        fetch(sandbox, sink, scope={"area": "99999"})
    assert sink.pages == {}


def test_a_table_that_is_not_there_is_an_api_error(sandbox: Sandbox):
    with pytest.raises(ApiError) as caught:
        fetch_dataset(client_of(sandbox.base_url), "0000000009", {}, MemorySink())
    assert caught.value.status == 300


def test_what_cannot_be_asked_for_is_refused_before_any_request(sandbox: Sandbox):
    sandbox.requests.clear()
    with pytest.raises(ValidationError, match="東京都"):
        fetch(sandbox, MemorySink(), scope={"area": "東京都"})
    for size in (0, -1, 100_001):
        with pytest.raises(ValidationError, match="chunk size"):
            FetchPlan(size)
    assert not sandbox.requests


CHANGES = {
    "a value": {"produce": lambda: small_cells("2")},
    "a note": {"notes": (("***", "秘匿"), ("-", "該当なし"))},
    "the text of the first footnote": {"annotations": (("a", "別の注"), ("b", "最後の注"))},
    "the text of the last footnote": {"annotations": (("a", "最初の注"), ("b", "別の注"))},
    "a name": {
        "axes": (small_table().axes[0], small_table().axes[1].__class__("time", "年度", small_table().axes[1].items))
    },
    "the order of the records": {"produce": lambda: small_cells()[::-1]},
    "a record less": {"produce": lambda: small_cells()[:-1]},
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_hash_tells_changed_data(sandbox: Sandbox, change: str):
    with Sandbox([small_table(**CHANGES[change])]) as changed:
        hashes = {fetch(changed, MemorySink(), chunk_size=size).content_hash for size in (10, RECORDS)}
    assert len(hashes) == 1
    assert fetch(sandbox, MemorySink()).content_hash not in hashes


def test_the_hash_does_not_tell_another_date(sandbox: Sandbox):
    with Sandbox([small_table("2026-12-31")]) as later:
        manifest = fetch(later, MemorySink())
    assert manifest.updated_date == "2026-12-31"
    assert manifest.content_hash == fetch(sandbox, MemorySink()).content_hash


REPLACEMENTS = {
    "another date": small_table("2026-02-02", produce=lambda: small_cells("2")),
    "more records": small_table(produce=lambda: [*small_cells(), small_cells()[3]]),
    "fewer records": small_table(produce=lambda: small_cells("2")[:3]),
}


@pytest.mark.parametrize("kind", REPLACEMENTS)
def test_a_table_replaced_in_the_middle_is_fetched_again_from_the_start(kind: str):
    new = REPLACEMENTS[kind]
    with Sandbox([small_table()]) as sandbox:
        sink = MemorySink(on_write=lambda name: sandbox.replace(new))
        manifest = fetch(sandbox, sink, chunk_size=5)
    assert sink.records(manifest) == records_of(new.cells)
    assert set(sink.pages) == {entry.file for entry in manifest.pages}
    assert sink.removed, "the pages of the first try are gone"


def test_a_table_that_keeps_being_replaced_is_given_up_and_nothing_is_kept():
    with Sandbox([small_table()]) as sandbox:
        versions = iter(range(100))
        sink = MemorySink(on_write=lambda name: sandbox.replace(small_table(f"version {next(versions)}")))
        with pytest.raises(DataError, match=f"during each of {RESTARTS} fetches"):
            fetch(sandbox, sink, chunk_size=20)
        assert sum("startPosition" not in seen.params for seen in sandbox.requests) == RESTARTS
    assert sink.pages == {}
