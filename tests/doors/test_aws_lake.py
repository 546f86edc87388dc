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
from tests.doors.test_commands import Shell, refused

BUCKET = "test-lake"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Environment of an AWS that moto plays, with the lake's bucket."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "ap-northeast-1",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
    yield environment
    server.stop()


def test_a_dataset_is_loaded_into_s3_and_glue_and_only_once(aws: dict[str, str], tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        estat = Shell(tmp_path, sandbox.base_url)
        environment = aws | {"DATALAKE_S3_BUCKET": BUCKET}
        for datasets in (("0003005798", "9900000013"), ("0003005798",)):
            done = estat("load", *datasets, "--force", "--format", "csv", **environment)
            assert done.returncode == 0, done.stderr
        held = {item["Key"] for item in boto3.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]}
        assert {"registry/0003005798.json", "parquet/labor/0003005798.parquet"} <= held
        tables = boto3.client("glue").get_tables(DatabaseName="estat_iceberg_db")["TableList"]
        assert {table["Name"] for table in tables} == {
            "labor_data", "general_data", "dataset_inventory", "dataset_dimensions",
        }  # fmt: skip
        assert "athena-setup" in refused(estat("query", "SELECT value FROM labor_data", **environment))
    rows = count_rows(aws | {"DATALAKE_S3_BUCKET": BUCKET})
    assert rows == "15"


def count_rows(environment: dict[str, str]) -> str:
    """Count the rows in a process of its own, as another reader would."""
    code = "from estat_dagster.lake.lake import open_lake; print(open_lake().tables.load('labor_data').scan().count())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
