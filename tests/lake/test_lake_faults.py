"""Storage in trouble: the right error with a hint, tries again where that helps, and never a half-published load."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import boto3
import pytest

from estat_dagster.errors import StorageError
from estat_dagster.lake import compacting
from estat_dagster.lake import store as stores
from estat_dagster.lake.lake import Lake, open_lake
from estat_dagster.lake.sweeping import expire_snapshots
from tests.cloud import REGION, Cloud
from tests.lake.shore import frame, lake_in, load
from tests.weather import CONCURRENT, DENIED, DROPPED, EXPIRED, SLOW_DOWN, Fault, Request, Weather, bad_weather

A = "0000000001"
TABLE = "population_data"


@pytest.fixture
def weather(cloud: Cloud) -> Iterator[Weather]:
    with bad_weather(cloud.endpoint) as running:
        yield running


@pytest.fixture
def far(weather: Weather, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake on AWS that is reached through the weather, with one dataset."""
    settings = cloud.settings(AWS_ENDPOINT_URL=weather.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", weather.endpoint)
    lake = open_lake(settings)
    load(lake, frame(A, [1.0, 2.0]))
    return lake


def values(lake: Lake) -> list[float]:
    return sorted(lake.tables.load(TABLE).scan().to_arrow().column("value").to_pylist())


def drafts(lake: Lake) -> list[str]:
    return [file.path for file in lake.store.walk("") if file.path.endswith(".tmp")]


def to_s3(request: Request) -> bool:
    return not request.glue


def written(request: Request) -> bool:
    return request.writes


def data_file(request: Request) -> bool:
    return request.writes and ".parquet" in request.path


def metadata(request: Request) -> bool:
    return request.writes and "/metadata/" in request.path


def get_table(request: Request) -> bool:
    return request.glue == "GetTable"


def update_table(request: Request) -> bool:
    return request.glue == "UpdateTable"


@pytest.mark.parametrize(
    ("fault", "where", "times"),
    [
        (SLOW_DOWN, to_s3, 3),
        pytest.param(SLOW_DOWN, data_file, 2, marks=pytest.mark.soak),
        pytest.param(SLOW_DOWN, metadata, 2, marks=pytest.mark.soak),
        pytest.param(SLOW_DOWN, update_table, 2, marks=pytest.mark.soak),
        pytest.param(DROPPED, data_file, 2, marks=pytest.mark.soak),
        (DROPPED, metadata, 1),
        (CONCURRENT, update_table, 1),
        pytest.param(CONCURRENT, update_table, 3, marks=pytest.mark.soak),
    ],
)
def test_what_passes_is_tried_again_and_the_load_is_whole(
    far: Lake, weather: Weather, fault: Fault, where: Callable[[Request], bool], times: int
) -> None:
    with weather.storm(fault, where, times):
        load(far, frame(A, [7.0, 8.0, 9.0]))
        assert weather.faults == times
    assert values(far) == [7.0, 8.0, 9.0]
    assert drafts(far) == []


@pytest.mark.parametrize(
    ("fault", "where", "hint", "again"),
    [
        (EXPIRED, data_file, "Renew the AWS credentials", False),
        pytest.param(EXPIRED, update_table, "Renew the AWS credentials", False, marks=pytest.mark.soak),
        pytest.param(
            EXPIRED,
            get_table,
            "Renew the AWS credentials",
            False,
            marks=pytest.mark.soak,
        ),
        pytest.param(DENIED, data_file, "need read and write access", False, marks=pytest.mark.soak),
        pytest.param(DENIED, metadata, "need read and write access", False, marks=pytest.mark.soak),
        (DENIED, update_table, "need read and write access", False),
    ],
)
def test_what_stays_is_said_and_the_rows_of_before_stay(
    far: Lake, weather: Weather, fault: Fault, where: Callable[[Request], bool], hint: str, again: bool
) -> None:
    with weather.storm(fault, where), pytest.raises(StorageError, match=hint) as refused:
        load(far, frame(A, [7.0, 8.0, 9.0]))
    assert refused.value.can_retry is again
    assert "testing" not in str(refused.value)
    assert values(far) == [1.0, 2.0]
    assert drafts(far) == []
    load(far, frame(A, [5.0]))
    assert values(far) == [5.0]


def test_maintenance_that_glue_refuses_is_said(far: Lake, weather: Weather, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "FEWEST", 2)
    load(far, frame("0000000002", [1.0, 2.0]))
    for change in (
        lambda: compacting.compact(far.tables, TABLE),
        lambda: expire_snapshots(far.tables, TABLE, timedelta(0), keep=1),
    ):
        with weather.storm(DENIED, update_table), pytest.raises(StorageError, match="need read and write access"):
            change()
    assert values(far) == [1.0, 1.0, 2.0, 2.0]


@pytest.mark.soak
@pytest.mark.parametrize("fault", [SLOW_DOWN, DROPPED], ids=["SlowDown", "dropped"])
def test_a_store_that_stays_away_is_given_up_and_can_be_tried_later(far: Lake, weather: Weather, fault: Fault) -> None:
    for where in (data_file, metadata):
        with weather.storm(fault, where), pytest.raises(StorageError) as refused:
            load(far, frame(A, [7.0]))
        assert refused.value.can_retry
        assert refused.value.hint
        assert 3 < weather.faults < 40
        assert values(far) == [1.0, 2.0]
        assert drafts(far) == []
    load(far, frame(A, [5.0]))
    assert values(far) == [5.0]


@pytest.mark.soak
def test_an_answer_that_does_not_come_is_a_storage_error(
    weather: Weather, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "ANSWER_SECONDS", 1)
    monkeypatch.setitem(stores.S3_PROPERTIES, "s3.request-timeout", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", weather.endpoint)
    lake = open_lake(cloud.settings(AWS_ENDPOINT_URL=weather.endpoint))
    load(lake, frame(A, [1.0]))
    with weather.storm(Fault(503, "SlowDown", hang=5), data_file), pytest.raises(StorageError) as refused:
        load(lake, frame(A, [7.0]))
    assert refused.value.can_retry
    assert values(lake) == [1.0]
    with weather.storm(Fault(503, "SlowDown", hang=5), data_file, times=1):
        load(lake, frame(A, [7.0]))
    assert values(lake) == [7.0]


def test_an_error_while_rows_are_written_publishes_no_half_file_on_s3(far: Lake) -> None:
    def fail() -> None:
        with far.store.writing("parquet/x.parquet") as stream:
            stream.write(b"half")
            raise KeyError

    far.store.write("parquet/x.parquet", b"before")
    with pytest.raises(KeyError):
        fail()
    assert far.store.read("parquet/x.parquet") == b"before"
    assert drafts(far) == []


def test_no_bucket_and_no_credentials_are_said(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = cloud.settings()
    boto3.client("s3", REGION).delete_bucket(Bucket=settings.s3_bucket)
    with pytest.raises(StorageError, match=r"could not be made.*exist") as refused:
        load(open_lake(settings), frame(A, [1.0]))
    assert refused.value.hint
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageError, match="Renew the AWS credentials") as refused:
        open_lake(settings).tables.names()
    assert not refused.value.can_retry
    with pytest.raises(StorageError, match="Set AWS_REGION") as refused:
        open_lake(dataclasses.replace(settings, aws_region=None)).tables.names()
    assert not refused.value.can_retry


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond some bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 2_000, 6_000])
def test_a_disk_that_is_full_at_any_step_leaves_the_rows_of_before(tmp_path: Path, size: int) -> None:
    lake = lake_in(tmp_path / "lake")
    load(lake, frame(A, [1.0, 2.0]))
    rows = frame(A, [float(n % 997) / 7 for n in range(5_000)])
    with at_most(size), pytest.raises(StorageError, match="Make space on the disk") as refused:
        load(lake, rows)
    assert not refused.value.can_retry
    assert values(lake) == [1.0, 2.0]
    assert drafts(lake) == []
    load(lake, rows)
    assert len(values(lake)) == 5_000


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk in memory, where that is allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk in memory")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Write a file until the disk is full."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as stream:
        while stream.write(b"x" * 4_096):
            pass


