"""Exports: what datapackage.json says is what the file holds, NULL stays NULL, and nothing half-written stays."""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from frictionless import Package, system
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import StorageError, ValidationError
from estat_dagster.lake.datapackage import DESCRIPTOR, Subject
from estat_dagster.lake.exporting import Exported, export
from estat_dagster.lake.lake import Lake
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.lake.subjects import answer, table
from tests.lake.shore import frame, load
from tests.lake.test_lake_faults import at_most

SCHEMA = pa.schema(
    [
        pa.field("text", pa.string()),
        pa.field("value", pa.float64()),
        pa.field("year", pa.int32()),
        pa.field("day", pa.date32()),
        pa.field("at", pa.timestamp("us", "UTC")),
        pa.field("sure", pa.bool_()),
        pa.field("code", pa.string(), nullable=False),
    ]
)
ARROW = {
    "string": pa.string(), "number": pa.float64(), "integer": pa.int64(), "date": pa.date32(),
    "datetime": pa.timestamp("us", "UTC"), "boolean": pa.bool_(),
}  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["", "0", '"', '""', ",", "\n", "\r\n", "\r", "人口", "NULL", "NA", "\\N", " ", "'", 'a,b\n"c"']
)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXTS,
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.integers(-(2**31), 2**31 - 1),
        st.none() | st.dates(),
        st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
        st.none() | st.booleans(),
        TEXTS,
    ),
    max_size=8,
)
SUBJECT = Subject(
    "0000010101", "人口", {"value": "値 / the number", "text": "no two languages"}, [{"title": "x"}], "出典"
)


