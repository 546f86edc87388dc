"""Dagster as the tools see it: launch, follow, cancel. One is found at DAGSTER_URL, or the bridge keeps its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from estat_dagster.errors import DataLakeError, NetworkError, RequestTimeoutError, ValidationError
from mcp_bridge.dagster import documents
from mcp_bridge.dagster.graphql import GraphQL, refused
from mcp_bridge.dagster.lease import Lease
from mcp_bridge.dagster.questions import (
    KEEPER_TAG,
    LOCATION,
    end_orphans,
    has_our_code,
    list_runs,
    policy,
    read_events,
    wait_for_code,
)
from mcp_bridge.dagster.runs import LAYERS, LIVE, PARTITION_TAG, WHOLE_JOB, RunView

if TYPE_CHECKING:
    import httpx2

    from estat_dagster.domains import Domain
    from estat_dagster.settings import Settings

LOGGER = logging.getLogger("mcp_bridge")
START_SECONDS = 20.0
CHECK_SECONDS = 5.0


@dataclass(frozen=True)
class Connection:
    """A Dagster that answers and has the project's code; `keeper` names the one that the bridge keeps, else ""."""

    api: GraphQL
    keeper: str = ""

    @property
    def repository(self) -> dict[str, str]:
        """Where the project's code is, as GraphQL selects it."""
        return {"repositoryName": "__repository__", "repositoryLocationName": LOCATION}


