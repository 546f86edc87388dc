"""/metrics for Prometheus, read from what every process already writes: Dagster's events, the registry, and the log
of queries.

Runs are processes of their own and end before anybody could scrape them, so nothing is counted in them. Counters begin
at 0 when this server starts, as Prometheus expects, and take up each run once, when it has ended.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import prometheus_client as prometheus
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from estat_dagster.automation.problems import problems_of
from estat_dagster.automation.runs import AT_WORK, QUEUED, Seen
from estat_dagster.domains import DATASET_ID
from estat_dagster.errors import DataError
from estat_dagster.lake import paths
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.lake.store import StoredFile
from estat_dagster.query.metered import read_lines
from estat_dagster.serving.rising import Rising
from estat_dagster.workbench import Workbench

PATH = "/metrics"
LIVE = {"queued": QUEUED, "at work": AT_WORK}
SUMMED = {
    "seconds": "estat_step_seconds",
    "dagster/partition_row_count": "estat_step_rows",
    "bytes": "estat_step_bytes",
    "requests": "estat_fetch_requests",
    "retries": "estat_fetch_retries",
    "quarantined": "estat_quarantined_rows",
    "nulls": "estat_rows_without_number",
}
"""Facts of a materialization that are summed, and the counters that they go into."""


class Metrics:
    """Counts what ended since it was made, and tells it as Prometheus's text."""

    def __init__(self, instance: dg.DagsterInstance, bench: Workbench) -> None:
        self._instance, self._bench, self._lock = instance, bench, threading.Lock()
        begun = time.time()
        self._held: dict[StoredFile, DatasetEntry] = {}
        self._seen, self._rising = Seen(looked=begun, known=begun), Rising()
        self._registry = prometheus.CollectorRegistry()
        make = self._counter
        self._runs = make("estat_runs", "Runs that ended.", "dagster_job", "status")
        self._steps = make("estat_steps", "Steps that were done.", "domain", "layer", "unchanged")
        self._failures = make("estat_step_failures", "Steps that failed, blocking checks too.", "domain", "layer")
        self._checks = make("estat_checks", "Checks that were made.", "check", "outcome")
        self._problems = make("estat_problems", "What went wrong, by its kind.", "kind")
        self._sums = {
            fact: make(name, f"Sum of {fact.removeprefix('dagster/')} of all steps.", "domain", "layer")
            for fact, name in SUMMED.items()
        }
        self._queries = make("estat_queries", "Queries that ended, by the kind of their error.", "engine", "error")
        self._query_sums = {
            "seconds": make("estat_query_seconds", "Seconds of all queries.", "engine"),
            "bytes": make("estat_query_scanned_bytes", "Bytes that queries had to look at.", "engine"),
            "cost": make("estat_query_cost_usd", "What queries cost in US dollars.", "engine"),
        }
        log = bench.settings.queries_log
        self._queries_read = log.stat().st_size if log.exists() else 0
        self._datasets = self._gauge("estat_datasets", "Datasets of the lake.", "domain", "status")
        self._rows = self._gauge("estat_rows", "Rows in the tables.", "domain")
        self._daemons = self._gauge(
            "estat_daemon_healthy", "Whether a daemon of Dagster's was heard of lately.", "daemon"
        )
        self._live = self._gauge("estat_live_runs", "Runs that have not ended.", "state")

    def text(self) -> bytes:
        """Return all metrics, after looking at what is new."""
        with self._lock:
            self._rising.rise()
            self._take_runs()
            self._take_queries()
            self._look()
            return prometheus.generate_latest(self._registry)

    def _counter(self, name: str, words: str, *labels: str) -> prometheus.Counter:
        return prometheus.Counter(name, words, labels, registry=self._registry)

    def _gauge(self, name: str, words: str, *labels: str) -> prometheus.Gauge:
        return prometheus.Gauge(name, words, labels, registry=self._registry)

    def _take_runs(self) -> None:
        while True:
            runs, self._seen = self._seen.new_runs(self._instance)
            if not runs:
                return
            for run in runs:
                self._take(run)

    def _take(self, run: dg.DagsterRun) -> None:
        self._rising.add(self._runs.labels(run.job_name, run.status.value))
        for problem in problems_of(self._instance, run):
            self._rising.add(self._problems.labels(problem.kind))
        for record in self._instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
            self._take_failure(record.get_dagster_event())
        for record in self._instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
            data: Any = record.get_dagster_event().event_specific_data
            self._take_step(data.materialization)
        for record in self._instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
            evaluation: Any = record.get_dagster_event().event_specific_data
            self._rising.add(self._checks.labels(evaluation.check_name, "passed" if evaluation.passed else "failed"))

    def _take_failure(self, event: dg.DagsterEvent) -> None:
        domain, layer = _place((event.step_key or "").split("__"))
        self._rising.add(self._failures.labels(domain, layer))
        data: Any = event.event_specific_data
        facts = data.user_failure_data.metadata if data.user_failure_data else {}
        if "retries" in facts and facts["retries"].value:
            self._rising.add(self._sums["retries"].labels(domain, layer), facts["retries"].value)

    def _take_step(self, materialization: dg.AssetMaterialization) -> None:
        facts = {name: value.value for name, value in materialization.metadata.items()}
        domain, layer = _place(materialization.asset_key.path)
        if domain and materialization.partition is None:
            return  # a refresh found the table current; no step was done
        unchanged = bool(facts.get("unchanged"))
        self._rising.add(self._steps.labels(domain, layer, str(unchanged).lower()))
        for fact, counter in self._sums.items():
            worked = fact in ("seconds", "requests", "retries") or not unchanged
            number = facts.get(fact)
            if worked and isinstance(number, int | float):
                self._rising.add(counter.labels(domain, layer), number)

    def _take_queries(self) -> None:
        lines, self._queries_read = read_lines(self._bench.settings.queries_log, self._queries_read)
        for line in lines:
            self._rising.add(self._queries.labels(line["engine"], line["error"]))
            for fact, counter in self._query_sums.items():
                self._rising.add(counter.labels(line["engine"]), float(str(line[fact])))

    def _entries(self) -> Iterator[DatasetEntry | None]:
        """Return the registry's entries, None for a damaged one; what stayed the same is not read again."""
        lake, before, self._held = self._bench.lake, self._held, {}
        for file in lake.store.walk(paths.registry()):
            dataset_id = Path(file.path).stem
            if not DATASET_ID.fullmatch(dataset_id) or file.path != paths.registry(dataset_id):
                continue
            try:
                entry = before.get(file) or lake.registry.find(dataset_id)
            except DataError:
                yield None
                continue
            if entry is not None:  # else it was deleted meanwhile
                self._held[file] = entry
                yield entry

    def _look(self) -> None:
        """Set what is as it is now."""
        datasets: Counter[tuple[str, str]] = Counter()
        rows: Counter[str] = Counter()
        for entry in self._entries():
            if entry is None:
                datasets["", "damaged"] += 1
                continue
            datasets[entry.domain, entry.status] += 1
            rows[entry.domain] += entry.valid_count or 0
        for gauge in (self._datasets, self._rows):
            gauge.clear()
        for labels, count in datasets.items():
            self._datasets.labels(*labels).set(count)
        for domain, count in rows.items():
            self._rows.labels(domain).set(count)
        for name, status in self._instance.get_daemon_statuses().items():
            if status.required:
                self._daemons.labels(name).set(bool(status.healthy))
        for state, statuses in LIVE.items():
            self._live.labels(state).set(self._instance.get_runs_count(dg.RunsFilter(statuses=statuses)))


def _place(path: Sequence[str]) -> tuple[str, str]:
    """Return domain and layer of a path; what is about no domain has none."""
    return (path[0], path[1]) if len(path) > 1 else ("", path[0])


def with_metrics(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """Return an application that tells the metrics at /metrics, and is `app` everywhere else."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            text = await run_in_threadpool(metrics.text)
            response: Response = PlainTextResponse(text, media_type=prometheus.CONTENT_TYPE_LATEST)
            await response(scope, receive, send)
        else:
            await app(scope, receive, send)

    return answer
