"""The sensor that tells people what went wrong, by Apprise: a webhook, Slack, e-mail and many more, one address each.

All new problems of a tick go out as one message. The same problem is told once a day. What each address was told is
remembered for itself: one that takes no message gets it at a later tick, and the others get nothing twice.
"""

import hashlib
import json
import time
from collections.abc import Sequence

import dagster as dg
import msgspec

from estat_dagster.automation.problems import Problem, problems_of
from estat_dagster.automation.runs import Seen
from estat_dagster.errors import NetworkError
from estat_dagster.workbench import Workbench

QUIET_HOURS = 20  # so that what a daily job finds again is told again, at whatever second of the day
SHOWN = 15


class Memory(msgspec.Struct, frozen=True):
    """What the sensor keeps of one address between ticks: the runs it looked at, and when it told what."""

    seen: Seen
    told: dict[str, float] = {}


_MEMORIES = msgspec.json.Decoder(dict[str, Memory])


def build_alerts(*, running: bool) -> dg.SensorDefinition:
    """Return the sensor; a `running` one need not be switched on in the web UI."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED,
        description="Tell failed runs and checks to the addresses of ESTAT_ALERT_URLS, the same one once a day.",
    )
    def alerts(context: dg.SensorEvaluationContext, bench: dg.ResourceParam[Workbench]) -> dg.SkipReason:
        urls = bench.settings.alert_urls
        if not urls:
            return dg.SkipReason("ESTAT_ALERT_URLS names no address.")
        tick = Tick(context.instance, bench.settings.dagster_url, time.time())
        memories = _recall(context.cursor)
        now = {_key(url): tick.tell(number, url, memories.get(_key(url))) for number, url in enumerate(urls, start=1)}
        if len(tick.refused) == len(urls):
            raise tick.refused[0]
        for refused in tick.refused:
            context.log.error(str(refused))
        context.update_cursor(json.dumps(msgspec.to_builtins(now)))
        return dg.SkipReason(tick.words() if memories else "Alerts begin now: what went wrong before is in the web UI.")

    return alerts


class Tick:
    """One look at what ended, told to each address that does not know it yet."""

    def __init__(self, instance: dg.DagsterInstance, dagster_url: str, moment: float) -> None:
        self.refused: list[NetworkError] = []
        self._instance, self._dagster_url, self._moment = instance, dagster_url, moment
        self._problems: dict[str, list[Problem]] = {}
        self._told: set[str] = set()

    def tell(self, number: int, url: str, memory: Memory | None) -> Memory:
        """Send an address what is new to it and return what it knows then; the same as before, if it took nothing."""
        if memory is None:
            return Memory(Seen(looked=self._moment, known=self._moment))
        runs, seen = memory.seen.new_runs(self._instance)
        quiet = self._moment - QUIET_HOURS * 3_600
        told = {fingerprint: when for fingerprint, when in memory.told.items() if when > quiet}
        problems = {problem.fingerprint: problem for run in runs for problem in self._problems_of(run)}
        fresh = {fingerprint: problem for fingerprint, problem in problems.items() if fingerprint not in told}
        try:
            if fresh:
                send(number, url, *compose(list(fresh.values()), self._dagster_url))
        except NetworkError as error:
            self.refused.append(error)
            return memory
        self._told |= fresh.keys()
        return Memory(seen, told | dict.fromkeys(fresh, self._moment))

    def words(self) -> str:
        """Return what was done."""
        done = f"{len(self._problems):,} runs ended; {len(self._told):,} new problems told."
        return " ".join([done, *map(str, self.refused)])

    def _problems_of(self, run: dg.DagsterRun) -> list[Problem]:
        if run.run_id not in self._problems:
            self._problems[run.run_id] = list(problems_of(self._instance, run))
        return self._problems[run.run_id]


def compose(problems: Sequence[Problem], dagster_url: str) -> tuple[str, str]:
    """Return title and text of the message."""
    failed = sum(not problem.warning for problem in problems)
    title = f"e-Stat data lake: {failed:,} failed, {len(problems) - failed:,} warnings"
    texts = [problem.text(dagster_url) for problem in sorted(problems, key=lambda p: p.warning)[:SHOWN]]
    if len(problems) > SHOWN:
        texts.append(f"and {len(problems) - SHOWN:,} more: {dagster_url.rstrip('/')}/runs")
    return title, "\n\n".join(texts)


def send(number: int, url: str, title: str, text: str) -> None:
    """Send a message to an address.

    Raises:
        NetworkError: it is none, or did not take the message. The addresses are secrets, so only its number is told.
    """
    import apprise

    target = apprise.Apprise()
    if not target.add(url) or not target.notify(title=title, body=text, body_format=apprise.NotifyFormat.TEXT):
        raise NetworkError(
            f"The alert could not be sent to address {number} of ESTAT_ALERT_URLS.",
            hint="Try the address with Apprise's own command: `apprise -vv -b test ADDRESS`.",
        )


def _recall(cursor: str | None) -> dict[str, Memory]:
    """Return what each address knows, by its key; nothing where the cursor is of another version."""
    try:
        return _MEMORIES.decode(cursor or "{}")
    except msgspec.DecodeError:
        return {}


def _key(url: str) -> str:
    """Return the name of an address in the cursor, which must not hold the secrets in it."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]
