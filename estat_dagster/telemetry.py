"""Log lines as JSON: timestamp, level, operation, dataset_id, message, details. Nothing else formats logs.

Domain code logs with `log(operation, message, dataset_id=…, **details)`; who listens decides where the lines go.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import json
import logging
import os
import re
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("estat_dagster")
PLAIN = re.compile(
    r"(?P<timestamp>[\d-]{10} [\d:]{8} [+-]\d{4}) - (?P<logger>[\w.-]+) - (?P<level>[A-Z]+) - (?P<event>.*)", re.S
)
"""A line of Dagster's console: what runs write."""
COLOUR = re.compile(r"\x1b\[[\d;]*m")
"""What a terminal shows colours by; a code server writes it to any file."""
OF_ROOT = re.compile(r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<logger>[\w.-]+):(?P<event>.+)", re.S)
"""A line of Python's root logger, as it stands when nobody has set it up."""
OF_A_RUN = re.compile(
    r"(?P<job>[\w.]+) - (?P<run_id>[\da-f]{8}-[\da-f-]{27}) - (?P<step>[\w.\[\]-]+) - "
    r"(?P<operation>[a-z_]+): (?P<message>.*) \[(?P<dataset_id>\d{10})\]",
    re.S,
)
"""What `log` wrote in a run, as Dagster puts it on the console."""
LATELY = 100  # lines among which a repeated one is looked for: several processes write between one another
RECEIVERS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_TRACE: contextvars.ContextVar[int | None] = contextvars.ContextVar("trace", default=None)
_TALLIES: list[Counter[str]] = []
_TALLYING = threading.Lock()


def log(
    operation: str, message: str, *, dataset_id: str | None = None, level: int = logging.INFO, **details: Any
) -> None:
    """Write one log line of the project's logger; `details` are facts that JSON can hold, never secrets."""
    with _TALLYING:
        for tally in _TALLIES:
            tally[operation] += 1
    facts = {"operation": operation, "dataset_id": dataset_id, "details": details}
    words = f"{message} [{dataset_id}]" if dataset_id else message
    LOGGER.log(level, "%s: %s", operation, words, extra={"estat": {**facts, "message": message}})


@contextlib.contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the log lines of this process by operation, whoever listens to them: how often it was tried again, say."""
    tally: Counter[str] = Counter()
    with _TALLYING:
        _TALLIES.append(tally)
    try:
        yield tally
    finally:
        with _TALLYING:
            _TALLIES[:] = [other for other in _TALLIES if other is not tally]


@contextlib.contextmanager
def span(name: str, *, run_id: str | None = None, **attributes: str) -> Iterator[None]:
    """Let what happens inside be a span of an OpenTelemetry trace, where the environment configures one (OTEL_*).

    Args:
        name: of the span.
        run_id: a run's id, which is a UUID. All spans of a run are one trace, whichever processes they come from.
            None is a part of the span around it, or a trace of its own.
        attributes: what is known of it.
    """
    tracer = _tracer()
    if tracer is None:
        yield
        return
    chosen = _TRACE.set(uuid.UUID(run_id).int if run_id else None)
    try:
        with tracer.start_as_current_span(name, attributes=attributes):
            yield
    finally:
        _TRACE.reset(chosen)


def note_span(name: str, seconds: float, **attributes: str | float) -> None:
    """Let what took so many seconds until now be a span."""
    if (tracer := _tracer()) is not None:
        began = time.time_ns() - int(seconds * 1e9)
        tracer.start_span(name, attributes=attributes, start_time=began).end()


@functools.cache
def _tracer() -> Any:
    """Return the tracer; the SDK's own variables say where spans go. None where they do not, or without the SDK."""
    if not any(os.environ.get(name) for name in RECEIVERS):
        return None
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    except ImportError:
        words = "No traces are sent: the extra `tracing` is not installed: pip install -e '.[tracing]'"
        log("tracing", words, level=logging.WARNING)
        return None

    class RunIds(RandomIdGenerator):
        """Gives the spans of a run the trace that the run's id names."""

        def generate_trace_id(self) -> int:
            return _TRACE.get() or super().generate_trace_id()

    provider = TracerProvider(id_generator=RunIds())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return trace.get_tracer("estat_dagster")


class JsonFormatter(logging.Formatter):
    """Format every record as one JSON object, records of other libraries too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts: dict[str, Any] = getattr(record, "estat", {})
        return _line(
            datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            record.levelname,
            operation=facts.get("operation", record.name),
            dataset_id=facts.get("dataset_id"),
            message=facts.get("message", record.getMessage()),
            details=facts.get("details", {}),
        )


class Retold:
    """The lines of another program as ours, each once.

    Dagster's storage says by Python's root logger that it tries again. From then on whatever any logger of that process
    says is said by the root logger too.
    """

    def __init__(self) -> None:
        self._said: deque[tuple[str, str]] = deque(maxlen=LATELY)

    def line(self, text: str) -> str | None:
        """Return a line as ours; None where it was said just before."""
        root = OF_ROOT.fullmatch(text.rstrip("\n"))
        if root and (root["logger"], root["event"]) in self._said:
            return None
        ours = as_our_line(text)
        told = json.loads(ours)
        self._said.append((told["operation"], str(told["message"]).partition("\n")[0]))
        return ours


def as_our_line(text: str) -> str:
    """Return a line of another program as one of ours: Dagster's JSON and plain lines by their fields, others whole."""
    found = _read(COLOUR.sub("", text.rstrip("\n")))
    if found.keys() >= {"operation", "message"}:
        return text.rstrip("\n")
    moment, level = _moment(found.pop("timestamp", None)), str(found.pop("level", "info")).upper()
    facts = {"operation": found.pop("logger", "dagster"), "dataset_id": None, "message": found.pop("event")}
    if of_a_run := OF_A_RUN.fullmatch(str(facts["message"])):
        told = of_a_run.groupdict()
        facts |= {name: told.pop(name) for name in facts}
        found |= told
    return _line(moment, level, **facts, details=found)


def _moment(text: object) -> str:
    """Return a moment in the one form of our lines: ISO 8601, UTC, milliseconds; now, where it is none."""
    for read in (datetime.fromisoformat, lambda each: datetime.strptime(each, "%Y-%m-%d %H:%M:%S %z")):
        with contextlib.suppress(ValueError):
            found = read(str(text))
            return (
                (found if found.tzinfo else found.replace(tzinfo=UTC))
                .astimezone(UTC)
                .isoformat(timespec="milliseconds")
            )
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _read(text: str) -> dict[str, Any]:
    """Return the fields of a line, as Dagster's JSON names them."""
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict) and (found.keys() >= {"operation", "message"} or "event" in found):
            return found
    plain = PLAIN.fullmatch(text) or OF_ROOT.fullmatch(text)
    return plain.groupdict() if plain else {"event": text}


def _line(timestamp: str, level: str, **facts: Any) -> str:
    return json.dumps({"timestamp": timestamp, "level": level, **facts}, ensure_ascii=False, default=str)


def log_to_stderr() -> None:
    """Write log lines to stderr from now on, one JSON object a line: the project's, and warnings of libraries."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    LOGGER.setLevel(logging.INFO)
