"""`estat query` as its user meets it: forms, values, files, pictures, and the prompt on a real terminal."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from estat_dagster.cli import estat
from estat_dagster.commands.parameters import parse_parameter
from estat_dagster.errors import DataLakeError, ValidationError
from estat_dagster.sandbox.server import Sandbox
from tests.doors.loader import load
from tests.test_pictures import size_of

LABOR = "0003005798"
ESTAT = Path(sys.executable).with_name("estat")
UNEMPLOYED = f"SELECT cat03_name, value, value_text FROM labor_data WHERE dataset_id = '{LABOR}' AND cat02_code = ?"
RUNAWAY = "SELECT count(*) FROM " + ", ".join(f"labor_data t{n}" for n in range(10)) + " WHERE t0.value + t9.value < 0;"

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("prompt")
    with Sandbox() as sandbox:
        load(home / "lake", sandbox.base_url, LABOR)
    return home


@pytest.fixture
def query(lake: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATALAKE_HOME", str(lake / "lake"))
    monkeypatch.setenv("DAGSTER_HOME", str(lake))
    for name in ("DATALAKE_S3_BUCKET", "ESTAT_APP_ID"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str, **given: str) -> Result:
        done = CliRunner().invoke(estat, ["query", *words], **given)  # type: ignore[arg-type]
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return run


def test_values_are_bound_by_their_kind(query: Run) -> None:
    sql = "SELECT sum(value) AS total FROM labor_data WHERE year = ? AND cat02_code = ? AND cat03_code <> ?"
    done = query(sql, "--param", "number:2024", "--param", "08", "--param", "text:0", "--format", "json")
    assert json.loads(done.stdout) == [{"total": 162.0}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("13000", "13000"), ("number:-5", -5), ("text:number:1", "number:1"), ("null:", None), ("bool:true", True),
        ("a:b", "a:b"), ("", ""), ("text:", ""),
    ],
)  # fmt: skip
def test_what_has_no_kind_is_a_text(text: str, value: object) -> None:
    assert parse_parameter(text) == value
    assert str(parse_parameter("number:1.10")) == "1.10"
    assert str(parse_parameter("date:2020-04-01")) == "2020-04-01"


@pytest.mark.parametrize("text", ["number:x", "number:nan", "date:2020-02-30", "bool:yes", "null:0", "timestamp:now"])
def test_a_value_that_is_not_of_its_kind_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="--param"):
        parse_parameter(text)


def test_parquet_keeps_types_and_nulls(query: Run, tmp_path: Path) -> None:
    file = tmp_path / "answer.parquet"
    query(UNEMPLOYED, "--param", "08", "--format", "parquet", "--output", str(file))
    table = pq.read_table(file)
    assert table.schema.types == [pa.string(), pa.float64(), pa.string()]
    assert table.sort_by("value").column("value").to_pylist() == [70.0, 92.0, 163.0]
    assert table.column("value_text").null_count == 3
    piped = query(UNEMPLOYED, "--param", "08", "--format", "parquet")
    assert pq.read_table(io.BytesIO(piped.stdout_bytes)).equals(table)
    nothing = query(UNEMPLOYED, "--param", "none", "--format", "parquet")
    assert pq.read_table(io.BytesIO(nothing.stdout_bytes)).num_rows == 0


def test_a_file_appears_whole_or_not_at_all(query: Run, tmp_path: Path) -> None:
    file = tmp_path / "answer.csv"
    assert query(UNEMPLOYED, "--param", "08", "--format", "csv", "--output", str(file)).stdout == ""
    assert len(list(csv.reader(file.open()))) == 4
    before = file.read_bytes()
    with pytest.raises(DataLakeError):
        query("SELECT CAST(cat03_name AS integer) FROM labor_data", "--format", "csv", "--output", str(file))
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(DataLakeError, match="cannot be written"):
        query("SELECT 1", "--format", "csv", "--output", str(tmp_path / "nowhere" / "x.csv"))


def test_an_answer_is_drawn_beside_being_printed(query: Run, tmp_path: Path) -> None:
    file = tmp_path / "answer.png"
    done = query(UNEMPLOYED, "--param", "08", "--plot", str(file), "--format", "json")
    assert len(json.loads(done.stdout)) == 3
    assert size_of(file.read_bytes())[0] == 640
    with pytest.raises(ValidationError, match="no column of numbers"):
        query("SELECT region_name FROM labor_data", "--plot", str(tmp_path / "none.png"))
    assert list(tmp_path.iterdir()) == [file]
    part = query(UNEMPLOYED, "--param", "08", "--limit", "2", "--plot", str(file))
    assert "The first 2 rows; there are more." in part.stderr


def test_an_answer_without_rows_says_so(query: Run) -> None:
    done = query("SELECT year FROM labor_data WHERE year = 1800", "--format", "csv")
    assert (done.stdout, done.stderr) == ("year\n", "No rows.\n")


def test_a_query_is_explained_and_read_from_a_pipe_and_of_a_moment(query: Run) -> None:
    assert "labor_data" in query("SELECT year FROM labor_data", "--explain").stdout
    assert json.loads(query("--format", "json", input="SELECT 1 AS n").stdout) == [{"n": 1}]
    with pytest.raises(ValidationError, match="no snapshot as old"):
        query("SELECT year FROM labor_data", "--as-of", "2001-01-01")


def test_a_plan_is_of_a_moment_too_and_is_nothing_but_text(query: Run) -> None:
    with pytest.raises(ValidationError, match="no snapshot as old"):
        query("SELECT year FROM labor_data", "--explain", "--as-of", "2001-01-01")
    for option in (["--plot", "x.png"], ["--format", "json"], ["--limit", "1"]):
        assert "--explain prints a plan" in query("SELECT year FROM labor_data", "--explain", *option).stderr
    assert "Pictures are PNG" in query("SELECT year FROM labor_data", "--plot", "x.jpg").stderr


def test_json_is_json_and_loses_no_column(query: Run) -> None:
    sql = "SELECT nan() AS a, infinity() AS a, ARRAY[-infinity()] AS b, 1 AS a_2"
    said = query(sql, "--format", "json").stdout
    assert "NaN," not in said.replace('"NaN",', "")
    assert json.loads(said) == [{"a": "NaN", "a_2_": "Infinity", "b": ["-Infinity"], "a_2": 1}]


def test_csv_tells_nothing_from_an_empty_text_and_has_nothing_of_python(query: Run) -> None:
    sql = "SELECT NULL AS a, '' AS b, true AS c, ARRAY['x', 'y'] AS d, 'say \"a,b\"' AS e"
    assert query(sql, "--format", "csv").stdout.splitlines() == [
        "a,b,c,d,e",
        ',"",true,"[""x"", ""y""]","say ""a,b"""',
    ]


