"""The schedules on an instance with a clock: when they start what, and when they leave it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from estat_dagster.automation.schedules import PLANS, Plan
from estat_dagster.definitions import build_defs

JAPAN = ZoneInfo("Asia/Tokyo")


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance"))) as made:
        yield made


@pytest.fixture
def instance(storage: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    yield storage
    storage.wipe()


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return build_defs().get_repository_def()


def tick(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, plan: Plan, when: datetime
) -> dg.ScheduleExecutionData:
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=when, repository_def=repository)
    return repository.get_schedule_def(plan.name).evaluate_tick(context)


def first_ticks(repository: dg.RepositoryDefinition, plan: Plan, count: int) -> list[datetime]:
    start = datetime(2026, 3, 29, 0, 0, tzinfo=ZoneInfo("UTC"))
    schedule = repository.get_schedule_def(plan.name)
    times = schedule_execution_time_iterator(
        start.timestamp(), str(schedule.cron_schedule), schedule.execution_timezone
    )
    return [next(times).astimezone(JAPAN) for _ in range(count)]


def test_they_come_due_in_the_morning_of_japan(repository: dg.RepositoryDefinition) -> None:
    due = {plan.name: [f"{t:%m-%d %H:%M}" for t in first_ticks(repository, plan, 2)] for plan in PLANS}
    assert due == {
        "refresh_daily": ["03-30 06:00", "03-31 06:00"],
        "look_over_daily": ["03-30 08:00", "03-31 08:00"],
        "maintain_weekly": ["04-05 03:00", "04-12 03:00"],
        "clean_up_monthly": ["04-01 04:00", "05-01 04:00"],
        "forget_runs_daily": ["03-30 04:30", "03-31 04:30"],
    }


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_a_tick_starts_its_job_once(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, plan: Plan
) -> None:
    first, second = first_ticks(repository, plan, 2)
    keys = [tick(repository, instance, plan, when).run_requests[0].run_key for when in (first, first, second)]
    assert keys[0] == keys[1] != keys[2]
    job = repository.get_schedule_def(plan.name).job_name
    assert job == plan.job
    assert repository.get_job(job).tags["estat/one_at_a_time"] == job


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTED", "CANCELING"])
def test_a_tick_leaves_a_job_that_is_still_at_work(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, status: str
) -> None:
    plan = PLANS[0]
    when = first_ticks(repository, plan, 1)[0]
    job = repository.get_job(plan.job)
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus[status])
    skipped = tick(repository, instance, plan, when)
    assert not skipped.run_requests
    assert run.run_id in (skipped.skip_message or "")
    instance.create_run_for_job(repository.get_job(PLANS[2].job), status=dg.DagsterRunStatus.STARTED)
    assert tick(repository, instance, PLANS[1], when).run_requests


def test_a_run_that_ended_keeps_nothing_from_starting(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance
) -> None:
    plan = PLANS[0]
    instance.create_run_for_job(repository.get_job(plan.job), status=dg.DagsterRunStatus.FAILURE)
    assert tick(repository, instance, plan, first_ticks(repository, plan, 1)[0]).run_requests
