"""The commands over a lake on AWS: moto plays S3, Glue and Athena, whose results are said beforehand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import boto3
import pytest
import requests
from click.testing import CliRunner
from moto.server import ThreadedMotoServer

from estat_dagster.cli import estat
from estat_dagster.errors import ValidationError
from estat_dagster.lake.inventory import put_dimensions
from estat_dagster.workbench import Workbench

BUCKET, REGION = "athena-lake", "ap-northeast-1"
ROW = {
    "dataset_id": "0003005798",
    "axis_id": "area",
    "axis_name": "地域",
    "code": "00000",
    "name": "全国",
    "position": 1,
}


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An AWS with a lake of one row."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name in [name for name in os.environ if name.startswith(("AWS_", "ATHENA_", "ESTAT_", "DATALAKE_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "DATALAKE_S3_BUCKET": BUCKET,
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", REGION).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    tables = Workbench().lake.tables
    tables.create_dataset_inventory_table()
    put_dimensions(tables, ROW["dataset_id"], [ROW])  # type: ignore[arg-type]
    yield f"http://{host}:{port}"
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10).raise_for_status()  # moto forgets only when told
    server.stop()


def run(*words: str) -> tuple[str, str]:
    """Return what a command prints, and what it says."""
    done = CliRunner().invoke(estat, words)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout, done.stderr


def test_a_lake_on_aws_is_asked_in_athena(address: str) -> None:
    sql = "SELECT name FROM dataset_dimensions WHERE position = ?"
    with pytest.raises(ValidationError, match="athena-setup"):
        run("query", sql, "--param", "number:1")
    for done in ("created", "unchanged"):
        assert f"estat-datalake: {done}" in run("athena-setup")[1]
    held = boto3.client("athena", REGION).get_work_group(WorkGroup="estat-datalake")["WorkGroup"]["Configuration"]
    assert held["EnforceWorkGroupConfiguration"] is True
    assert held["BytesScannedCutoffPerQuery"] == 10 * 2**30
    assert held["ResultConfiguration"] == {
        "OutputLocation": f"s3://{BUCKET}/athena-results/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
    }

    cells = ([{"VarCharValue": "name"}], [{"VarCharValue": "全国"}], [{"VarCharValue": ""}], [{}])
    rows, columns = [{"Data": cell} for cell in cells], [{"Name": "name", "Label": "name", "Type": "varchar"}]
    results = {"region": REGION, "results": [{"rows": rows, "column_info": columns}]}
    assert requests.post(f"{address}/moto-api/static/athena/query-results", json=results, timeout=10).status_code == 201
    printed, said = run("query", sql, "--param", "number:1", "--format", "json")
    assert json.loads(printed) == [{"name": "全国"}, {"name": ""}, {"name": None}]
    assert "bytes scanned, about 0.00" in said

    athena = boto3.client("athena", REGION)
    [query_id] = athena.list_query_executions(WorkGroup="estat-datalake")["QueryExecutionIds"]
    asked = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    snapshot = Workbench().lake.tables.load("dataset_dimensions").current_snapshot()
    assert snapshot is not None
    assert asked["ExecutionParameters"] == ["1"]
    assert asked["Query"] == (
        f"SELECT name FROM dataset_dimensions FOR VERSION AS OF {snapshot.snapshot_id} WHERE position = ?"
    )
    assert "dataset_dimensions" in run("query", "SHOW TABLES", "--format", "csv")[0]
    assert Workbench().sql.describe("dataset_dimensions").column("column").to_pylist()[0] == "dataset_id"


def test_maintenance_is_left_to_athena(address: str) -> None:
    run("athena-setup")
    shown, said = run("maintain", "dataset_dimensions", "--athena", "--dry-run", "--format", "json")
    athena = boto3.client("athena", REGION)
    assert "dry run" in said
    assert athena.list_query_executions(WorkGroup="estat-datalake")["QueryExecutionIds"] == []
    done, _ = run("maintain", "dataset_dimensions", "--athena", "--format", "json")
    assert done == shown
    ids = athena.list_query_executions(WorkGroup="estat-datalake")["QueryExecutionIds"]
    asked = [athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Query"] for query_id in ids]
    assert sorted(asked) == sorted(row["statement"] for row in json.loads(done))
    assert [sql.split()[0] for sql in sorted(asked)] == ["ALTER", "OPTIMIZE", "VACUUM"]
    with pytest.raises(ValidationError, match="no table 'nonsense'"):
        run("maintain", "nonsense", "--athena")


def test_a_lake_that_is_not_on_aws_is_not_kept_by_athena(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATALAKE_S3_BUCKET")
    with pytest.raises(ValidationError, match="not on AWS"):
        run("maintain", "--athena")