def as_table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table([pa.array(column, f.type) for column, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def put(rows: pa.Table, folder: Path, form: Any = "csv") -> Exported:
    return export(rows.to_reader(max_chunksize=3), SUBJECT, folder, form)


def described(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the data file that the descriptor names, and its resource."""
    (resource,) = json.loads((folder / DESCRIPTOR).read_text("utf-8"))["resources"]
    return folder / resource["path"], resource


def read_as_described(folder: Path) -> pa.Table:
    """Read a CSV by nothing but what its descriptor says."""
    file, resource = described(folder)
    dialect, schema = resource["dialect"], resource["schema"]
    return pacsv.read_csv(
        file,
        read_options=pacsv.ReadOptions(encoding=resource["encoding"]),
        parse_options=pacsv.ParseOptions(
            delimiter=dialect["delimiter"], quote_char=dialect["quoteChar"], double_quote=dialect["doubleQuote"],
            newlines_in_values=True,
        ),
        convert_options=pacsv.ConvertOptions(
            column_types={column["name"]: ARROW[column["type"]] for column in schema["fields"]},
            null_values=schema["missingValues"], strings_can_be_null=True, quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip


@given(ROWS)
def test_a_csv_read_as_its_description_says_holds_the_same_rows(rows: list[tuple[Any, ...]]) -> None:
    held = as_table(rows)
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "out")
        done = put(held, folder)
        back = read_as_described(folder)
        file, resource = described(folder)
        assert resource["bytes"] == file.stat().st_size == done.size
        assert resource["hash"] == f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
        assert resource["rowCount"] == done.rows == len(rows)
    assert back.to_pylist() == held.to_pylist()


def test_duckdb_and_python_read_the_csv(tmp_path: Path) -> None:
    held = as_table([(None, None, 1, None, None, None, ""), ("", 0.0, None, date(2020, 1, 2), None, True, "人\r\n口")])
    file = put(held, tmp_path / "out").file
    found = duckdb.sql(f"SELECT text, value, code FROM read_csv('{file}', allow_quoted_nulls = false, nullstr = '')")
    assert found.fetchall() == [(None, None, ""), ("", 0.0, "人\r\n口")]
    with file.open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream))[1:] == [
            ["", "", "1", "", "", "", ""], ["", "0", "", "2020-01-02", "", "true", "人\r\n口"],
        ]  # fmt: skip
    assert file.read_bytes().startswith(b'"text","value","year","day","at","sure","code"\r\n,,1,,,,""\r\n')


def test_what_is_no_number_is_written_as_table_schema_does(tmp_path: Path) -> None:
    values = [float("nan"), float("inf"), float("-inf"), None, 1e300]
    held = as_table([(None, value, None, None, None, None, "infinite nan") for value in values])
    written = [line.split(",")[1] for line in put(held, tmp_path / "out").file.read_text("utf-8").splitlines()[1:]]
    assert written == ["NaN", "INF", "-INF", "", "1e+300"]
    with system.use_context(trusted=True):
        rows = Package(str(tmp_path / "out" / DESCRIPTOR)).resources[0].read_rows()
    assert [str(row["value"]) for row in rows] == ["NaN", "Infinity", "-Infinity", "None", "1E+300"]
    assert rows[0]["code"] == "infinite nan"


def test_parquet_holds_the_rows_and_is_described(tmp_path: Path) -> None:
    held = as_table([(None, None, 1, None, None, None, ""), ("", 0.5, None, date(2020, 1, 2), None, True, "人")])
    done = put(held, tmp_path / "out", "parquet")
    assert pq.read_table(done.file).to_pylist() == held.to_pylist()
    file, resource = described(tmp_path / "out")
    assert (file, resource["format"]) == (done.file, "parquet")


def test_the_descriptor_is_a_data_package_with_licence_credit_and_meanings(tmp_path: Path) -> None:
    put(as_table([]), tmp_path / "out")
    package = json.loads((tmp_path / "out" / DESCRIPTOR).read_text("utf-8"))
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert package["name"] == package["resources"][0]["name"] == "0000010101"
    assert package["licenses"][0]["path"].startswith("https://")
    assert (package["credit"], package["sources"]) == ("出典", [{"title": "x"}])
    fields = {field["name"]: field for field in package["resources"][0]["schema"]["fields"]}
    assert [field["type"] for field in fields.values()] == [
        "string", "number", "integer", "date", "datetime", "boolean", "string",
    ]  # fmt: skip
    assert (fields["value"]["title"], fields["value"]["description"]) == ("値", "the number")
    assert fields["code"]["constraints"] == {"required": True}


def test_the_reference_reader_of_data_packages_finds_no_error_and_the_same_rows(tmp_path: Path) -> None:
    held = as_table(
        [
            (None, None, 1, None, None, None, "a"),
            ("人\r\n口", 0.5, None, date(2020, 1, 2), datetime(2020, 1, 2, 3, 4, 5, 678, UTC), True, "b"),
        ]
    )
    put(held, tmp_path / "out")
    descriptor = tmp_path / "out" / DESCRIPTOR
    with system.use_context(trusted=True):  # else an absolute path is refused
        package = Package(str(descriptor))
        report = package.validate()
        assert report.valid, report.flatten(["type", "note"])
        assert [row.to_dict() for row in package.resources[0].read_rows()] == held.to_pylist()
        described = json.loads(descriptor.read_text("utf-8"))
        described["resources"][0]["hash"] = "sha256:" + "0" * 64
        descriptor.write_text(json.dumps(described), "utf-8")
        assert [found for (found,) in Package(str(descriptor)).validate().flatten(["type"])] == ["hash-count"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_descriptor_keeps_to_the_specification(tmp_path: Path, form: str) -> None:
    put(as_table([]), tmp_path / "out", form)
    descriptor = json.loads((tmp_path / "out" / DESCRIPTOR).read_text("utf-8"))
    assert list(Package.metadata_validate(descriptor)) == []
    for broken in ({"licenses": "free"}, {"sources": [1]}, {"created": 1}):
        assert list(Package.metadata_validate(descriptor | broken)), broken


def test_an_export_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    put(as_table([]), folder)
    put(as_table([("a", 1.0, 1, None, None, None, "x")]), folder, "parquet")
    assert sorted(path.name for path in folder.iterdir()) == ["0000010101.parquet", DESCRIPTOR]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(ValidationError, match="holds other files"):
        put(as_table([]), tmp_path / "mine")
    assert (tmp_path / "mine" / "notes.txt").read_text() == "keep"


def test_rows_that_break_off_or_a_full_disk_leave_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    put(as_table([("a", 1.0, 1, None, None, None, "x")]), folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def broken() -> Iterator[pa.RecordBatch]:
        yield from as_table([]).to_batches()
        raise KeyError("lost")

    with pytest.raises(KeyError):
        export(pa.RecordBatchReader.from_batches(SCHEMA, broken()), SUBJECT, folder)
    many = as_table([("a" * 100, 1.0, 1, None, None, None, "x")] * 1_000)
    with at_most(5_000), pytest.raises(StorageError, match="Make space"):
        put(many, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_a_form_does_not_have_is_refused(tmp_path: Path, form: Any) -> None:
    spans = pa.array([(1, 2, 3)], pa.month_day_nano_interval())
    for values in ([[1, 2]], spans) if form == "csv" else (spans,):
        with pytest.raises(ValidationError, match="CAST it to varchar"):
            export(pa.table({"a": values}).to_reader(), SUBJECT, tmp_path / "out", form)
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_and_what_is_no_folder_of_ones_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for value in (1.0, 2.0):
        put(as_table([("a", value, 1, None, None, None, "x")]), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "out"]
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for folder, said in (
        (Path(), "is the working folder"),
        (Path("s3://bucket/x"), "s3://bucket/x is no folder of this machine"),
    ):
        with pytest.raises(ValidationError, match=said):
            put(as_table([]), folder)
    assert list(Path().iterdir()) == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"could not be written.* name a folder elsewhere"):
        put(as_table([]), tmp_path / "file" / "out")


def test_the_export_of_before_stays_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    put(as_table([("a", 1.0, 1, None, None, None, "x")]), folder)
    before, rename = {path.name: path.read_bytes() for path in folder.iterdir()}, Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name.endswith(".tmp"):
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StorageError, match="Input/output error"):
        put(as_table([]), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_table_is_exported_with_its_columns_meanings(lake: Lake, tmp_path: Path) -> None:
    snapshot = load(lake, frame("0000000001", [1.0, None, 3.0]))
    batches, subject = table(lake, "population_data")
    assert export(batches, subject, tmp_path / "out").rows == 3
    assert read_as_described(tmp_path / "out").column("value").null_count == 1
    package = json.loads((tmp_path / "out" / DESCRIPTOR).read_text("utf-8"))
    assert package["provenance"] == {"table": "population_data", "snapshotId": str(snapshot)}
    assert {field["title"] for field in package["resources"][0]["schema"]["fields"]} >= {"値", "地域名"}


def test_an_answer_is_described_where_the_lake_knows_its_columns_and_tables(lake: Lake) -> None:
    first, second, other = "0000000001", "0000000002", "0000000003"
    for dataset_id, name in ((first, "population_data"), (second, "population_data"), (other, "labor_data")):
        entry = DatasetEntry(dataset_id, "", "", f"T{dataset_id}", "test", "2026-01-01T00:00:00+00:00")
        held = {"table_name": name, "snapshot_id": 1, "credit": f"出典 {dataset_id}"}
        lake.registry.save_metadata(msgspec.structs.replace(entry, **held))
    for sql, ids in {
        "SELECT value FROM Population_Data": [first, second],
        f"SELECT value FROM population_data WHERE dataset_id IN ('{second}', '{other}')": [second],
        "SELECT value FROM population_data JOIN labor_data USING (year)": [first, second, other],
        "SELECT title FROM dataset_inventory": [first, second, other],
        "SELECT 1": [],
    }.items():
        found = answer(lake, sql, [])
        assert [one["statsDataId"] for one in found.sources] == ids
        assert found.credit == "\n".join(f"出典 {dataset_id}" for dataset_id in ids)
    subject = answer(lake, "SELECT value, 1 AS other", ["value", "other"])
    assert subject.columns["value"].startswith("値 / ")
    assert "other" not in subject.columns
    assert subject.provenance == {"sql": "SELECT value, 1 AS other"}
