"""An engine that writes a line of each query it answers, for the metrics: queries run in processes that soon end.

A line is JSON: `at`, `engine`, `seconds`, `bytes` scanned, `cost` in US dollars, and `error`, the kind, "" where it was
answered. It holds nothing of the SQL. Pages after a query's first are not queries, and are not written.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from estat_dagster.errors import DataLakeError
from estat_dagster.telemetry import log, note_span

if TYPE_CHECKING:
    import pyarrow as pa

    from estat_dagster.query.engine import QueryEngine, QueryResult
    from estat_dagster.snapshots import AsOf

MOST_BYTES = 10_000_000
FACTS = {"engine", "seconds", "bytes", "cost", "error"}


class MeteredEngine:
    """Answers as the engine does, and writes what it took.

    Args:
        engine: what answers.
        name: what the lines call it.
        path: the file of the lines; one that has grown large is put aside.
    """

    def __init__(self, engine: QueryEngine, name: str, path: Path) -> None:
        self._engine, self._name, self._path = engine, name, path

    def run(
        self,
        sql: str,
        parameters: Sequence[object] = (),
        *,
        limit: int | None = None,
        cursor: str | None = None,
        as_of: AsOf | None = None,
        on_start: Callable[[str], None] | None = None,
    ) -> QueryResult:
        """Answer one statement, as `QueryEngine.run`; the line is written when its rows were read, or it failed."""
        started = time.monotonic()
        try:
            result = self._engine.run(sql, parameters, limit=limit, cursor=cursor, as_of=as_of, on_start=on_start)
        except DataLakeError as error:
            self._write(time.monotonic() - started, None, error.kind)
            raise
        if cursor is None:
            result.batches = self._watch(result, result.batches)
        return result

    def explain(self, sql: str, parameters: Sequence[object] = (), *, as_of: AsOf | None = None) -> str:
        """Return how a query would be answered, without running it."""
        return self._engine.explain(sql, parameters, as_of=as_of)

    def cancel(self, query_id: str) -> bool:
        """Stop a query, as `QueryEngine.cancel`."""
        return self._engine.cancel(query_id)

    def tables(self) -> list[str]:
        """Return the names of the tables, sorted."""
        return self._engine.tables()

    def describe(self, table: str) -> pa.Table:
        """Return a table's columns, as `QueryEngine.describe`."""
        return self._engine.describe(table)

    def _watch(self, result: QueryResult, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        kind = ""
        try:
            yield from batches
        except DataLakeError as error:
            kind = error.kind
            raise
        finally:
            self._write(result.elapsed_seconds, result, kind)

    def _write(self, seconds: float, result: QueryResult | None, kind: str) -> None:
        facts = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "engine": self._name,
            "seconds": round(seconds, 4),
            "bytes": (result.bytes_scanned if result else None) or 0,
            "cost": (result.cost_usd if result else None) or 0.0,
            "error": kind,
        }
        note_span("query", seconds, engine=self._name, error=kind)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > MOST_BYTES:
                self._path.replace(self._path.with_suffix(".old"))
            with self._path.open("ab", buffering=0) as file:
                file.write(json.dumps(facts).encode() + b"\n")  # one write, so that lines of processes do not mix
        except OSError as error:  # who may only read the lake can still ask it
            words = f"The query is missing from the metrics: {os.strerror(error.errno or 0)}."
            log("metrics", words, level=logging.WARNING)


def read_lines(path: Path, offset: int) -> tuple[list[dict[str, object]], int]:
    """Return the whole lines behind an offset of the file, and the offset behind them; from 0 in a file begun anew.

    A line that is none, as a full disk leaves it, is left out with a warning.
    """
    if not path.exists():
        return [], 0
    with path.open("rb") as file:
        file.seek(offset if path.stat().st_size >= offset else 0)
        start, body = file.tell(), file.read()
    whole = body[: body.rfind(b"\n") + 1]
    return [facts for line in whole.splitlines() if (facts := _facts(line, path))], start + len(whole)


def _facts(line: bytes, path: Path) -> dict[str, object] | None:
    try:
        facts = json.loads(line)
    except ValueError:
        facts = None
    if isinstance(facts, dict) and facts.keys() >= FACTS:
        return facts
    log("metrics", f"A line of {path} is no query's, and is not counted.", level=logging.WARNING)
    return None