def test_a_disk_without_space_leaves_the_rows_of_before(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "600k") as disk:
        lake = lake_in(disk / "lake")
        load(lake, frame(A, [1.0, 2.0]))
        ballast = disk / "ballast"
        fill(ballast)
        with pytest.raises(StorageError, match="Make space on the disk"):
            load(lake, frame(A, [7.0]))
        ballast.unlink()
        assert values(lake) == [1.0, 2.0]
        assert drafts(lake) == []
        load(lake, frame(A, [7.0]))
        assert values(lake) == [7.0]


def test_a_folder_that_can_only_be_read_is_said(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        lake = lake_in(disk / "lake")
        load(lake, frame(A, [1.0]))
        load(lake, frame(A, [1.0, 2.0]))
        lake.tables.catalog.close()  # its connection to SQLite keeps the disk writable
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(StorageError, match="cannot be written by this user") as refused:
            load(lake_in(disk / "lake"), frame(A, [7.0]))
        assert not refused.value.can_retry
        assert values(lake) == [1.0, 2.0]
        with pytest.raises(StorageError, match="cannot be written by this user"):
            lake_in(disk / "another").tables.names()
        with pytest.raises(StorageError, match=r"could not be expired.*cannot be written by this user"):
            expire_snapshots(lake_in(disk / "lake").tables, TABLE, timedelta(0), keep=1)
