"""What queries of any process took, on /metrics; and spans where OpenTelemetry is configured."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading

import pytest

from estat_dagster.errors import ValidationError
from estat_dagster.query import metered
from estat_dagster.serving.metrics import Metrics
from tests.doors.lakeside import Lakeside
from tests.ops.test_ops_metrics import values

LABOR = "0003005798"


def test_queries_are_counted_once_with_what_they_took_and_how_they_ended(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.bench.sql.run("SELECT 1").read_all()
    metrics = Metrics(lakeside.instance, lakeside.bench)
    assert not any(name.startswith("estat_queries_total") for name in values(metrics)), "that one was before"
    lakeside.bench.sql.run("SELECT * FROM labor_data").read_all()
    first = lakeside.bench.sql.run("SELECT * FROM labor_data", limit=2)
    first.read_all()
    assert first.cursor
    lakeside.bench.sql.run("SELECT * FROM labor_data", limit=2, cursor=first.cursor).read_all()
    with pytest.raises(ValidationError):
        lakeside.bench.sql.run("DELETE FROM labor_data")
    for _ in range(2):
        now = values(metrics)
        assert now['estat_queries_total{engine="embedded",error=""}'] == 2
        assert now['estat_queries_total{engine="embedded",error="VALIDATION_ERROR"}'] == 1
        assert now['estat_query_scanned_bytes_total{engine="embedded"}'] > 0
        assert now['estat_query_seconds_total{engine="embedded"}'] > 0
        assert now['estat_query_cost_usd_total{engine="embedded"}'] == 0
    assert b"labor_data" not in lakeside.bench.settings.queries_log.read_bytes(), "what was asked is nobody's business"


def test_a_log_that_grew_large_is_begun_anew_and_read_on(lakeside: Lakeside, monkeypatch: pytest.MonkeyPatch) -> None:
    lakeside.load(LABOR)
    metrics = Metrics(lakeside.instance, lakeside.bench)
    for _ in range(2):
        lakeside.bench.sql.run("SELECT 1").read_all()
    assert values(metrics)['estat_queries_total{engine="embedded",error=""}'] == 2
    monkeypatch.setattr(metered, "MOST_BYTES", 10)
    lakeside.bench.sql.run("SELECT 1").read_all()
    assert values(metrics)['estat_queries_total{engine="embedded",error=""}'] == 3


def test_a_line_that_is_still_being_written_waits(lakeside: Lakeside) -> None:
    path = lakeside.bench.settings.queries_log
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"a": 1}\n{"a"')
    assert metered.read_lines(path, 0) == ([{"a": 1}], 9)
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n')
    assert metered.read_lines(path, 9) == ([{"a": 2}], 18)


def test_who_cannot_write_the_log_can_still_ask(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.bench.settings.queries_log.mkdir(parents=True)
    assert len(lakeside.bench.sql.run("SELECT 1").read_all()) == 1


SPANS = """
from estat_dagster.telemetry import span
with span("iceberg_table", dataset_id="0003005798"):
    pass
"""


def test_spans_go_to_the_configured_receiver_and_nowhere_else() -> None:
    got: list[tuple[str, bytes]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "NO_PROXY": "127.0.0.1"}
    try:
        for environment in (kept, kept | given):
            subprocess.run([sys.executable, "-c", SPANS], env=environment, check=True, timeout=120)
    finally:
        server.shutdown()
        server.server_close()
    [(path, body)] = got
    assert path == "/v1/traces"
    assert b"iceberg_table" in body
    assert b"0003005798" in body
