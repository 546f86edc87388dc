"""An AWS for tests: moto serves S3 and Glue through real HTTP on loopback; a lake has its own bucket and database."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.core.exceptions import JsonRESTError
from moto.glue.responses import GlueResponse
from moto.server import ThreadedMotoServer

from estat_dagster.settings import Settings

REGION = "ap-northeast-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}

aws_in_soak = pytest.mark.parametrize(
    "lake_settings", ["local", pytest.param("aws", marks=pytest.mark.soak)], indirect=True
)
"""Marks a test of both lakes that runs on AWS in the soak suite only: what it sees hardly depends on the lake."""


@dataclass(frozen=True)
class Cloud:
    """A running AWS and the environment in which boto3 and Arrow find it."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        return CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def settings(self, **others: str) -> Settings:
        """Return the settings of a new lake: an empty bucket, and a database that nobody has made yet."""
        name = f"lake-{uuid.uuid4().hex[:12]}"
        client = boto3.client("s3", REGION, endpoint_url=self.endpoint)
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        lake = {"DATALAKE_S3_BUCKET": name, "DATALAKE_GLUE_DATABASE": name.replace("-", "_")}
        return Settings.from_env(self.environment | lake | others)


def let_one_writer_win(patch: pytest.MonkeyPatch) -> None:
    """Refuse an update of a table that has another version by now, as Glue does; moto takes any."""
    updating, update = threading.Lock(), GlueResponse.update_table

    def checked(response: GlueResponse) -> Any:
        asked = response.parameters
        with updating:
            table = response.glue_backend.get_table(asked["DatabaseName"], asked["TableInput"]["Name"])
            if asked.get("VersionId") not in (None, table.as_dict()["VersionId"]):
                raise JsonRESTError(
                    "ConcurrentModificationException", "Update table failed due to concurrent modifications."
                )
            return update(response)

    patch.setattr(GlueResponse, "update_table", checked)


@contextmanager
def running_cloud() -> Iterator[Cloud]:
    """Start moto on a free port, and set this process's environment to it while the block runs."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else every failure shows every request
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    cloud = Cloud(f"http://{host}:{port}")
    try:
        with pytest.MonkeyPatch.context() as patch:
            let_one_writer_win(patch)
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                patch.delenv(name)
            patch.setenv("AWS_CONFIG_FILE", str(Path(os.devnull)))
            patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(Path(os.devnull)))
            for name, value in cloud.environment.items():
                patch.setenv(name, value)
            yield cloud
    finally:
        server.stop()
