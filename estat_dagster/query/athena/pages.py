"""The rows of a finished query, page by page: a page holds 1,000 rows at most, and is fetched when it is read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from estat_dagster.errors import ValidationError
from estat_dagster.query.athena import values
from estat_dagster.query.athena.client import Client
from estat_dagster.query.athena.executions import Execution

PAGE_ROWS = 1000  # the most that GetQueryResults gives


@dataclass(frozen=True)
class Place:
    """Where in a query's rows to read on: Athena's token of a page ("" is the first), and rows of it to pass over."""

    query_id: str
    token: str = ""
    skip: int = 0


class Pages:
    """The rows of a query from a place on.

    Args:
        execution: the query, succeeded.
    """

    def __init__(self, client: Client, execution: Execution, place: Place) -> None:
        self._client, self._execution = client, execution
        self._place = place
        self._first = self._fetch(place.token)
        self.schema = values.schema(self._first["ResultSetMetadata"]["ColumnInfo"])
        self._read = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, a page a batch."""
        page, skip = self._first, self._place.skip
        while True:
            yield values.batch(page["Rows"][skip:], self.schema)
            if not (token := page["NextToken"]):
                return
            self._read += len(page["Rows"]) - skip
            self._place, skip = Place(self._place.query_id, token), 0
            page = self._fetch(token)

    def place_after(self, rows: int) -> Place:
        """Return the place behind so many rows, which must be in the page that was yielded last."""
        return Place(self._place.query_id, self._place.token, self._place.skip + rows - self._read)

    def _fetch(self, token: str) -> dict[str, Any]:
        given = {"NextToken": token} if token else {}
        answer = self._client.call(
            "get_query_results", QueryExecutionId=self._place.query_id, MaxResults=PAGE_ROWS, **given
        )
        result = answer["ResultSet"]
        rows = [[cell.get("VarCharValue") for cell in row.get("Data", [])] for row in result["Rows"]]
        if not token and self._has_header(rows, result["ResultSetMetadata"]["ColumnInfo"]):
            del rows[0]
        return {**result, "Rows": rows, "NextToken": answer.get("NextToken") or ""}

    def _has_header(self, rows: list[list[str | None]], columns: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the first row holds the columns' names: always that of a query, of others where it does."""
        names = [column.get("Label") or column["Name"] for column in columns]
        return bool(rows) and (self._execution.statement == "DML" or rows[0] == names)


def fingerprint(*asked: object) -> str:
    """Return a few letters that stand for what was asked."""
    return hashlib.sha256(json.dumps(asked, default=repr).encode()).hexdigest()[:16]


def to_cursor(place: Place, asked: str) -> str:
    """Return a place as a text that another process can go on from; `asked` is the question's fingerprint."""
    document = json.dumps([place.query_id, place.token, place.skip, asked])
    return base64.urlsafe_b64encode(document.encode()).decode()


def from_cursor(cursor: str, asked: str) -> Place:
    """Return the place that a cursor stands for.

    Raises:
        ValidationError: it is no cursor, or another question's.
    """
    try:
        query_id, token, skip, made_for = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        place = Place(str(query_id), str(token), int(skip))
    except (ValueError, TypeError, binascii.Error) as error:
        raise ValidationError("The cursor is not one of this engine's.", hint="Run the query again.") from error
    if made_for != asked:
        raise ValidationError(
            "The cursor belongs to another query.", hint="Give the same SQL, parameters and as_of as before."
        )
    if place.skip < 0:
        raise ValidationError("The cursor is not one of this engine's.", hint="Run the query again.")
    return place
