"""Athena's web API: requests sent by boto3, its errors made ours."""

from __future__ import annotations

from typing import Any

from estat_dagster.query.athena import problems

ATTEMPTS = 8
"""Tries of a request that is throttled or breaks off. botocore waits longer before each, 20 s at most."""


class Client:
    """A client of Athena.

    Args:
        region: None lets boto3 find it, as it finds credentials and endpoints.
        attempts: the most tries of a request.
    """

    def __init__(self, region: str | None = None, *, attempts: int = ATTEMPTS) -> None:
        import boto3
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts}, connect_timeout=10, read_timeout=60
        )
        with problems.explained("opening Athena"):
            self._boto3 = boto3.client("athena", region_name=region, config=config)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Send a request, such as `get_query_execution`, and return the answer.

        Raises:
            ValidationError: Athena refuses it, or there are no credentials.
            StorageError: Athena cannot serve it now.
            NetworkError: Athena cannot be reached.
            RequestTimeoutError: no answer came in time.
        """
        with problems.explained(operation):
            answer: dict[str, Any] = getattr(self._boto3, operation)(**arguments)
            return answer
