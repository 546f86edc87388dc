"""The process that runs DuckDB, one question after another: `python -m estat_dagster.query.worker FD`, FD a socket.

It ends with the process that started it: standard input is closed then, and nothing is ever written to it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import duckdb

from estat_dagster.errors import ValidationError
from estat_dagster.query.worker import session, wire

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from estat_dagster.query.worker.sql import Question

_BATCH_ROWS = 10_000


def main() -> None:
    """Answer until nobody asks any more."""
    if len(sys.argv) != 2:
        sys.exit("It can start. What asks queries starts it, with the number of a socket.")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    line = Connection(int(sys.argv[1]))
    try:
        while True:
            with closing(session.blank()) as connection:
                line.send_bytes(wire.Kind.READY)
                _serve(connection, line)
    except (EOFError, ConnectionError):  # nobody asks any more
        return


def _serve(connection: DuckDBPyConnection, line: Connection) -> None:
    """Answer one question."""
    question, names = wire.read_question(line.recv_bytes())
    tables = {name: wire.read_table(line.recv_bytes()) for name in names}
    with closing(_answers(connection, question, tables)) as answers:
        wanted = wire.NEXT
        while wanted == wire.NEXT:
            line.send_bytes(_next(answers))
            wanted = line.recv_bytes()


def _answers(connection: DuckDBPyConnection, question: Question, tables: dict[str, pa.Table]) -> Generator[bytes]:
    """Yield the plan, or the schema and the batches, as messages."""
    session.furnish(connection, question, tables)
    relation = session.select(connection, question.sql)
    if question.plan:
        yield wire.Kind.PLAN + relation.explain().encode()
        return
    reader = relation.to_arrow_reader(_BATCH_ROWS)
    yield wire.schema(reader.schema, [str(kind) for kind in relation.types])
    for batch in reader:
        yield wire.batch(batch)


def _next(answers: Iterator[bytes]) -> bytes:
    try:
        return next(answers, wire.Kind.END)
    except ValidationError as error:
        return wire.failed("ValidationError", error.message, error.hint)
    except MemoryError as error:
        return wire.failed("OutOfMemoryException", str(error))
    except (duckdb.Error, OSError) as error:  # Arrow makes an OSError of what DuckDB meets while rows are read
        return wire.failed(type(error).__name__, str(error))


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(0)


if __name__ == "__main__":
    main()
