"""What queries of any process took, on /metrics; and spans where OpenTelemetry is configured."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

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
    lines = [json.dumps({"engine": "embedded", "seconds": n, "bytes": 0, "cost": 0, "error": ""}) for n in (1, 2)]
    path.write_text(f"{lines[0]}\n{lines[1][:5]}")
    [first], offset = metered.read_lines(path, 0)
    assert (first["seconds"], offset) == (1, len(lines[0]) + 1)
    path.write_text(f"{lines[0]}\n{lines[1]}\n")
    [second], offset = metered.read_lines(path, offset)
    assert (second["seconds"], offset) == (2, path.stat().st_size)


def test_who_cannot_write_the_log_can_still_ask(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.bench.settings.queries_log.mkdir(parents=True)
    assert len(lakeside.bench.sql.run("SELECT 1").read_all()) == 1


RUN = "2f9ff4d0-8c8a-4c5e-9c3e-0123456789ab"
SPANS = f"""
from estat_dagster.telemetry import note_span, span
for layer in ("parquet_file", "iceberg_table"):
    with span(layer, run_id="{RUN}", dataset_id="0003005798"):
        note_span("query", 0.5, engine="embedded")
with span("elsewhere"):
    pass
"""
SECRET = "0123456789abcdef0123456789abcdef01234567"
LOAD = f"""
from pathlib import Path
from estat_dagster.sandbox.server import Sandbox
from tests.doors.lakeside import Lakeside
with Sandbox() as sandbox:
    assert Lakeside(Path("{{home}}"), sandbox, "{SECRET}").load("{LABOR}", fetch={{{{"chunk_size": 5}}}}).success
"""
WITHOUT_THE_SDK = f"import sys\nsys.modules['opentelemetry'] = None\n{SPANS}"


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A receiver of traces: its address, and what it got."""
    got: list[tuple[str, bytes]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


def trace(program: str, **given: str) -> str:
    """Run a program in an environment that names no other receiver, and return what it wrote."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command, environment = [sys.executable, "-c", program], kept | given | {"NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, env=environment, check=True, timeout=120, capture_output=True, text=True)
    return done.stderr


def spans_of(got: list[tuple[str, bytes]]) -> list[Span]:
    """Return the spans that came, in their order."""
    resources = [each for _, body in got for each in ExportTraceServiceRequest.FromString(body).resource_spans]
    return [span for resource in resources for scope in resource.scope_spans for span in scope.spans]


@pytest.mark.parametrize(
    ("name", "path", "asked"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "", "/v1/traces"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/mine/traces", "/mine/traces"),
    ],
)
def test_the_spans_of_a_run_are_one_trace_at_the_configured_receiver(
    receiver: tuple[str, list[tuple[str, bytes]]], name: str, path: str, asked: str
) -> None:
    url, got = receiver
    trace(SPANS, **{name: url + path})
    assert {found for found, _ in got} == {asked}
    spans = spans_of(got)
    ours = uuid.UUID(RUN).bytes
    assert [(each.name, each.trace_id == ours, bool(each.parent_span_id)) for each in spans] == [
        ("query", True, True),
        ("parquet_file", True, False),
        ("query", True, True),
        ("iceberg_table", True, False),
        ("elsewhere", False, False),
    ]
    assert spans[0].end_time_unix_nano - spans[0].start_time_unix_nano >= 500_000_000


def test_the_requests_of_a_load_are_parts_of_its_step(
    receiver: tuple[str, list[tuple[str, bytes]]], tmp_path: Path
) -> None:
    url, got = receiver
    trace(LOAD.format(home=tmp_path), OTEL_EXPORTER_OTLP_ENDPOINT=url)
    spans = spans_of(got)
    [step] = [each for each in spans if each.name == "raw_json"]
    pages = [each for each in spans if each.name == "getStatsData"]
    assert {(page.trace_id, page.parent_span_id) for page in pages} == {(step.trace_id, step.span_id)}
    told = [{fact.key: fact.value.string_value for fact in page.attributes} for page in pages]
    assert {facts["statsDataId"] for facts in told} == {LABOR}
    assert len({facts.get("startPosition", "1") for facts in told}) == len(pages) > 2
    assert not any(SECRET.encode() in body for _, body in got)


def test_nothing_is_traced_unless_it_is_configured_and_what_is_missing_is_said_once(
    receiver: tuple[str, list[tuple[str, bytes]]],
) -> None:
    url, got = receiver
    trace(SPANS)
    words = trace(WITHOUT_THE_SDK, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert words.count("the extra `tracing` is not installed") == 1
    assert got == []
