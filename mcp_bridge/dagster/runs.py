"""What is known of a run: its steps, rows, pages, checks and errors, read from its record and its events."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mcp_bridge.japanese import LAYERS as NAMES
from mcp_bridge.japanese import STATES
from mcp_bridge.plain import cut

PARTITION_TAG = "dagster/partition"
ASKED_BY_TAG = "estat/requested_by"
LIVE = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")
FINISHED = ("SUCCESS", "FAILURE", "CANCELED")
LAYERS = ("raw_json", "transformed_frame", "validated_records", "parquet_file", "iceberg_table")
WHOLE_JOB = "ingest_"
CHECKS = "__checks"
MOST_ERRORS, MOST_WORDS = 10, 500

_FETCHED = re.compile(r"fetch: records ([\d,]+) to ([\d,]+) of ([\d,]+)")
_MAPPED = re.compile(r"transform: page ([\d,]+) of ([\d,]+)")


@dataclass
class LayerView:
    """A layer in a run: WAITING, RUNNING, SUCCESS, FAILURE, CANCELED or SKIPPED, and its rows when it has ended."""

    name: str
    status: str = "WAITING"
    rows: int | None = None
    seconds: float | None = None
    unchanged: bool | None = None


@dataclass(frozen=True)
class CheckView:
    """A check in a run."""

    name: str
    layer: str
    passed: bool
    blocking: bool
    words: str


@dataclass
class RunView:
    """A run as far as it is known; `events_seen` is where reading goes on."""

    run_id: str
    status: str = "QUEUED"
    job: str = ""
    dataset_id: str = ""
    domain: str = ""
    asked_by: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    created_at: float | None = None
    layers: dict[str, LayerView] = field(default_factory=dict)
    checks: list[CheckView] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    fetched: dict[int, int] = field(default_factory=dict)
    total: int | None = None
    mapped: tuple[int, int] | None = None
    checking: str = ""
    events_seen: str | None = None

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self.status in FINISHED

    @property
    def is_unchanged(self) -> bool:
        """Whether it ended well, and what its last layer makes was there already."""
        return self.status == "SUCCESS" and [layer.unchanged for layer in self.layers.values()][-1:] == [True]

    @property
    def seconds(self) -> float | None:
        """How long it ran, or runs already; None before it began."""
        if self.started_at is None:
            return None
        return round((self.ended_at or time.time()) - self.started_at, 1)

    @property
    def fraction(self) -> float:
        """How much of the run is done, from 0 to 1: layers that ended, and the part of the one that runs.

        One that failed or was canceled stays where it was.
        """
        if self.status == "SUCCESS":
            return 1.0
        done = sum(layer.status in ("SUCCESS", "SKIPPED") for layer in self.layers.values())
        return min(0.99, (done + self._part()) / max(1, len(self.layers)))

    @property
    def stage(self) -> str:
        """What the run is doing now, in few words of Japanese."""
        running = self.running
        if running is None or self.finished or self.status == "CANCELING":
            return "検査中" if self.checking and self.status == "STARTED" else STATES.get(self.status, self.status)
        doing = NAMES.get(running, running)
        if running == "raw_json" and self.total:
            return f"{doing}: {self.total:,}件のうち{sum(self.fetched.values()):,}件"
        if running == "transformed_frame" and self.mapped:
            return f"{doing}: {self.mapped[1]:,}ページのうち{self.mapped[0]:,}ページ"
        return doing

    @property
    def pages(self) -> tuple[int, int] | None:
        """How many pages are fetched, of how many; None before the first. All pages but the last are as long."""
        if not self.fetched or not self.total:
            return None
        return len(self.fetched), -(-self.total // max(self.fetched.values()))

    @property
    def running(self) -> str | None:
        """The layer that runs, None between layers."""
        return next((layer.name for layer in self.layers.values() if layer.status == "RUNNING"), None)

    def read_record(self, record: dict[str, Any]) -> None:
        """Take in what `RUN_FIELDS` says."""
        self.status, self.job = record["status"], record["jobName"]
        self.created_at, self.started_at, self.ended_at = (
            record[name] for name in ("creationTime", "startTime", "endTime")
        )
        self.tags = {tag["key"]: tag["value"] for tag in record["tags"]}
        self.dataset_id = self.tags.get(PARTITION_TAG, "")
        self.asked_by = self.tags.get(ASKED_BY_TAG, "")
        for domain, name in self._selected(record):
            self.domain = domain
            self.layers.setdefault(name, LayerView(name))
        for step in record["stepStats"]:
            self._read_step(step)
        if self.status == "CANCELED":
            self._cancel()

    def _cancel(self) -> None:
        """Show what a run that was canceled was doing as canceled: Dagster has it fail, or run for ever."""
        self.errors.clear()
        for layer in self.layers.values():
            if layer.status in ("RUNNING", "FAILURE"):
                layer.status = "CANCELED"

    def read_events(self, events: Iterable[dict[str, Any]]) -> None:
        """Take in events in their order."""
        for event in events:
            reader = getattr(self, f"_on_{event['__typename']}", None)
            if reader:
                reader(event)
        if self.status == "CANCELED":
            self._cancel()

    def _selected(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        """Return domain and name of each layer that the run is of."""
        if self.job.startswith(WHOLE_JOB):
            return [(self.job.removeprefix(WHOLE_JOB), name) for name in LAYERS]
        return [(key["path"][0], key["path"][1]) for key in record["assetSelection"] or [] if len(key["path"]) == 2]

    def _part(self) -> float:
        running = self.running
        if running == "raw_json" and self.total:
            return min(1.0, sum(self.fetched.values()) / self.total)
        if running == "transformed_frame" and self.mapped:
            return self.mapped[0] / self.mapped[1]
        return 0.0

    def _read_step(self, step: dict[str, Any]) -> None:
        domain, _, name = step["stepKey"].partition("__")
        if name.endswith(CHECKS):
            self.checking = name.removesuffix(CHECKS)
        if not name or name.endswith(CHECKS):
            return
        self.domain = domain
        layer = self.layers.setdefault(name, LayerView(name))
        layer.status = {"IN_PROGRESS": "RUNNING"}.get(step["status"] or "", step["status"] or "RUNNING")
        if step["startTime"] and step["endTime"]:
            layer.seconds = round(step["endTime"] - step["startTime"], 2)

    def _on_LogMessageEvent(self, event: dict[str, Any]) -> None:  # noqa: N802  named as Dagster names the event
        if found := _FETCHED.search(event["message"]):
            first, last, total = (int(text.replace(",", "")) for text in found.groups())
            self.fetched[first], self.total = last - first + 1, total
        elif found := _MAPPED.search(event["message"]):
            self.mapped = (int(found[1].replace(",", "")), int(found[2].replace(",", "")))
        elif "The table was replaced in the middle" in event["message"]:
            self.fetched.clear()

    def _on_MaterializationEvent(self, event: dict[str, Any]) -> None:  # noqa: N802
        if not event["assetKey"] or len(event["assetKey"]["path"]) != 2:
            return
        name = event["assetKey"]["path"][1]
        layer = self.layers.setdefault(name, LayerView(name))
        facts = {entry["label"]: entry for entry in event["metadataEntries"]}
        layer.rows = facts.get("dagster/partition_row_count", {}).get("intValue")
        layer.unchanged = facts.get("unchanged", {}).get("boolValue")

    def _on_AssetCheckEvaluationEvent(self, event: dict[str, Any]) -> None:  # noqa: N802
        found = event["evaluation"]
        blocking = found["severity"] == "ERROR"
        words = cut(found["description"] or "", MOST_WORDS)
        self.checks.append(
            CheckView(found["checkName"], found["assetKey"]["path"][-1], found["success"], blocking, words)
        )
        if blocking and not found["success"]:
            self._failed(f"The check {found['checkName']} failed: {words}")

    def _on_ExecutionStepFailureEvent(self, event: dict[str, Any]) -> None:  # noqa: N802
        told = event["failureMetadata"] or {}
        cause = (event["error"] or {}).get("cause") or event["error"] or {}
        words = told.get("description") or cause.get("message", "")
        if not self._is_a_failed_check(event) and words:
            self._failed(words)

    def _is_a_failed_check(self, event: dict[str, Any]) -> bool:
        return CHECKS in (event["stepKey"] or "") and bool(self.errors)

    def _on_RunFailureEvent(self, event: dict[str, Any]) -> None:  # noqa: N802
        if not self.errors:
            self._failed((event["error"] or {}).get("message") or event["message"])

    def _failed(self, words: str) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(cut(words.strip().partition("\n")[0], MOST_WORDS))
