"""When the jobs start by themselves. Off unless ESTAT_AUTOMATION=on, or switched on one by one in the web UI.

A tick only starts a job: e-Stat is asked inside the run, whose failure says why and raises an alert. A tick whose job
is still at work is skipped, and the run key keeps a tick that is evaluated twice from starting two runs.
"""

from collections.abc import Callable
from typing import NamedTuple

import dagster as dg

from estat_dagster.automation.refreshing import REFRESH
from estat_dagster.automation.runs import UNFINISHED
from estat_dagster.automation.upkeep import CLEAN_UP, FORGET_RUNS, LOOK_OVER, MAINTENANCE

JAPAN = "Asia/Tokyo"


class Plan(NamedTuple):
    """A schedule: its name, the job, when in Japan, and why."""

    name: str
    job: str
    cron: str
    description: str


PLANS = (
    Plan("refresh_daily", REFRESH, "0 6 * * *", "Every morning: load what e-Stat updated."),
    Plan("look_over_daily", LOOK_OVER, "0 8 * * *", "After the refresh: is a dataset left failed?"),
    Plan("maintain_weekly", MAINTENANCE, "0 3 * * 0", "Sunday nights: keep the Iceberg tables small and fast."),
    Plan("clean_up_monthly", CLEAN_UP, "0 4 1 * *", "The first of a month: remove fetches that nothing needs."),
    Plan("forget_runs_daily", FORGET_RUNS, "30 4 * * *", "Every night: delete old runs from Dagster's event log."),
)


def build_schedules(*, running: bool) -> list[dg.ScheduleDefinition]:
    """Return the schedules; `running` ones need not be switched on in the web UI."""
    status = dg.DefaultScheduleStatus.RUNNING if running else dg.DefaultScheduleStatus.STOPPED
    return [
        dg.ScheduleDefinition(
            name=plan.name,
            job_name=plan.job,
            cron_schedule=plan.cron,
            execution_timezone=JAPAN,
            description=plan.description,
            default_status=status,
            execution_fn=_starter(plan.job),
        )
        for plan in PLANS
    ]


def _starter(job: str) -> Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]:
    def start(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        before = context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNFINISHED), limit=1)
        if before:
            return dg.SkipReason(f"{job} is still at work: run {before[0].run_id}. The next tick starts it again.")
        return dg.RunRequest(run_key=f"{job} {context.scheduled_execution_time.isoformat()}")

    return start
