"""`python -m benchmarks.peers.serve --records N`: the table on loopback, in a process of its own.

Every answer is made before the first request and kept as gzip, so all readers get the same bytes and nobody waits for
their making. The first line printed is the address; the server ends when its standard input does.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from benchmarks.peers.simple import csv_page
from benchmarks.peers.table import SMALL, SMALL_ID, TABLE_ID, table
from estat_dagster.sandbox import service
from estat_dagster.sandbox.holdings import Holdings
from estat_dagster.sandbox.model import Table

PAGE = 100_000
APP_ID = "benchmark"
META, DATA, SIMPLE = (
    f"{service.BASE_PATH}/{name}" for name in ("json/getMetaInfo", "json/getStatsData", "getSimpleStatsData")
)
Key = tuple[str, str, int, int, bool]
"""What an answer depends on: its path, the table, the first record, how many, and whether CLASS_INF is left out."""


class Answers:
    """The answers to whatever is asked of the tables."""

    def __init__(self, *tables: Table) -> None:
        self._tables, self._kept = {table.id: table for table in tables}, dict[Key, bytes]()
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the answers that readers of the whole table ask for."""
        for each in self._tables.values():
            self.get(META, {"statsDataId": each.id})
            for start in range(1, len(each.cells) + 1, PAGE):
                for path, bare in ((DATA, "N"), (DATA, "Y"), (SIMPLE, "Y")):
                    self.get(path, {"statsDataId": each.id, "startPosition": str(start), "metaGetFlg": bare})

    def get(self, path: str, params: Mapping[str, str]) -> bytes:
        """Return the gzip bytes of an answer."""
        start, limit = int(params.get("startPosition", "1")), min(int(params.get("limit", PAGE)), PAGE)
        key = (path, params["statsDataId"], start, limit, params.get("metaGetFlg") == "N")
        with self._lock:
            if key not in self._kept:
                self._kept[key] = gzip.compress(self._make(*key), 6, mtime=0)
            return self._kept[key]

    def _make(self, path: str, table_id: str, start: int, limit: int, bare: bool) -> bytes:
        if path == SIMPLE:
            return csv_page(self._tables[table_id], start, limit)
        asked = {"statsDataId": table_id}
        if path == DATA:
            asked |= {"startPosition": str(start), "limit": str(limit), "metaGetFlg": "N" if bare else "Y"}
        return service.respond("GET", path, APP_ID, asked, Holdings(self._tables)).body


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        body = self.server.answers.get(url.path, dict(parse_qsl(url.query)))
        kind = "text/csv" if url.path == SIMPLE else "application/json"
        packed = "gzip" in self.headers.get("Accept-Encoding", "")
        body = body if packed else gzip.decompress(body)
        self.send_response(200)
        self.send_header("Content-Type", f"{kind};charset=utf-8")
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, required=True)
    answers = Answers(table(SMALL, SMALL_ID), table(parser.parse_args().records, TABLE_ID))
    answers.prepare()
    server = _Server(answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}{service.BASE_PATH}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
