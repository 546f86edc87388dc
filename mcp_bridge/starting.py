"""Starting a run: everything that can be refused is refused before anything is changed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from estat_dagster.errors import DataError, DataLakeError, RequestTimeoutError, ValidationError
from mcp_bridge.answers import Answer
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.runs import ASKED_BY_TAG, LAYERS, RunView
from mcp_bridge.following import AS_TASK, PROGRESS, Call, follow
from mcp_bridge.plain import data_line

if TYPE_CHECKING:
    from estat_dagster.estat.plan import Estimate
    from estat_dagster.estat.scope import Filters
    from estat_dagster.lake.registry import DatasetEntry

RAW = LAYERS[0]
CLIENT_TAG = "estat/client"
READY_SECONDS, LEAST_SECONDS, LAUNCH_SECONDS = 20.0, 1.0, 20.0
"""How long a start takes at most, whatever the caller would wait for the run: until it may start, and starting it."""
NEXT_TOOLS = dict(
    zip(
        LAYERS,
        ("transform_data", "validate_data_quality", "save_to_parquet", "load_to_iceberg", "analyze_with_athena"),
        strict=True,
    )
)


@dataclass(frozen=True)
class Order:
    """What a tool wants to be run.

    Args:
        tool: who asks.
        layers: exactly these, in their order.
        domain: where the user chooses it, else "".
        filters: which part of the table; None keeps the registered one, {} is the whole table.
        fetch: configuration of the raw layer (`assets.layers.FetchConfig`).
    """

    tool: str
    dataset_id: str
    layers: Sequence[str]
    domain: str = ""
    filters: Filters | None = None
    fetch: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False

    @property
    def fetches(self) -> bool:
        """Whether e-Stat is asked for the data."""
        return RAW in self.layers

    @property
    def config(self) -> dict[str, dict[str, Any]]:
        """The configuration of each layer."""
        return {layer: {"force": self.force, **(self.fetch if layer == RAW else {})} for layer in self.layers}


class Started(Answer):
    """A run that was started, or was running already."""

    published = ("run_id", "status", "message")  # ten tools answer with it

    run_id: str
    status: str
    dataset_id: str
    domain: str
    title: str
    doing: str
    rows: int | None
    plan: str
    problems: list[str]
    already_running: bool
    web: str
    message: str

    def text(self) -> str:
        """Return it in few lines."""
        lines = [
            f"実行 {self.run_id}: {self.status} ({self.doing})",
            data_line([self.dataset_id, self.title, self.domain]),
            self.plan,
            *(data_line([problem]) for problem in self.problems),
            self.message,
            self.web,
        ]
        return "\n".join(line for line in lines if line)


async def start(bridge: Bridge, call: Call, order: Order, wait_seconds: float) -> Started:
    """Start the run that is ordered, follow it for a bounded time, and say what is known of it.

    A live run of the same dataset is followed instead of starting a second one.

    Raises:
        DataLakeError: it is refused; nothing was changed.
    """
    began = time.monotonic()
    deadline = began + (0 if AS_TASK.get() else wait_seconds)
    ready_by = max(deadline - LAUNCH_SECONDS, began + READY_SECONDS)
    with _until(ready_by, "e-Stat and the lake", order.tool):
        planned = await anyio.to_thread.run_sync(_plan, bridge, order, abandon_on_cancel=True)
    await PROGRESS.get().report(0, "開始の準備")
    await bridge.dagster.connect(max(LEAST_SECONDS, ready_by - time.monotonic()))
    with _until(time.monotonic() + LAUNCH_SECONDS, "Dagster", order.tool, shield=True):
        async with bridge.starting:
            live = await bridge.dagster.live_run(order.dataset_id)
            entry, run_id = await _launch(bridge, call, order) if live is None else (None, live.run_id)
    view = live or RunView(run_id, dataset_id=order.dataset_id)
    problems: list[str] = []
    try:
        view = await follow(bridge.dagster, run_id, deadline, view)
    except DataLakeError as error:
        problems.append(f"{error.kind}: {error}")  # the run goes on; its id must not be lost
    return await _answer(bridge, order, view, planned, entry, problems, already=live is not None)


@contextmanager
def _until(deadline: float, whom: str, tool: str, *, shield: bool = False) -> Iterator[None]:
    """Bound a part of a start.

    Args:
        deadline: of `time.monotonic()`.
        whom: who is waited for.
        shield: whether the part goes on when the call is cancelled: a run would be left that nobody knows of.

    Raises:
        RequestTimeoutError: it took longer.
    """
    with anyio.move_on_after(deadline - time.monotonic(), shield=shield) as scope:
        yield
    if scope.cancelled_caught:
        raise RequestTimeoutError(
            f"{whom} took too long to start the run.",
            hint="Call the tool again with the same arguments: a run that has started meanwhile is followed.",
            next_tool=tool,
            step="開始の準備が時間内に終わりませんでした。同じ引数でもう一度呼び出してください。"
            "その間に始まった実行があれば、それを追います。",
        )


def _plan(bridge: Bridge, order: Order) -> str:
    """Return what the run will do, after everything that can be refused beforehand."""
    from estat_dagster.domains import check_dataset_id, get_domain
    from estat_dagster.estat.scope import normal_scope

    check_dataset_id(order.dataset_id)
    if order.domain:
        get_domain(order.domain)
    if not order.fetches:
        _check_layer_before(bridge, order)
        return ""
    known = bridge.bench.lake.registry.find(order.dataset_id)
    scope = normal_scope(order.filters) if order.filters is not None else (known.scope if known else {})
    return _check_size(order, _estimate(bridge, order, scope))


def _estimate(bridge: Bridge, order: Order, scope: Mapping[str, str]) -> Estimate:
    from estat_dagster.estat.plan import FetchPlan, estimate_fetch

    settings, given = bridge.bench.settings, order.fetch
    plan = FetchPlan(
        chunk_size=given.get("chunk_size", FetchPlan.chunk_size),
        max_concurrent=given.get("max_concurrent", settings.max_concurrent),
    )
    return estimate_fetch(bridge.bench.estat, order.dataset_id, scope, plan)


def _check_size(order: Order, found: Estimate) -> str:
    from estat_dagster.estat.scope import describe_scope

    part = f" ({describe_scope(found.scope)})" if found.scope else ""
    most = order.fetch.get("max_records")
    if not found.records:
        raise DataError(
            f"e-Stat has no data in {order.dataset_id}{part}.", hint="find_codes shows the codes of each axis."
        )
    if most is not None and found.records > most:
        raise ValidationError(
            f"{order.dataset_id}{part} has {found.records:,} records, more than the {most:,} that may be fetched.",
            hint="Nothing was fetched, and nothing is ever cut off. "
            + ("; ".join(found.advice) or "Raise max_records."),
            records=found.records,
        )
    return f"{found.records:,} records in {found.requests:,} requests, about {found.seconds:,.0f} s{part}"


def _check_layer_before(bridge: Bridge, order: Order) -> None:
    """Refuse a layer whose input is not there."""
    from estat_dagster.assets.steps.job import TRANSFORMED, VALIDATED, DatasetJob

    job = DatasetJob.of(bridge.bench, order.dataset_id)
    before = LAYERS[LAYERS.index(order.layers[0]) - 1]
    held = {
        "raw_json": lambda: job.raw.latest() is not None,
        "transformed_frame": lambda: job.frames(TRANSFORMED).report() is not None,
        "validated_records": lambda: job.frames(VALIDATED).report() is not None,
        "parquet_file": lambda: _has_file(job),
    }
    if not held[before]():
        tool = "fetch_dataset" if before == RAW else NEXT_TOOLS[LAYERS[LAYERS.index(before) - 1]]
        raise DataError(
            f"{order.dataset_id} has no {before} yet.",
            hint=f"Call {tool} first, or ingest_dataset_complete for all layers.",
        )


def _has_file(job: Any) -> bool:
    from estat_dagster.lake import paths
    from estat_dagster.lake.parquet import read_version

    return read_version(job.bench.lake.store, paths.parquet(job.domain, job.dataset_id)) is not None


async def _launch(bridge: Bridge, call: Call, order: Order) -> tuple[DatasetEntry, str]:
    entry = await anyio.to_thread.run_sync(_register, bridge, order, abandon_on_cancel=True)
    from estat_dagster.domains import get_domain

    run_id = await bridge.dagster.launch(
        get_domain(entry.domain),
        order.dataset_id,
        order.layers,
        config=order.config,
        tags={ASKED_BY_TAG: f"mcp {order.tool}", **_client(call)},
    )
    return entry, run_id


def _register(bridge: Bridge, order: Order) -> DatasetEntry:
    """Return the dataset's entry in the registry, written where it is fetched."""
    if not order.fetches:
        return bridge.bench.lake.registry.get_dataset_info(order.dataset_id)
    from estat_dagster.assets.registering import register_dataset

    return register_dataset(bridge.bench, order.dataset_id, domain=order.domain or None, scope=order.filters)