def test_a_cut_answer_says_that_there_is_more(query: Run) -> None:
    done = query("SELECT value FROM labor_data", "--limit", "2", "--format", "csv")
    assert len(done.stdout.splitlines()) == 3
    assert "there are more" in done.stderr


# The prompt.


@pytest.fixture
def terminal(lake: Path) -> Iterator[pexpect.spawn]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ESTAT_", "DATALAKE_"))}
    environment |= {
        "DATALAKE_HOME": str(lake / "lake"),
        "DAGSTER_HOME": str(lake),
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "COLUMNS": "200",
    }
    child = pexpect.spawn(
        str(ESTAT), ["query"], env=environment, encoding="utf-8", timeout=60, dimensions=(40, 200), cwd=str(lake)
    )
    yield child
    child.close(force=True)


def test_the_prompt_answers_completes_cancels_and_ends(terminal: pexpect.spawn, lake: Path) -> None:
    terminal.expect("estat>")
    terminal.send("SELECT sum(value) AS total\r")  # a statement may take several lines
    terminal.expect("->")
    terminal.send("FROM lab\t")
    terminal.expect("or_data")  # the table is completed
    terminal.send(" WHERE cat02_code = '08';\r")
    terminal.expect("325")  # 163 + 92 + 70
    terminal.expect("1 rows in")

    terminal.send("SELECT no_such_column FROM labor_data;\r")
    terminal.expect("error: .*no_such_column")
    terminal.expect("estat>")

    terminal.send(f"{RUNAWAY}\r")
    terminal.expect("Running")
    terminal.sendintr()
    terminal.expect("Cancelled")
    terminal.expect("estat>")  # keys that come before it are the terminal's, not the prompt's

    terminal.send("half a line")
    terminal.expect("half a line")
    terminal.sendintr()
    terminal.expect("estat>")
    terminal.send("\\d labor_data\r")
    terminal.expect("period_start")
    terminal.send("\\format json\r")
    terminal.send("SELECT 41 + 1 AS answer;\r")
    terminal.expect('"answer": 42')
    terminal.expect("1 rows in")
    terminal.expect("estat>")
    terminal.sendeof()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    history = (lake / "data" / "query_history").read_text("utf-8")
    assert "FROM labor_data WHERE cat02_code = '08';" in history
