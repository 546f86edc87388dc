"""Files appear whole or not at all; staged frames count with their report; sorted Parquet is sorted."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.columns import arrow_schema, encoded
from estat_dagster.errors import DataError, StorageError, ValidationError
from estat_dagster.lake import datafiles, rowgroups
from estat_dagster.lake import frames as stored_frames
from estat_dagster.lake.datafiles import write_data_files
from estat_dagster.lake.frames import FrameWriter
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.parquet import read_groups, read_version, write_parquet
from estat_dagster.lake.raw import RawPages
from estat_dagster.lake.store import Store
from estat_dagster.records.texts import TEXTS
from tests.lake.shore import POPULATION, frame, group, lake_in

A = "0000000001"


def files(store: Store) -> list[str]:
    return sorted(file.path for file in store.walk(""))


def test_a_file_that_was_not_finished_does_not_appear(store: Store) -> None:
    store.write("a/b", b"before")
    with pytest.raises(StorageError), store.writing("a/b") as stream:
        break_off(stream)
    assert store.read("a/b") == b"before"
    assert files(store) == ["a/b"]


def break_off(stream: Any) -> None:
    stream.write(b"half")
    raise OSError("[errno 28] No space left on device")


def write_then_fail(writer: FrameWriter) -> None:
    writer.write(1, frame(A, [3.0]))
    raise pa.ArrowInvalid


def test_bytes_come_back_as_they_were_even_compressed_ones(store: Store) -> None:
    for name in ("page.json.gz", "x.zst", "plain"):
        store.write(name, b"\x1f\x8b not really")
        assert store.read(name) == b"\x1f\x8b not really"


def test_what_is_not_there_is_said_by_name(store: Store) -> None:
    with pytest.raises(StorageError, match="nothing-here"):
        store.read("nothing-here")
    assert store.names("no-folder") == []
    assert not store.exists("nothing-here")
    store.remove("nothing-here")


def test_a_folder_that_cannot_be_made_is_a_storage_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"could not be written.*DATALAKE_HOME"):
        Store.local(tmp_path / "file" / "lake").write("x", b"")


def test_frames_count_with_their_report_and_replace_the_ones_before(lake: Lake) -> None:
    frames = lake.frames(POPULATION, A, "transformed")
    with pytest.raises(DataError, match="no transformed rows yet"):
        list(frames)
    with frames.writer() as writer:
        writer.write(2, frame(A, [2.0]))
        writer.write(1, frame(A, [1.0]))
        writer.finish({"version": "1"})
    with pytest.raises(pa.ArrowInvalid), frames.writer() as writer:
        write_then_fail(writer)
    assert len([path for path in files(lake.store) if path.endswith(".arrow")]) == 2
    assert [f.column("value").to_pylist() for f in frames] == [[1.0], [2.0]]
    with frames.writer() as writer:
        writer.write(1, frame(A, [4.0]))
        writer.finish({"version": "2"})
    assert [f.column("value").to_pylist() for f in frames] == [[4.0]]
    assert len([path for path in files(lake.store) if path.endswith(".arrow")]) == 1


def test_frames_of_another_form_than_todays_are_to_be_made_again(lake: Lake) -> None:
    frames = lake.frames(POPULATION, A, "transformed")
    with frames.writer() as writer:
        writer.write(1, frame(A, [1.0]))
        writer.finish({"version": "1"})
    [report] = [path for path in files(lake.store) if path.endswith("report.json")]
    lake.store.write(report, b'{"version": "1", "files": ["1.parquet"]}')
    assert frames.report() is None
    with pytest.raises(DataError, match="no transformed rows yet"):
        frames.count()


def test_the_newest_manifest_counts_and_pages_without_one_do_not(store: Store) -> None:
    raw = RawPages(store, A, bytes)
    assert raw.latest() is None
    raw.write(f"{A}_20260101T000000000000Z.json.gz", b"")
    assert raw.latest() is None
    raw.publish(f"{A}_20260101T000000000000Z", b"old")
    raw.publish(f"{A}_20260102T000000000000Z", b"new")
    raw.write_record(b"not a manifest")
    found = raw.latest()
    assert found is not None
    assert found[1] == b"new"
    assert found[0].endswith(f"{A}_20260102T000000000000Z.manifest.json")


@pytest.mark.parametrize("name", ["..", "../x", "123", "00000000010", ""])
def test_no_name_but_a_dataset_id_reaches_the_registry(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValidationError, match="ten digits"):
        lake_in(tmp_path / "lake").registry.find(name)


COLUMNS = [("year", pa.int32()), ("region_code", TEXTS)]
rows = st.lists(
    st.tuples(st.none() | st.integers(1990, 2030), st.none() | st.sampled_from(["01000", "13000", "47000"])),
    max_size=40,
)


@given(chunks=st.lists(rows, min_size=1, max_size=4), data=st.data())
def test_stored_frames_are_read_whole_by_columns_and_by_rows(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[list[tuple[int | None, str | None]]], data: st.DataObject
) -> None:
    schema = pa.schema(COLUMNS)
    tables = [pa.table([[year for year, _ in chunk], [code for _, code in chunk]], schema=schema) for chunk in chunks]
    frames = lake_in(tmp_path_factory.mktemp("lake")).frames(POPULATION, A, "transformed")
    with frames.writer() as writer:
        for number, table in enumerate(tables):
            writer.write(number, table)
        writer.finish({"version": "1"})
    assert [stored.to_pylist() for stored in frames] == [table.to_pylist() for table in tables]
    assert frames.count() == sum(map(len, tables))
    for run, table in zip(frames.runs(kept_open=data.draw(st.booleans())), tables, strict=True):
        assert run.column_names == table.column_names
        assert run.select(["region_code"]).to_pylist() == table.select(["region_code"]).to_pylist()
        assert {*run.distinct(["region_code", "year"])["region_code"].to_pylist()} >= {
            *table.column("region_code").drop_null().to_pylist()
        }
        assert {*run.distinct(["year"])["year"].to_pylist()} == {*table.column("year").to_pylist()}
        start = data.draw(st.integers(0, len(table)))
        length = data.draw(st.integers(0, len(table) - start))
        assert run.slice(start, length).to_pylist() == table.slice(start, length).to_pylist()


def test_rows_in_the_middle_of_a_large_frame_are_read_without_the_others(lake: Lake) -> None:
    frames = lake.frames(POPULATION, A, "transformed")
    with frames.writer() as writer:
        writer.write(1, pa.table({"value": [float(n) for n in range(10_000)]}))
        writer.finish({"version": "1"})
    [run] = frames.runs()
    for start, length in ((0, 1), (2_047, 2), (4_096, 2_048), (9_999, 1), (5_000, 5_000)):
        assert run.slice(start, length).column("value").to_pylist() == [float(n) for n in range(start, start + length)]


def test_frames_that_are_kept_open_are_read_by_many_threads_and_opened_once(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = lake.frames(POPULATION, A, "transformed")
    with frames.writer() as writer:
        for number in range(4):
            names = pa.array([f"{number}/{n % 50}" for n in range(10_000)]).dictionary_encode()
            writer.write(number, pa.table({"name": names, "value": [float(n) for n in range(10_000)]}))
        writer.finish({"version": "1"})
    monkeypatch.setattr(stored_frames, "MOST_OPEN", 3)
    opened: list[str] = []
    open_whole = lake.store.open_whole
    monkeypatch.setattr(lake.store, "open_whole", lambda path: opened.append(path) or open_whole(path))
    runs = frames.runs(kept_open=True)

    def read(place: int) -> None:
        number, start, length = place % 4, place * 37 % 8_000, place * 11 % 2_000
        found = runs[number].slice(start, length)
        assert found.column("name").to_pylist() == [f"{number}/{n % 50}" for n in range(start, start + length)]
        assert found.column("value").to_pylist() == [float(n) for n in range(start, start + length)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(200)))
    counts = Counter(opened)
    assert sorted(counts.values()) == [1, 1, 1, 50]


@given(rows, st.integers(0, 30), st.integers(0, 30))
def test_row_groups_keep_every_row_and_no_text_that_none_has(
    chunk: list[tuple[int | None, str | None]], start: int, length: int
) -> None:
    table = pa.table([[y for y, _ in chunk], [c for _, c in chunk]], schema=pa.schema(COLUMNS))
    part = table.slice(start, length)
    packed = rowgroups.compact(part)
    assert packed.to_pylist() == part.to_pylist()
    used = {code for _, code in chunk[start : start + length]} - {None}
    held = packed.column("region_code").chunk(0).dictionary.to_pylist()
    assert len(held) <= 1 or {*held} == used


def test_rows_are_cut_into_parts_as_large_as_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowgroups, "ROW_GROUP", 3)
    for rows in range(1, 40):
        parts = rowgroups.cut(pa.table({"value": list(range(rows))}))
        assert [value for part in parts for value in part.column("value").to_pylist()] == list(range(rows))
        assert len(parts) <= max(1, round(rows / 3))


def test_a_column_that_no_frame_has_is_null() -> None:
    schema = arrow_schema(POPULATION.columns)
    made = group(frame(A, [1.0]), schema)
    assert made.schema == encoded(schema)
    assert made.column("gender").null_count == 1


def test_a_parquet_file_says_what_it_was_made_from(store: Store) -> None:
    schema = pa.schema([("value", pa.float64())])
    group = pa.Table.from_pylist([{"value": 1.5}], schema=schema)
    assert read_version(store, "p.parquet") is None
    assert write_parquet(store, "p.parquet", [group, group], schema, "v7") == 2
    assert read_version(store, "p.parquet") == "v7"
    assert pq.read_table(store.full("p.parquet"), filesystem=store.filesystem).column("value").to_pylist() == [1.5, 1.5]


def test_a_file_that_is_replaced_while_it_is_read_is_no_mixture(store: Store) -> None:
    schema = pa.schema([("value", pa.float64())])
    old, new = ([pa.table({"value": [value + n]}, schema=schema) for n in range(8)] for value in (0.5, 100.5))
    write_parquet(store, "p.parquet", old, schema, "v1")
    assert [*read_groups(store, "p.parquet", schema)] == old
    groups = read_groups(store, "p.parquet", schema)
    next(groups)
    write_parquet(store, "p.parquet", new, schema, "v2")
    with pytest.raises(StorageError, match="was replaced while"):
        list(groups)


@given(years=st.lists(st.none() | st.integers(2000, 2003), min_size=1, max_size=30), cut=st.integers(1, 7))
def test_data_files_hold_one_partition_each_and_all_rows(
    tmp_path_factory: pytest.TempPathFactory, years: list[int | None], cut: int
) -> None:
    store = Store.local(tmp_path_factory.mktemp("files"))
    ordered = sorted(years, key=lambda year: (year is None, year or 0))
    table = pa.table({"year": pa.array(ordered, pa.int32())})
    groups = [table.slice(start, cut) for start in range(0, len(table), cut)]
    written = write_data_files(store, "t/data", A, groups, ["year"])
    held = [
        pq.read_table(store.full(file.path), filesystem=store.filesystem).column("year").to_pylist() for file in written
    ]
    assert [file.key for file in written] == [(part[0],) for part in held]
    assert [year for part in held for year in part] == ordered
    assert all(len(set(part)) == 1 for part in held)
    assert len(held) == len(set(years))


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file grow beyond 100 kB, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("sizes", [[50_000], [10, 50_000, 10], [50_000] * 20])
def test_a_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path: Path, sizes: list[int]) -> None:
    store = Store.local(tmp_path / "lake")
    dice = random.Random(0)
    before = threading.active_count()
    groups = [pa.table({"year": [n] * size, "x": [dice.random() for _ in range(size)]}) for n, size in enumerate(sizes)]
    with pytest.raises(StorageError, match=r"could not be written: .*large"):
        write_data_files(store, "t/data", A, groups, ["year"])
    assert files(store) == []
    assert threading.active_count() == before


def test_rows_that_break_off_leave_nothing_and_no_draft(store: Store) -> None:
    def broken() -> Iterator[pa.Table]:
        yield pa.table({"year": [2000, 2001], "x": [1.0, 2.0]})
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost") as held:
        write_data_files(store, "t/data", A, broken(), ["year"])
    assert files(store) == [], held


def test_rows_that_cannot_be_written_leave_nothing(store: Store) -> None:
    good, bad = pa.table({"year": [2000], "x": [1.0]}), pa.table({"year": [2000], "x": ["1"]})
    for groups in ([good, bad], [good, bad, good, good], [bad.set_column(0, "year", [[1999]]), good, bad]):
        with pytest.raises(ValueError, match="schema"):
            write_data_files(store, "t/data", A, groups, ["year"])
        assert files(store) == []


def test_a_full_file_begins_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafiles, "TARGET_BYTES", 100)
    groups = [pa.table({"year": [2000] * 50, "value": list(range(n, n + 50))}) for n in range(0, 1_000, 50)]
    written = write_data_files(store, "t/data", A, groups, ["year"])
    held = [
        pq.read_table(store.full(file.path), filesystem=store.filesystem).column("value").to_pylist()
        for file in written
    ]
    assert [value for part in held for value in part] == list(range(1_000))
    assert len(held) > 3, "a full file is noticed a few row groups later"


def test_a_load_holds_as_much_of_a_large_dataset_as_of_a_small_one_and_begins_a_file_after_128_mb(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.lake.stream", str(tmp_path), "9"],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    small, large = map(int, done.stdout.split())
    assert large < 1.5 * small
    tasks = lake_in(tmp_path).tables.load(POPULATION.table_name).scan("dataset_id = '0000000002'").plan_files()
    least, greatest = sorted(task.file.file_size_in_bytes for task in tasks)
    assert datafiles.TARGET_BYTES == 128 * 2**20 <= greatest < 160 * 2**20
    assert least < 64 * 2**20
