"""The sensor that tells people what went wrong, by Apprise: a webhook, Slack, e-mail and many more, one address each.

All new problems of a tick go out as one message. The same problem is told once a day. Where a message cannot be
delivered the tick fails and the next one sends it again: nothing is lost, and nothing is told twice.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import msgspec

from estat_dagster.automation.problems import Problem, problems_of
from estat_dagster.errors import NetworkError
from estat_dagster.workbench import Workbench

QUIET_HOURS = 24
OVERLAP = timedelta(minutes=2)  # runs whose end is written a little later than its own time says
BATCH = 200
SHOWN = 15
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


class Memory(msgspec.Struct):
    """What the sensor keeps between ticks: up to when it looked, runs it saw since, and when it told what."""

    looked: float
    runs: dict[str, float] = {}
    told: dict[str, float] = {}


_MEMORY = msgspec.json.Decoder(Memory)


def build_alerts(*, running: bool) -> dg.SensorDefinition:
    """Return the sensor; a `running` one need not be switched on in the web UI."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED,
        description="Tell failed runs and checks to the addresses of ESTAT_ALERT_URLS, the same one once a day.",
    )
    def alerts(context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]) -> dg.SkipReason:
        moment = time.time()
        if not bench.settings.alert_urls:
            return dg.SkipReason("ESTAT_ALERT_URLS names no address.")
        if context.cursor is None:
            context.update_cursor(_encode(Memory(looked=moment)))
            return dg.SkipReason("Alerts begin now: what went wrong before is in the web UI.")
        memory = _MEMORY.decode(context.cursor)
        runs = list(_ended(context.instance, memory))
        fresh = _fresh(memory, (p for run, _ in runs for p in problems_of(context.instance, run)), moment)
        if fresh:
            send(bench.settings.alert_urls, *compose(fresh, bench.settings.dagster_url))
        context.update_cursor(_encode(_remember(memory, runs, fresh, moment)))
        return dg.SkipReason(f"{len(runs):,} runs ended; {len(fresh):,} new problems told.")

    return alerts


def compose(problems: Sequence[Problem], dagster_url: str) -> tuple[str, str]:
    """Return title and text of the message."""
    failed = sum(not problem.warning for problem in problems)
    title = f"e-Stat data lake: {failed:,} failed, {len(problems) - failed:,} warnings"
    texts = [problem.text(dagster_url) for problem in sorted(problems, key=lambda p: p.warning)[:SHOWN]]
    if len(problems) > SHOWN:
        texts.append(f"and {len(problems) - SHOWN:,} more: {dagster_url.rstrip('/')}/runs")
    return title, "\n\n".join(texts)


def send(urls: Iterable[str], title: str, text: str) -> None:
    """Send a message to every address.

    Raises:
        NetworkError: an address is not one, or did not take it. The addresses are secrets, so only a number is told.
    """
    import apprise

    for number, url in enumerate(urls, start=1):
        target = apprise.Apprise()
        if not target.add(url) or not target.notify(title=title, body=text, body_format=apprise.NotifyFormat.TEXT):
            raise NetworkError(
                f"The alert could not be sent to address {number} of ESTAT_ALERT_URLS.",
                hint="Try the address with Apprise's own command: `apprise -vv -b test ADDRESS`.",
            )


def _ended(instance: dg.DagsterInstance, memory: Memory) -> Iterator[tuple[dg.DagsterRun, float]]:
    """Return runs that ended since the last look, and when, the earliest first."""
    since = datetime.fromtimestamp(memory.looked, UTC) - OVERLAP
    chosen = dg.RunsFilter(statuses=ENDED, updated_after=since)
    records = instance.get_run_records(chosen, limit=BATCH, order_by="update_timestamp", ascending=True)
    for record in records:
        if record.dagster_run.run_id not in memory.runs:
            yield record.dagster_run, record.update_timestamp.astimezone(UTC).timestamp()


def _fresh(memory: Memory, found: Iterable[Problem], moment: float) -> list[Problem]:
    quiet = moment - QUIET_HOURS * 3_600
    problems = {problem.fingerprint: problem for problem in found}
    return [p for fingerprint, p in problems.items() if memory.told.get(fingerprint, 0.0) <= quiet]


def _remember(
    memory: Memory, runs: Sequence[tuple[dg.DagsterRun, float]], fresh: Sequence[Problem], moment: float
) -> Memory:
    looked = max([memory.looked, *(ended for _, ended in runs)])
    seen = memory.runs | {run.run_id: ended for run, ended in runs}
    told = memory.told | {problem.fingerprint: moment for problem in fresh}
    return Memory(
        looked=looked,
        runs={run_id: ended for run_id, ended in seen.items() if ended > looked - OVERLAP.total_seconds() - 1},
        told={fingerprint: when for fingerprint, when in told.items() if when > moment - QUIET_HOURS * 3_600},
    )


def _encode(memory: Memory) -> str:
    return json.dumps(msgspec.to_builtins(memory))
