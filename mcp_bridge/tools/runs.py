"""Following and cancelling runs."""

from __future__ import annotations

import re
import time
from typing import Annotated

from pydantic import Field

from estat_dagster.errors import ValidationError
from mcp_bridge.answers import Answer, Facts
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.runs import RunView
from mcp_bridge.following import WaitSeconds, follow
from mcp_bridge.japanese import CHECKS, LAYERS, STATES
from mcp_bridge.plain import data_line
from mcp_bridge.starting import own_dagster
from mcp_bridge.toolbox import reading, writing

RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CANCEL_SECONDS = 10.0

RunId = Annotated[str, Field(description="as the tool that started the run gave it")]


class LayerState(Facts):
    """A layer of a run."""

    name: str
    status: str
    rows: int | None
    seconds: float | None
    unchanged: bool | None

    def line(self) -> str:
        """Return it in a line."""
        words = [f"{self.rows:,} 行"] if self.rows is not None else []
        words += ["変更なし"] if self.unchanged else []
        state = STATES.get(self.status, self.status)
        return f"{LAYERS.get(self.name, self.name)} {self.name}: {'、'.join([state, *words])}"


class CheckState(Facts):
    """What a check found."""

    name: str
    layer: str
    passed: bool
    blocking: bool
    words: str


class RunState(Answer):
    """A run, as far as it is known."""

    published = ("run_id", "status", "finished", "progress", "unchanged", "errors", "message")

    run_id: str
    status: str
    finished: bool
    dataset_id: str
    domain: str
    doing: str
    progress: float
    unchanged: bool
    records_fetched: int | None
    records_total: int | None
    pages_fetched: int | None
    pages_total: int | None
    pages_mapped: int | None
    seconds: float | None
    layers: list[LayerState]
    checks: list[CheckState]
    errors: list[str]
    asked_by: str
    web: str
    message: str

    def text(self) -> str:
        """Return it in few lines."""
        failed = [check for check in self.checks if not check.passed]
        lines = [
            f"実行 {self.run_id}: {self.status} ({self.progress:.0%}, {self.doing})",
            *(layer.line() for layer in self.layers),
            f"検査: {len(self.checks) - len(failed)} 件合格、{len(failed)} 件不合格" if self.checks else "",
            *(data_line([CHECKS.get(check.name, check.name), check.name, check.words]) for check in failed),
            *(data_line([error]) for error in self.errors),
            self.message,
            self.web,
        ]
        return "\n".join(line for line in lines if line)


@reading("実行の状態")
async def get_run(bridge: Bridge, run_id: RunId, wait_seconds: WaitSeconds = 20) -> RunState:
    """Follow a run until it ends or the time is up: layers with rows, records fetched, checks, errors with causes.

    Call it again while `finished` is false. It changes nothing and stops nothing.
    """
    deadline = time.monotonic() + wait_seconds
    view = await follow(bridge.dagster, _checked(run_id), deadline)
    return await describe(bridge, view)


@writing("実行の中止", destructive=True)
async def cancel_run(
    bridge: Bridge,
    run_id: RunId,
    force: Annotated[bool, Field(description="mark it as canceled at once; its process may go on for a while")] = False,
) -> RunState:
    """Stop a run that is queued or running. What was committed before stays; nothing half-written does.

    It ends when its step lets go, which may take minutes (CANCELING).
    """
    await bridge.dagster.cancel(_checked(run_id), force=force)
    view = await follow(bridge.dagster, run_id, time.monotonic() + CANCEL_SECONDS)
    return await describe(bridge, view)


async def read_run(bridge: Bridge, run_id: str) -> RunState:
    """Return a run as it is now, for its resource."""
    return await describe(bridge, await bridge.dagster.run(_checked(run_id)))


async def describe(bridge: Bridge, view: RunView) -> RunState:
    """Return a run as tools answer it."""
    return RunState(
        run_id=view.run_id,
        status=view.status,
        finished=view.finished,
        dataset_id=view.dataset_id,
        domain=view.domain,
        doing=view.stage,
        progress=round(view.fraction, 3),
        unchanged=view.is_unchanged,
        records_fetched=sum(view.fetched.values()) if view.fetched else None,
        records_total=view.total,
        pages_fetched=view.pages[0] if view.pages else None,
        pages_total=view.pages[1] if view.pages else None,
        pages_mapped=view.mapped[0] if view.mapped else None,
        seconds=view.seconds,
        layers=[LayerState(**vars(layer)) for layer in view.layers.values()],
        checks=[CheckState(**vars(check)) for check in view.checks],
        errors=view.errors,
        asked_by=view.asked_by,
        web=bridge.dagster.web_address(view.run_id),
        message=_next_step(view, may_cancel=not bridge.read_only) + own_dagster(bridge),
    )


def _checked(run_id: str) -> str:
    if not RUN_ID.fullmatch(run_id):
        raise ValidationError("That is no run id.", hint="The tool that starts a run gives its id: 8-4-4-4-12 digits.")
    return run_id


def _next_step(view: RunView, *, may_cancel: bool) -> str:
    if view.status == "SUCCESS":
        return "完了しました。" + ("前回から変更がなかったので、書き直していません。" if view.is_unchanged else "")
    if view.status == "CANCELED":
        return "中止されました。表にある行は前のままです。"
    if view.finished:
        return "失敗しました。表にある行は前のままです。errors と checks の原因を見て、やり直してください。"
    if view.status == "CANCELING":
        force = f'待てないときは cancel_run(run_id="{view.run_id}", force=true) で、すぐに中止とみなします。'
        return (
            "中止を依頼しました。動いている工程が手を離すと終わり、数分かかることがあります。"
            f'get_run(run_id="{view.run_id}") で確かめてください。{force if may_cancel else ""}'
        )
    return f'実行中です。get_run(run_id="{view.run_id}") をもう一度呼んでください。'


TOOLS = (get_run, cancel_run)