class Dagster:
    """Launches, follows and cancels runs.

    Args:
        settings: where Dagster may be, and which lake it works on.
        may_start: whether the bridge may start one for itself.
        transport: how requests travel; None for HTTP.
    """

    def __init__(
        self, settings: Settings, *, may_start: bool = True, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._settings, self._may_start, self._transport = settings, may_start, transport
        self._lease = Lease(settings)
        self._connection: Connection | None = None
        self._checked_at = 0.0
        self._lock = anyio.Lock()

    async def connect(self, seconds: float = START_SECONDS) -> Connection:
        """Return a Dagster that answers: at DAGSTER_URL, else the bridge's own, started at the first need.

        Args:
            seconds: how long to wait. The bridge's own goes on starting after them, for the next call.

        Raises:
            NetworkError: none answers, and the bridge may not start one.
            RequestTimeoutError: none answered in time.
            DataLakeError: the bridge's own cannot be started.
        """
        try:
            with anyio.fail_after(seconds):
                async with self._lock:
                    return await self._checked() or await self._reconnect()
        except TimeoutError as error:
            if self._lease.is_held:
                raise RequestTimeoutError(
                    "The bridge's own Dagster is starting, which takes up to half a minute.",
                    hint="It goes on starting. Call the tool again with the same arguments.",
                    step="Dagsterを起動しています。起動は続いています。同じ引数でもう一度呼び出してください。",
                ) from error
            raise RequestTimeoutError(
                f"Dagster at {self._settings.dagster_url} did not answer in {seconds:.0f} s.",
                hint="It may be busy: call the tool again with the same arguments.",
            ) from error

    async def launch(
        self,
        domain: Domain,
        dataset_id: str,
        layers: Sequence[str],
        *,
        config: Mapping[str, Mapping[str, Any]],
        tags: Mapping[str, str],
    ) -> str:
        """Add the partition, launch a run of exactly these layers, and return its id.

        Args:
            config: configuration of a layer, by its name.
            tags: who asked.

        Raises:
            DataLakeError: Dagster refuses, or does not answer.
        """
        connection = await self.connect()
        ask, repository = connection.api.ask, connection.repository
        added = await ask(
            documents.ADD_PARTITION, repo=repository, **{"def": domain.partitions_name, "key": dataset_id}
        )
        if added["__typename"] not in ("AddDynamicPartitionSuccess", "DuplicateDynamicPartitionError"):
            raise refused("add the partition", added)
        whole = tuple(layers) == LAYERS
        selection = {
            "pipelineName": f"{WHOLE_JOB}{domain.name}" if whole else "__ASSET_JOB",
            "assetSelection": None if whole else [{"path": [domain.name, layer]} for layer in layers],
        }
        pairs = {PARTITION_TAG: dataset_id, **tags}
        if connection.keeper:
            pairs[KEEPER_TAG] = connection.keeper
        launched = await ask(
            documents.LAUNCH,
            params={
                "selector": {**repository, **selection},
                "mode": "default",
                "runConfigData": {
                    "ops": {f"{domain.name}__{layer}": {"config": dict(config.get(layer, {}))} for layer in layers}
                },
                "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in pairs.items()]},
            },
        )
        if launched["__typename"] != "LaunchRunSuccess":
            raise refused("start the run", launched)
        return str(launched["run"]["runId"])

    async def live_run(self, dataset_id: str) -> RunView | None:
        """Return the newest run of a dataset that has not ended, None where there is none."""
        connection = await self.connect()
        found = await list_runs(connection.api, LIVE, {PARTITION_TAG: dataset_id}, limit=1)
        return found[0] if found else None

    async def recent_runs(self) -> list[str]:
        """Return the ids of the last runs, the newest first, of a Dagster that answers already; else none."""
        connection = self._connection
        try:
            return [view.run_id for view in await list_runs(connection.api, (), {}, limit=100)] if connection else []
        except DataLakeError:
            return []

    async def run(self, run_id: str, known: RunView | None = None) -> RunView:
        """Return what is known of a run; `known` is taken up where it was left.

        Raises:
            ValidationError: there is no such run.
        """
        api = (await self.connect()).api
        record = await api.ask(documents.RUN, id=run_id)
        if record["__typename"] == "RunNotFoundError":
            raise ValidationError(f"There is no run {run_id!r}.", hint="The tool that starts a run gives its id.")
        if record["__typename"] != "Run":
            raise refused("tell of the run", record)
        view = known or RunView(run_id)
        view.read_record(record)
        await read_events(api, view)
        return view

    async def cancel(self, run_id: str, *, force: bool = False) -> RunView:
        """Ask a run to stop, and return what is known of it then; one that was asked before is not asked again.

        Args:
            force: mark it as canceled at once, although its process may go on for a while.

        Raises:
            ValidationError: there is no such run, or it has ended otherwise.
        """
        view = await self.run(run_id)
        if view.status == "CANCELED" or (view.status == "CANCELING" and not force):
            return view
        if view.finished:
            raise ValidationError(
                f"The run {run_id} has ended: {view.status}.",
                hint="Nothing is left to cancel; get_run tells how it ended.",
                next_tool="get_run",
                step="この実行は既に終わっています。get_run で結果を確かめてください。",
            )
        api = (await self.connect()).api
        answer = await api.ask(documents.CANCEL, id=run_id, policy=policy(force=force))
        view = await self.run(run_id)
        if answer["__typename"] != "TerminateRunSuccess" and not view.finished and view.status != "CANCELING":
            raise refused("cancel the run", answer)
        return view

    def web_address(self, run_id: str) -> str:
        """Return where the web UI of the last Dagster that answered shows a run."""
        url = self._connection.api.url if self._connection else self._settings.dagster_url.rstrip("/")
        return f"{url}/runs/{run_id}"

    @property
    def is_own(self) -> bool:
        """Whether the last Dagster that answered is one that the bridge keeps."""
        return bool(self._connection and self._connection.keeper)

    async def close(self) -> None:
        """Let go of the bridge's own Dagster, and close the connections."""
        await self._drop_connection()
        await self._lease.release()

    async def _drop_connection(self) -> None:
        """Close what does not answer any more; the lease of the bridge's own ends with it."""
        connection, self._connection = self._connection, None
        if connection:
            await connection.api.close()
        if connection and connection.keeper:
            await self._lease.release()

    async def _checked(self) -> Connection | None:
        """Return the connection that was good a moment ago, or still is."""
        connection = self._connection
        if connection and connection.api.is_lost:
            return None
        if connection and time.monotonic() - self._checked_at > CHECK_SECONDS:
            self._checked_at = time.monotonic()
            return connection if await has_our_code(connection.api) else None
        return connection

    async def _reconnect(self) -> Connection:
        await self._drop_connection()
        self._connection = await self._find() or await self._start()
        self._checked_at = time.monotonic()
        return self._connection

    async def _find(self) -> Connection | None:
        """Return the Dagster at DAGSTER_URL if it has the project's code."""
        settings = self._settings
        api = GraphQL(settings.dagster_url, settings.dagster_headers, transport=self._transport)
        found = False
        try:
            found = await has_our_code(api)
        finally:
            if not found:
                await api.close()
        return Connection(api) if found else None

    async def _start(self) -> Connection:
        if not self._may_start:
            raise NetworkError(
                f"No Dagster of this project answers at {self._settings.dagster_url}.",
                hint="Whoever runs this server can start it with `make dev`, or set DAGSTER_URL.",
                step="この読み取り専用サーバーから見えるDagsterがありません。データの検索と分析には要りません。"
                "実行を見るには、サーバーの管理者に `make dev` での起動か DAGSTER_URL の設定を頼んでください。",
            )
        LOGGER.info("No Dagster of this project answers at %s; starting one.", self._settings.dagster_url)
        api = GraphQL(await self._lease.hold())
        try:
            await wait_for_code(api)
            await end_orphans(api, self._lease.keeper)
        except DataLakeError:
            await self._lease.release()
            raise
        return Connection(api, self._lease.keeper)
