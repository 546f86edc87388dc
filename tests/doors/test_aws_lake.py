"""The same loads on S3 with a Glue catalog, against a moto server through real HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from tests.cloud import REGION, running_cloud
from tests.doors.loader import load_into
from tests.doors.test_commands import Shell, refused
from tests.doors.test_history_commands import Shell as InProcess

BUCKET = "test-lake"
LABOR, LABOR_TABLE = "0003005798", "labor_data"
TABLES = {LABOR_TABLE, "dataset_inventory", "dataset_dimensions"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Environment of an AWS that moto plays, with the lake's bucket."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", REGION).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield environment
    server.stop()


def test_a_dataset_is_loaded_into_s3_and_glue_and_only_once(aws: dict[str, str], tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        estat = Shell(tmp_path, sandbox.base_url)
        environment = aws | {"DATALAKE_S3_BUCKET": BUCKET}
        for datasets in (("0003005798", "9900000013"), ("0003005798",)):
            done = estat("load", *datasets, "--force", "--format", "csv", **environment)
            assert done.returncode == 0, done.stderr
        held = {item["Key"] for item in boto3.client("s3", REGION).list_objects_v2(Bucket=BUCKET)["Contents"]}
        assert {"registry/0003005798.json", "parquet/labor/0003005798.parquet"} <= held
        tables = boto3.client("glue", REGION).get_tables(DatabaseName="estat_iceberg_db")["TableList"]
        assert {table["Name"] for table in tables} == {
            "labor_data", "general_data", "dataset_inventory", "dataset_dimensions",
        }  # fmt: skip
        assert "athena-setup" in refused(estat("query", "SELECT value FROM labor_data", **environment))
    rows = count_rows(aws | {"DATALAKE_S3_BUCKET": BUCKET})
    assert rows == "15"


@pytest.fixture
def lake(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A new lake on AWS, which the environment names, with the sandbox as e-Stat."""
    with running_cloud() as cloud:
        settings = cloud.settings(ESTAT_APP_ID="test", ESTAT_BASE_URL=sandbox.base_url)
        for name, text in {
            "DATALAKE_S3_BUCKET": str(settings.s3_bucket),
            "DATALAKE_GLUE_DATABASE": settings.glue_database,
            "DAGSTER_HOME": str(tmp_path),
        }.items():
            monkeypatch.setenv(name, text)
        monkeypatch.chdir(tmp_path)
        yield settings


def test_the_commands_about_the_past_say_on_s3_and_glue_what_they_say_of_a_local_lake(
    lake: Settings, sandbox: Sandbox, tmp_path: Path
) -> None:
    estat = InProcess()
    assert "no tables yet" in estat.run("history").stderr
    assert "no tables yet" in estat.refused("history", LABOR_TABLE)
    table = sandbox.tables[LABOR]
    load_into(lake, LABOR)
    sandbox.replace(table.revised(updated="2024-09-30", cells=[table.cells[0]._replace(value="1")]))
    load_into(lake, LABOR)
    newest, first = estat("history", LABOR)
    assert (newest["rows"], newest["removed"], first["rows"]) == (1, 15, 15)
    assert f"There are {', '.join(sorted(TABLES))}." in estat.refused("history", "nothing")
    assert [row["change"] for row in estat("diff", LABOR)] == ["removed"] * 14 + ["revised"]
    assert [row["change"] for row in estat("rollback", LABOR, "--to", first["snapshot"], "--dry-run")].count(
        "added"
    ) == 14
    [done] = estat("rollback", LABOR, "--to", first["snapshot"])
    assert (done["rows"], done["files written"]) == (15, 0)
    kept = {row["table"]: row["count"] for row in estat("maintain", "--expire", "--older-than", "0", "--keep", "1")}
    assert kept == {"dataset_dimensions": 2, "dataset_inventory": 2, LABOR_TABLE: 2}
    assert estat.run("export", LABOR, "--to", "out").stdout.strip() == str(tmp_path / "out" / f"{LABOR}.csv")
    shown = estat("delete", LABOR)
    assert estat("delete", LABOR, "--yes") == shown
    assert "holds nothing" in estat.refused("delete", LABOR)
    assert [row["action"] for row in estat("history", LABOR)] == ["delete", "rollback"]


def count_rows(environment: dict[str, str]) -> str:
    """Count the rows in a process of its own, as another reader would."""
    code = "from estat_dagster.lake.lake import open_lake; print(open_lake().tables.load('labor_data').scan().count())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
