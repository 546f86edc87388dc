"""Starting a run that is ordered, and saying what is known of it when the caller has waited long enough."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from estat_dagster.errors import DataLakeError, RequestTimeoutError
from mcp_bridge.answers import Answer
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.runs import ASKED_BY_TAG, LAYERS, RunView
from mcp_bridge.following import AS_TASK, PROGRESS, Call, follow
from mcp_bridge.ordering import NEXT_TOOLS, Order, plan
from mcp_bridge.plain import data_line

if TYPE_CHECKING:
    from estat_dagster.lake.registry import DatasetEntry

CLIENT_TAG = "estat/client"
READY_SECONDS, LEAST_SECONDS, LAUNCH_SECONDS = 20.0, 1.0, 20.0
"""How long a start takes at most, whatever the caller would wait for the run: until it may start, and starting it."""


class Started(Answer):
    """A run that was started, or was running already; `unchanged`: it ended, and what it makes was there already."""

    published = ("run_id", "status", "unchanged", "message")  # ten tools answer with it

    run_id: str
    status: str
    dataset_id: str
    domain: str
    title: str
    doing: str
    rows: int | None
    unchanged: bool
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
        planned = await anyio.to_thread.run_sync(plan, bridge, order, abandon_on_cancel=True)
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
    ended = [layer for layer in view.layers.values() if layer.rows is not None]
    return Started(
        run_id=view.run_id,
        status=view.status,
        dataset_id=order.dataset_id,
        domain=entry.domain if entry else view.domain,
        title=entry.title if entry else "",
        doing=view.stage,
        rows=ended[-1].rows if ended else None,
        unchanged=view.is_unchanged,
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
        if view.is_unchanged:
            words.append("前回から変更がなかったので、書き直していません。")
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
