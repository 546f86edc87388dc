"""What is asked of a Dagster: whether it has the project's code, which runs there are, and what they tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio

from estat_dagster.errors import NetworkError, UnknownError
from mcp_bridge.dagster import documents
from mcp_bridge.dagster.graphql import Facts, GraphQL, first_line, refused
from mcp_bridge.dagster.runs import RunView

LOCATION = "estat"
KEEPER_TAG = "estat/bridge"
EVENTS_A_REQUEST = 1000


async def wait_for_code(api: GraphQL) -> None:
    """Return when the project's code is loaded.

    Raises:
        UnknownError: it cannot be loaded.
    """
    while (found := await _our_code(api)) and found["__typename"] == "Loading":
        await anyio.sleep(0.2)
    if not found or found["__typename"] != "RepositoryLocation":
        words = first_line((found or {}).get("message", "it is not there"))
        raise UnknownError(f"The bridge's own Dagster cannot load the project's code: {words}")


async def has_our_code(api: GraphQL) -> bool:
    """Return whether a Dagster answers that has loaded the project's code."""
    try:
        found = await _our_code(api)
    except (NetworkError, UnknownError):
        return False
    return found is not None and found["__typename"] == "RepositoryLocation"


async def _our_code(api: GraphQL) -> Facts | None:
    """Return what loading the project's code came to: RepositoryLocation, PythonError or Loading; None if absent."""
    workspace = await api.ask(documents.WORKSPACE)
    for entry in workspace.get("locationEntries", []):
        if entry["name"] == LOCATION:
            return entry["locationOrLoadError"] or {"__typename": "Loading"}
    return None


async def end_orphans(api: GraphQL, keeper: str) -> None:
    """Mark runs as canceled whose Dagster was killed under them: an earlier one that a bridge kept."""
    for view in await list_runs(api, ("STARTING", "STARTED", "CANCELING"), {}, limit=100):
        if view.tags.get(KEEPER_TAG, keeper) != keeper:
            await api.ask(documents.CANCEL, id=view.run_id, policy=policy(force=True))


async def list_runs(api: GraphQL, statuses: Sequence[str], tags: Mapping[str, str], *, limit: int) -> list[RunView]:
    """Return the newest runs with one of these states and all of these tags; no states are all of them."""
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    wanted = {"statuses": list(statuses)} if statuses else {}
    found = await api.ask(documents.RUNS, filter={**wanted, "tags": pairs}, limit=limit)
    if found["__typename"] != "Runs":
        raise refused("list runs", found)
    views = []
    for record in found["results"]:
        view = RunView(record["runId"])
        view.read_record(record)
        views.append(view)
    return views


async def read_events(api: GraphQL, view: RunView) -> None:
    """Take what has happened since into what is known of a run."""
    while True:
        found = await api.ask(documents.EVENTS, id=view.run_id, cursor=view.events_seen, limit=EVENTS_A_REQUEST)
        if found["__typename"] != "EventConnection":
            raise refused("tell the run's events", found)
        view.read_events(found["events"])
        view.events_seen = found["cursor"]
        if not found["hasMore"]:
            return


def policy(*, force: bool) -> str:
    """Return how Dagster shall end a run."""
    return "MARK_AS_CANCELED_IMMEDIATELY" if force else "SAFE_TERMINATE"
