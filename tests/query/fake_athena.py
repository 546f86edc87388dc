"""Athena's API on loopback, for what moto does not play: pages of 1,000 rows, throttling, reasons of failures, limits.

moto gives all rows in one page whatever MaxResults says, lets every query succeed that is not stopped, scans nothing
and refuses nothing. What it plays is asked of it in `test_query_athena_moto`. Botocore talks to this one unpatched.
Source: the Athena API reference (JSON 1.1, X-Amz-Target).
"""

# ruff: noqa: N803 - the names are the API's
from __future__ import annotations

import itertools
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOST_ROWS = 1000
SAFE = {
    "EnforceWorkGroupConfiguration": True,
    "BytesScannedCutoffPerQuery": 10**10,
    "ResultConfiguration": {
        "OutputLocation": "s3://lake/athena-results/",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
    },
}


@dataclass
class Answer:
    """What becomes of the next query.

    Args:
        columns: name to type, as ColumnInfo has them; `decimal(10,2)` with its numbers.
        rows: texts, None for NULL.
        states: what GetQueryExecution says, one after the other; the last stays.
        failure: AthenaError.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: {"n": "integer"})
    rows: Sequence[Sequence[str | None]] = (("1",),)
    states: Sequence[str] = ("SUCCEEDED",)
    reason: str = ""
    failure: Mapping[str, Any] | None = None
    scanned: int = 0
    reused: bool = False
    statement: str = "DML"
    workgroup: str = "estat-datalake"


class FakeAthena:
    """What was asked, and what will be answered."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.next: deque[Answer] = deque()
        self.queries: dict[str, Answer] = {}
        self.states: dict[str, Iterator[str]] = {}
        self.stopped: list[str] = []
        self.refusals: deque[tuple[int, str, str]] = deque()
        self.workgroup: dict[str, Any] | None = dict(SAFE)
        self.asked = threading.Event()
        self._numbers = itertools.count(1)

    def of(self, operation: str) -> list[dict[str, Any]]:
        """Return the requests of an operation, in order."""
        return [body for name, body in self.requests if name == operation]

    def answer(self, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.requests.append((operation, body))
        if self.refusals and operation != "GetWorkGroup":
            status, code, message = self.refusals.popleft()
            return status, {"__type": code, "message": message}
        try:
            return 200, getattr(self, operation)(**body)
        except LookupError as error:
            return 400, {"__type": "InvalidRequestException", "message": str(error.args[0])}

    def ListWorkGroups(self, NextToken: str = "") -> dict[str, Any]:
        if not NextToken:
            return {"WorkGroups": [{"Name": "primary"}], "NextToken": "second"}
        return {"WorkGroups": [{"Name": "estat-datalake"}] if self.workgroup is not None else []}

    def CreateWorkGroup(self, Configuration: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.workgroup = Configuration
        return {}

    def UpdateWorkGroup(self, ConfigurationUpdates: dict[str, Any], **_: Any) -> dict[str, Any]:
        result = {"ResultConfiguration": ConfigurationUpdates.pop("ResultConfigurationUpdates")}
        self.workgroup = (self.workgroup or {}) | ConfigurationUpdates | result
        return {}

    def GetWorkGroup(self, WorkGroup: str) -> dict[str, Any]:
        if self.workgroup is None:
            raise LookupError("WorkGroup is not found.")
        return {"WorkGroup": {"Name": WorkGroup, "State": "ENABLED", "Configuration": self.workgroup}}

    def StartQueryExecution(self, **body: Any) -> dict[str, Any]:
        query_id = f"00000000-0000-0000-0000-{next(self._numbers):012d}"
        self.queries[query_id] = self.next.popleft() if self.next else Answer()
        states = self.queries[query_id].states
        self.states[query_id] = itertools.chain(states, itertools.repeat(states[-1]))
        return {"QueryExecutionId": query_id}

    def GetQueryExecution(self, QueryExecutionId: str) -> dict[str, Any]:
        answer = self._query(QueryExecutionId)
        self.asked.set()
        state = "CANCELLED" if QueryExecutionId in self.stopped else next(self.states[QueryExecutionId])
        status: dict[str, Any] = {"State": state}
        if answer.reason:
            status["StateChangeReason"] = answer.reason
        if answer.failure:
            status["AthenaError"] = answer.failure
        return {
            "QueryExecution": {
                "QueryExecutionId": QueryExecutionId,
                "Status": status,
                "StatementType": answer.statement,
                "WorkGroup": answer.workgroup,
                "Statistics": {
                    "DataScannedInBytes": answer.scanned,
                    "ResultReuseInformation": {"ReusedPreviousResult": answer.reused},
                },
            }
        }

    def GetQueryResults(
        self,
        QueryExecutionId: str,
        MaxResults: int = MOST_ROWS,
        NextToken: str = "",
    ) -> dict[str, Any]:
        answer = self._query(QueryExecutionId)
        if MaxResults > MOST_ROWS:
            raise LookupError(f"MaxResults {MaxResults} is more than {MOST_ROWS}")
        rows = [list(answer.columns), *answer.rows]
        start = int(NextToken.removeprefix("token-")) if NextToken else 0
        page = [
            {"Data": [{} if text is None else {"VarCharValue": text} for text in row]}
            for row in rows[start:][:MaxResults]
        ]
        end = start + MaxResults
        more = {"NextToken": f"token-{end}"} if end < len(rows) else {}
        columns = [_column(name, kind) for name, kind in answer.columns.items()]
        return {"ResultSet": {"Rows": page, "ResultSetMetadata": {"ColumnInfo": columns}}, **more}

    def StopQueryExecution(self, QueryExecutionId: str) -> dict[str, Any]:
        self._query(QueryExecutionId)
        self.stopped.append(QueryExecutionId)
        return {}

    def _query(self, query_id: str) -> Answer:
        if query_id not in self.queries:
            raise LookupError(f"QueryExecution {query_id} was not found")
        return self.queries[query_id]


def _column(name: str, kind: str) -> dict[str, Any]:
    kind, _, numbers = kind.partition("(")
    precision, _, scale = numbers.rstrip(")").partition(",")
    return {
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": int(precision or 0),
        "Scale": int(scale or 0),
        "Nullable": "UNKNOWN",
    }


@contextmanager
def serving(fake: FakeAthena) -> Iterator[str]:
    """Serve it on a free port of loopback, and give the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body.pop("ClientRequestToken", None)
            status, answer = fake.answer(self.headers["X-Amz-Target"].partition(".")[2], body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
