"""The `estat` command as its user meets it: real processes, their output, errors and exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from estat_dagster.sandbox.server import Sandbox

ESTAT = Path(sys.executable).with_name("estat")
LABOR = "0003005798"


Done = subprocess.CompletedProcess[str]


class Shell:
    """Runs `estat` with a lake, a Dagster home and an environment of its own."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self.lake = folder / "lake"
        home = folder / "home"
        home.mkdir(parents=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ESTAT_", "DATALAKE_"))},
            "DATALAKE_HOME": str(self.lake),
            "DAGSTER_HOME": str(home),
            "ESTAT_BASE_URL": base_url,
        }

    def __call__(self, *words: str, **environment: str) -> Done:
        return subprocess.run(
            [str(ESTAT), *words],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with Sandbox() as sandbox:
        yield sandbox.base_url


@pytest.fixture(scope="module")
def estat(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell in whose lake one dataset is loaded."""
    shell = Shell(tmp_path_factory.mktemp("shell"), base_url)
    done = shell("load", LABOR, "--format", "json")
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)
    assert (row["id"], row["rows"], row["quarantined"]) == (LABOR, 15, 0)
    return shell


@pytest.fixture(scope="module", autouse=True)
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Future[Done]]]:
    """An address where no e-Stat answers, and a load from it, which waits and tries again while other tests run."""
    with socket.socket() as closed, ThreadPoolExecutor() as pool:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/rest/3.0/app"
        yield url, pool.submit(Shell(tmp_path_factory.mktemp("away"), url), "load", LABOR)


def refused(done: Done) -> str:
    """Return the one line that a user reads when something is wrong."""
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_plan_says_how_large_a_fetch_would_be_and_loads_nothing(estat: Shell) -> None:
    done = estat("load", "9900000014", "--plan", "--filter", "time=2020", "--chunk-size", "3000", "--format", "json")
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)
    assert (row["scope"], row["records"], row["requests"]) == ("time=2020000000", 10_000, 4)
    assert "9900000014: --filter area=CODE" in done.stderr
    assert not (estat.lake / "registry" / "9900000014.json").exists()


def test_query_prints_results_and_nothing_else_on_a_pipe(estat: Shell) -> None:
    sql = f"SELECT cat03_name, value FROM labor_data WHERE dataset_id = '{LABOR}' AND cat02_code = '08' ORDER BY 1"
    as_csv = estat("query", sql, "--format", "csv")
    assert list(csv.reader(io.StringIO(as_csv.stdout))) == [
        ["cat03_name", "value"],
        ["女", "70.0"],
        ["男", "92.0"],
        ["総数", "163.0"],
    ]
    assert as_csv.stderr == ""
    as_json = estat("query", sql, "--format", "json")
    assert json.loads(as_json.stdout)[2] == {"cat03_name": "総数", "value": 163.0}
    assert "総数" in estat("query", sql).stdout


def test_query_binds_parameters_and_says_when_there_is_more(estat: Shell) -> None:
    sql = "SELECT count(*) AS n FROM labor_data WHERE cat03_name = ?"
    assert json.loads(estat("query", sql, "--param", "女", "--format", "json").stdout) == [{"n": 5}]
    few = estat("query", "SELECT value FROM labor_data", "--limit", "2", "--format", "csv")
    assert len(few.stdout.splitlines()) == 3
    assert "there are more" in few.stderr


def test_status_search_and_describe_tell_what_there_is(estat: Shell) -> None:
    [entry] = json.loads(estat("status", "--format", "json").stdout)
    assert (entry["id"], entry["domain"], entry["status"]) == (LABOR, "labor", "loaded")
    found = json.loads(estat("search", "労働", "--format", "json").stdout)
    assert LABOR in {table["id"] for table in found}
    described = json.loads(estat("describe", LABOR, "--format", "json").stdout)
    assert [axis["axis"] for axis in described["axes"]] == ["tab", "cat01", "cat02", "cat03", "area", "time"]
    codes = json.loads(estat("describe", LABOR, "--axis", "cat03", "--format", "json").stdout)
    assert [(row["code"], row["name"]) for row in codes] == [("0", "総数"), ("1", "男"), ("2", "女")]


def test_doctor_says_that_all_is_well(estat: Shell) -> None:
    done = estat("doctor", "--format", "json")
    assert done.returncode == 0, done.stdout
    states = {finding["what"]: finding["state"] for finding in json.loads(done.stdout)}
    assert states["e-Stat"] == states["lake"] == states["Iceberg catalog"] == "ok"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["load", "123"], "ten digits"),
        (["load", "../../etc/x"], "ten digits"),
        (["load", "0009999999"], "STATUS 300"),
        (["load", LABOR, "--filter", "area"], "AXIS=CODES"),
        (["load", LABOR, "--filter", "planet=3"], "no axis 'planet'"),
        (["describe", "9"], "ten digits"),
        (["describe", LABOR, "--axis", "cat15"], "Its axes are tab"),
        (["query", "hello world"], ""),
        (["query", "DROP TABLE labor_data"], "DROP"),
        (["query", "SELECT * FROM labour_data"], "labor_data"),
        (["query", "SELECT valeu FROM labor_data"], "value"),
        (["query", ""], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_input_is_one_line_that_says_what_to_do(estat: Shell, words: list[str], says: str) -> None:
    assert says in refused(estat(*words))


def test_a_wrong_application_id_is_said_and_never_shown(estat: Shell, tmp_path: Path) -> None:
    line = refused(estat("load", LABOR, ESTAT_APP_ID="invalid-s3cr3t"))
    assert "STATUS 100" in line
    assert "ESTAT_APP_ID" in line
    assert "s3cr3t" not in line


def test_an_estat_that_is_down_is_said_with_its_address(away: tuple[str, Future[Done]]) -> None:
    url, done = away
    line = refused(done.result())
    assert "could not be reached" in line
    assert url in line
    assert "appId" not in line


def test_a_lake_that_cannot_be_written_is_said(estat: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", "utf-8")
    line = refused(estat("load", LABOR, DATALAKE_HOME=str(tmp_path / "file" / "lake")))
    assert "DATALAKE_HOME" in line
    doctor = estat("doctor", "--format", "json", DATALAKE_HOME=str(tmp_path / "file" / "lake"))
    assert doctor.returncode == 1
    assert {f["what"] for f in json.loads(doctor.stdout) if f["state"] == "fail"} >= {"lake", "Iceberg catalog"}


def test_doctor_says_what_an_earlier_mapping_made(estat: Shell, tmp_path: Path) -> None:
    entry = json.loads((estat.lake / "registry" / f"{LABOR}.json").read_text("utf-8"))
    older = "1:" + entry["loaded_version"].partition(":")[2]
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / f"{LABOR}.json").write_text(json.dumps(entry | {"loaded_version": older}), "utf-8")
    done = estat("doctor", "--format", "json", DATALAKE_HOME=str(tmp_path))
    [lake] = [finding for finding in json.loads(done.stdout) if finding["what"] == "lake"]
    assert (done.returncode, lake["state"]) == (0, "note")
    assert "1 were made by an earlier mapping: launch `rebuild_from_raw`" in lake["words"]


def test_a_setting_that_makes_no_sense_is_said(estat: Shell) -> None:
    assert "ESTAT_MAX_CONCURRENT" in refused(estat("load", LABOR, ESTAT_MAX_CONCURRENT="many"))
    assert "ESTAT_BASE_URL" in refused(estat("load", LABOR, ESTAT_BASE_URL="api.e-stat.go.jp"))


@pytest.mark.soak
def test_one_bad_dataset_does_not_keep_the_others_from_loading(estat: Shell) -> None:
    done = estat("load", "0009999999", "9900000013", "--format", "json")
    assert done.returncode == 1
    assert [row["id"] for row in json.loads(done.stdout)] == ["9900000013"]
    assert "error: 0009999999: " in done.stderr


def test_the_log_is_json_where_it_is_asked_for(estat: Shell) -> None:
    done = estat("--log-json", "load", "9900000013", "--format", "json")
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert {"register", "fetch", "raw_json", "iceberg_table"} <= {line["operation"] for line in lines}
    for line in lines:
        assert list(line) == ["timestamp", "level", "operation", "dataset_id", "message", "details"]
        assert line["dataset_id"] == "9900000013" or line["operation"] == "dagster"


def test_after_all_that_the_first_dataset_is_still_there(estat: Shell) -> None:
    done = estat("query", f"SELECT count(*) AS n FROM labor_data WHERE dataset_id = '{LABOR}'", "--format", "json")
    assert json.loads(done.stdout) == [{"n": 15}]
    assert not list(estat.lake.rglob("*.tmp"))


def test_the_application_id_is_nowhere_in_the_lake_or_in_the_run_storage(base_url: str, tmp_path: Path) -> None:
    shell = Shell(tmp_path, base_url)
    secret = "s3cr3t-application-id"
    done = shell("load", "9900000013", ESTAT_APP_ID=secret)
    assert done.returncode == 0, done.stderr
    assert secret not in done.stdout + done.stderr
    holding = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert holding == []
