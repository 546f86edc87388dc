"""A Dagster that answers the bridge's documents and runs nothing: what was asked of it can be looked at."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx2

Facts = dict[str, Any]
STAGES = ("QUEUED", "STARTED", "SUCCESS")


@dataclass
class FakeDagster:
    """Every look at a run brings it one stage further; `answers` replaces the answer to an operation."""

    answers: dict[str, Callable[[Facts], Facts]] = field(default_factory=dict)
    partitions: list[tuple[str, str]] = field(default_factory=list)
    launched: list[Facts] = field(default_factory=list)
    runs: dict[str, Facts] = field(default_factory=dict)
    every_event: list[Facts] = field(default_factory=list)
    stages: tuple[str, ...] = STAGES
    asked: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    """Operations that get no answer."""

    @property
    def newest(self) -> str:
        return list(self.runs)[-1]

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._answer)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        found = re.search(r"(?:query|mutation) (\w+)", body["query"])
        assert found
        self.asked.append(found[1])
        if found[1] in self.held:
            await anyio.sleep_forever()
        answer = self.answers.get(found[1]) or getattr(self, f"_{found[1]}")
        return httpx2.Response(200, json={"data": {"field": answer(body["variables"])}})

    def _Workspace(self, _: Facts) -> Facts:
        entry = {"name": "estat", "locationOrLoadError": {"__typename": "RepositoryLocation"}}
        return {"__typename": "Workspace", "locationEntries": [entry]}

    def _AddPartition(self, given: Facts) -> Facts:
        known = (given["def"], given["key"]) in self.partitions
        self.partitions.append((given["def"], given["key"]))
        return {"__typename": "DuplicateDynamicPartitionError" if known else "AddDynamicPartitionSuccess"}

    def _Launch(self, given: Facts) -> Facts:
        params, run_id = given["params"], str(uuid.uuid4())
        self.launched.append(params)
        self.runs[run_id] = {
            "__typename": "Run",
            "runId": run_id,
            "status": self.stages[0],
            "jobName": params["selector"]["pipelineName"],
            "creationTime": 1_700_000_000.0,
            "startTime": None,
            "endTime": None,
            "assetSelection": params["selector"]["assetSelection"],
            "tags": params["executionMetadata"]["tags"],
            "stepStats": [],
        }
        return {"__typename": "LaunchRunSuccess", "run": {"runId": run_id}}

    def _Run(self, given: Facts) -> Facts:
        run = self.runs.get(given["id"])
        if run is None:
            return {"__typename": "RunNotFoundError"}
        told = dict(run)
        if run["status"] in self.stages[:-1]:
            run["status"] = self.stages[self.stages.index(run["status"]) + 1]
        return told

    def _Runs(self, given: Facts) -> Facts:
        wanted = given["filter"]
        found = [
            run
            for run in reversed(self.runs.values())
            if run["status"] in wanted.get("statuses", [run["status"]])
            and all(tag in run["tags"] for tag in wanted["tags"])
        ]
        return {"__typename": "Runs", "results": found[: given["limit"]]}

    def _Events(self, given: Facts) -> Facts:
        events = self.every_event
        begin = int(given["cursor"] or 0)
        return {"__typename": "EventConnection", "events": events[begin:], "cursor": str(len(events)), "hasMore": False}

    def _Cancel(self, given: Facts) -> Facts:
        self.runs[given["id"]]["status"] = "CANCELED"
        return {"__typename": "TerminateRunSuccess"}
