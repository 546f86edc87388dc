"""Scopes of more codes than e-Stat takes at once: several requests, one fetch; and plans, limits and guesses."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estat_dagster.errors import DataError, ValidationError
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.estat.manifest import Manifest, merge_class_inf
from estat_dagster.estat.plan import estimate_fetch
from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.server import Sandbox
from tests.estat.answers import TABLE_ID
from tests.estat.small_table import MemorySink, client_of, small_cells, small_table

AREAS = tuple(f"{code:05}" for code in range(1_000, 1_250))
KINDS, YEARS = ("A", "B"), ("2020000000", "2021000000")


def wide_table(*, slowest: bool, updated: str = "2026-01-01", areas: tuple[str, ...] = AREAS) -> Table:
    """Return a table of 250 areas; they change most slowly, or faster than the kind."""
    area = Axis(
        "area", "地域", tuple(Item(code, f"地域{code}", level="2" if code < "01010" else "3") for code in AREAS)
    )
    kind = Axis("cat01", "種別", tuple(Item(code, code) for code in KINDS))
    time = Axis("time", "年", tuple(Item(code, f"{code[:4]}年") for code in YEARS))
    axes = (area, kind, time) if slowest else (kind, area, time)
    codes = [(a, k, t) if slowest else (k, a, t) for a in areas for k in KINDS for t in YEARS]
    cells = [Cell(each, "".join(each)) for each in (codes if slowest else sorted(codes))]
    facts = {"@id": TABLE_ID, "UPDATED_DATE": updated, "OVERALL_TOTAL_NUMBER": None, "TITLE_SPEC": {}}
    return Table(facts, axes, lambda: cells, (("-", "該当なし"),))


@pytest.fixture(scope="module", params=[True, False], ids=["area first", "kind first"])
def wide(request: pytest.FixtureRequest) -> Iterator[tuple[Sandbox, bool]]:
    with Sandbox([wide_table(slowest=request.param)]) as running:
        yield running, request.param


def fetch(sandbox: Sandbox, sink: MemorySink, scope: dict[str, str], **how: int) -> Manifest:
    plan = FetchPlan(**({"chunk_size": 70} | how))
    return fetch_dataset(client_of(sandbox.base_url, "test"), TABLE_ID, scope, sink, plan)


@settings(max_examples=10)
@given(st.integers(40, 400), st.integers(1, 6))
def test_parts_make_a_whole_whose_positions_count_through(wide: tuple[Sandbox, bool], size: int, at_once: int):
    sandbox, slowest = wide
    scope, sink = {"area": ",".join(AREAS[:201])}, MemorySink()
    manifest = fetch(sandbox, sink, scope, chunk_size=size, max_concurrent=at_once)
    expected = 0
    for entry in manifest.pages:
        assert entry.from_number == expected + 1
        expected = entry.to_number
    assert expected == manifest.total_number == 201 * 4
    assert [part.total_number for part in manifest.parts] == [400, 400, 4]
    assert manifest.faults(lambda entry: sink.read_page(entry.file)) == []
    found = {(r["@area"], r["@cat01"], r["@time"]): r["$"] for r in sink.records(manifest)}
    assert len(found) == 201 * 4
    assert set(found) == {(a, k, t) for a in AREAS[:201] for k in KINDS for t in YEARS}
    metadata = manifest.metadata(sink.read_page(manifest.pages[0].file))
    assert [item.code for item in metadata.axes[0 if slowest else 1].classes] == list(AREAS[:201])
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_parts_leave_no_trace_in_the_hash_where_their_axis_changes_most_slowly(wide: tuple[Sandbox, bool]):
    sandbox, slowest = wide
    listed = {"area": ",".join(AREAS[:201])}
    split = {fetch(sandbox, MemorySink(), listed, chunk_size=size).content_hash for size in (70, 400)}
    whole = fetch(sandbox, MemorySink(), {"area": f"{AREAS[0]}..{AREAS[200]}"}, chunk_size=50).content_hash
    assert len(split) == 1
    assert (split == {whole}) is slowest


def test_a_part_without_records_is_no_gap_and_no_part_with_any_is_an_error():
    some = (*AREAS[:100], AREAS[249])
    with Sandbox([wide_table(slowest=True, areas=some)]) as sandbox:
        sink = MemorySink()
        manifest = fetch(sandbox, sink, {"area": ",".join(AREAS)})
        assert [part.total_number for part in manifest.parts] == [400, 0, 4]
        assert manifest.total_number == 404
        assert manifest.faults(lambda entry: sink.read_page(entry.file)) == []
        with pytest.raises(DataError, match="no data"):
            fetch(sandbox, MemorySink(), {"area": ",".join(AREAS[100:249])})


def test_a_table_replaced_between_two_parts_is_fetched_again():
    with Sandbox([wide_table(slowest=True)]) as sandbox:
        newer = wide_table(slowest=True, updated="2026-02-02")
        sink = MemorySink(on_write=lambda name: sandbox.replace(newer))
        manifest = fetch(sandbox, sink, {"area": ",".join(AREAS)}, chunk_size=400, max_concurrent=1)
    assert manifest.updated_date == "2026-02-02"
    assert sink.removed
    assert {sink.read_page(entry.file).table.updated_date for entry in manifest.pages} == {"2026-02-02"}


def test_parts_are_taken_up_again(wide: tuple[Sandbox, bool]):
    sandbox, _ = wide
    scope, left = {"area": ",".join(AREAS[:120])}, iter([True] * 3)

    def break_off(name: str) -> None:
        if not next(left, False):
            raise KeyboardInterrupt

    sink = MemorySink(break_off)
    with pytest.raises(KeyboardInterrupt):
        fetch(sandbox, sink, scope, chunk_size=80, max_concurrent=1)
    sink._on_write = lambda name: None
    sandbox.requests.clear()
    manifest = fetch(sandbox, sink, scope, chunk_size=80)
    assert len(sandbox.requests) == len(manifest.pages) - 3 == 3
    assert manifest.content_hash == fetch(sandbox, MemorySink(), scope).content_hash


FAULTS = {
    "a page that is not where it was": lambda m: m.pages[::-1],
    "a page too few": lambda m: m.pages[:-1],
    "a page too many": lambda m: (*m.pages, m.pages[-1]),
    "positions that overlap": lambda m: (
        *m.pages[:1],
        msgspec.structs.replace(m.pages[1], from_number=m.pages[1].from_number - 1),
        msgspec.structs.replace(m.pages[2], from_number=m.pages[2].from_number + 1),
        *m.pages[3:],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("codes", [5, 150])
def test_a_manifest_that_its_pages_contradict_is_found_out(wide: tuple[Sandbox, bool], fault: str, codes: int):
    sandbox, _ = wide
    sink = MemorySink()
    manifest = fetch(sandbox, sink, {"area": ",".join(AREAS[:codes])}, chunk_size=9)
    changed = Manifest(
        **{name: getattr(manifest, name) for name in manifest.__struct_fields__} | {"pages": FAULTS[fault](manifest)}
    )
    assert changed.faults(lambda entry: sink.read_page(entry.file))


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True), min_size=1, max_size=4))
def test_merged_classes_are_each_there_once_in_the_order_of_their_coming(parts: list[list[int]]):
    def inf(codes: list[int]) -> bytes:
        classes = [{"@code": str(code), "@name": f"名{code}"} for code in codes]
        axis = {"@id": "area", "@name": "地域", "CLASS": classes[0] if len(classes) == 1 else classes}
        return json.dumps(
            {"CLASS_OBJ": [axis, {"@id": "time", "CLASS": {"@code": "2020"}}]}, separators=(",", ":")
        ).encode()

    merged = merge_class_inf([inf(codes) for codes in parts])
    flat = list(dict.fromkeys(code for codes in parts for code in codes))
    assert merged == inf(flat)


# Plans


def test_a_plan_counts_exactly_and_advises_what_would_help(wide: tuple[Sandbox, bool]):
    sandbox, _ = wide
    plan = estimate_fetch(client_of(sandbox.base_url), TABLE_ID, {}, FetchPlan(chunk_size=300))
    assert (plan.records, plan.requests) == (1_000, 4)
    assert plan.bytes > 0
    assert plan.seconds > 0
    assert "area=level:2 (10 of the 250 classes of 地域) leaves about 40 records" in plan.advice
    split = estimate_fetch(client_of(sandbox.base_url), TABLE_ID, {"area": ",".join(AREAS[:150])}, FetchPlan(300))
    assert (split.records, split.requests) == (600, 3)
    assert estimate_fetch(client_of(sandbox.base_url), TABLE_ID).advice == ()


def test_advice_that_is_followed_leaves_about_what_it_says(wide: tuple[Sandbox, bool]):
    sandbox, _ = wide
    assert estimate_fetch(client_of(sandbox.base_url), TABLE_ID, {"area": "level:2"}).records == 40


@pytest.mark.parametrize("scope", [{}, {"area": ",".join(AREAS[:240])}])
def test_more_records_than_allowed_are_refused_before_anything_is_fetched(
    wide: tuple[Sandbox, bool], scope: dict[str, str]
):
    sandbox, _ = wide
    sandbox.requests.clear()
    sink = MemorySink()
    with pytest.raises(ValidationError, match="more than the 900 that may be fetched") as caught:
        fetch(sandbox, sink, scope, max_records=900)
    assert "Nothing was fetched" in caught.value.hint
    assert "cat01=CODE" in caught.value.hint
    assert (sink.pages, sink.record) == ({}, None)
    assert all(seen.params.get("cntGetFlg") == "Y" for seen in sandbox.requests if "getStatsData" in seen.path)


def test_as_many_records_as_allowed_are_fetched_whole(wide: tuple[Sandbox, bool]):
    sandbox, _ = wide
    assert fetch(sandbox, MemorySink(), {}, max_records=1_000).total_number == 1_000


@pytest.mark.parametrize("how", [{"max_records": 0}, {"interval": -1.0}, {"interval": 1e9}, {"max_concurrent": 0}])
def test_a_plan_that_makes_no_sense_is_refused(how: dict[str, float]):
    with pytest.raises(ValidationError):
        FetchPlan(**how)  # type: ignore[arg-type]


@settings(max_examples=20)
@given(st.integers(0, 60), st.integers(1, 25))
def test_a_guess_of_the_size_changes_no_result(expected: int, size: int):
    with Sandbox([small_table()]) as sandbox:
        sink = MemorySink()
        manifest = fetch(sandbox, sink, {}, chunk_size=size, expected=expected)
        pages = len(manifest.pages)
        assert len(sink.records(manifest)) == len(small_cells())
        assert manifest.faults(lambda entry: sink.read_page(entry.file)) == []
        assert set(sink.pages) == {entry.file for entry in manifest.pages}
        if expected <= len(small_cells()):
            assert len(sandbox.requests) == pages
        else:
            assert len(sandbox.requests) <= max(pages, -(-expected // size))
