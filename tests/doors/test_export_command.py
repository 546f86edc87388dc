"""`estat export`: a dataset, a table or an answer as files for others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from estat_dagster.commands.export import command
from estat_dagster.errors import ValidationError
from estat_dagster.sandbox.server import Sandbox
from tests.doors.loader import load

DATASET = "0003005798"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Path:
    load(tmp_path / "lake", sandbox.base_url, DATASET)
    monkeypatch.setenv("DATALAKE_HOME", str(tmp_path / "lake"))
    return tmp_path


def run(*words: str) -> str:
    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_a_dataset_is_exported_with_where_it_comes_from(home: Path) -> None:
    file = run(DATASET, "--to", str(home / "out"))
    assert file == str(home / "out" / f"{DATASET}.csv")
    package = json.loads((home / "out" / "datapackage.json").read_text("utf-8"))
    (source,) = package["sources"]
    assert source["statsDataId"] == DATASET
    assert source["survey"]
    assert source["updated"]
    assert package["provenance"]["contentHash"] == source["contentHash"] != ""
    assert package["provenance"]["snapshotId"].isdecimal()
    assert "出典：政府統計の総合窓口" in package["credit"]
    assert package["resources"][0]["rowCount"] == Path(file).read_bytes().count(b"\r\n") - 1 > 0


def test_tables_and_answers_are_exported_too(home: Path) -> None:
    for table in ("labor_data", "dataset_inventory"):
        assert Path(run(table, "--to", str(home / table), "--as", "parquet")).exists()
    sql = "SELECT region_name, value FROM labor_data WHERE value IS NULL OR value >= 0"
    file = run("--sql", sql, "--to", str(home / "answer"))
    assert Path(file).read_text("utf-8").startswith('"region_name","value"')
    package = json.loads((home / "answer" / "datapackage.json").read_text("utf-8"))
    assert package["provenance"] == {"sql": sql}
    assert [source["statsDataId"] for source in package["sources"]] == [DATASET]
    assert "出典：政府統計の総合窓口" in package["credit"]
    sql = "SELECT INTERVAL '1' DAY AS d"
    for form in ("csv", "parquet"):
        with pytest.raises(ValidationError, match="CAST it to varchar"):
            run("--sql", sql, "--to", str(home / "spans"), "--as", form)


def test_what_is_exported_is_named_once(home: Path) -> None:
    for words in (["labor_data", "--sql", "SELECT 1"], []):
        with pytest.raises(ValidationError, match="either a dataset or a table"):
            run(*words, "--to", str(home / "out"))
    assert not (home / "out").exists()