def _client(call: Call) -> dict[str, str]:
    """Return who asked, as a tag: the client's own name and version."""
    given = call.request_context.session.client_params
    if given is None:
        return {}
    words = f"{given.client_info.name} {given.client_info.version}"
    return {CLIENT_TAG: re.sub(r"[^\w .@/+-]", "_", words, flags=re.ASCII).strip()[:100] or "unknown"}


async def _answer(
    bridge: Bridge,
    order: Order,
    view: RunView,
    plan: str,
    entry: DatasetEntry | None,
    problems: list[str],
    *,
    already: bool,
) -> Started:
    if entry is None:
        entry = await anyio.to_thread.run_sync(bridge.bench.lake.registry.find, order.dataset_id)
    ended = [layer.rows for layer in view.layers.values() if layer.rows is not None]
    return Started(
        run_id=view.run_id,
        status=view.status,
        dataset_id=order.dataset_id,
        domain=entry.domain if entry else view.domain,
        title=entry.title if entry else "",
        doing=view.stage,
        rows=ended[-1] if ended else None,
        plan="" if already else plan,
        problems=problems + view.errors,
        already_running=already,
        web=bridge.dagster.web_address(view.run_id),
        message=_message(view, already=already) + own_dagster(bridge),
    )


def _message(view: RunView, *, already: bool) -> str:
    words = []
    if already:
        words.append(
            "このデータセットの実行が既に動いていたので、新しく始めずにそれを追っています。今回の引数は使われていません。"
        )
    if view.status == "SUCCESS":
        last = list(view.layers)[-1] if view.layers else LAYERS[-1]
        words.append(f"完了しました。次は {NEXT_TOOLS.get(last, 'analyze_with_athena')} を呼べます。")
    elif view.finished:
        words.append("完了しませんでした。表にある行は前のままです。get_run で原因を確かめてください。")
    else:
        words.append(
            f'実行は続いています。get_run(run_id="{view.run_id}") で追えます。止めるのは cancel_run だけです。'
        )
    return "".join(words)


def own_dagster(bridge: Bridge) -> str:
    """Return the sentence that says so where the bridge keeps the Dagster."""
    words = "DAGSTER_URLにDagsterがないため、このサーバーが自分で起動したDagsterの実行です。"
    return words if bridge.dagster.is_own else ""
