"""What went wrong in runs that ended, in words for people: the dataset, the kind of error, the hint, and the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from estat_dagster.assets.failures import EACH_FAILED
from estat_dagster.automation.runs import PARTITION

MOST_WORDS = 500


@dataclass(frozen=True)
class Problem:
    """One thing that a person should know. Problems of one fingerprint are the same one again."""

    what: str
    """The dataset, else the job."""
    kind: str
    words: str
    hint: str
    run_id: str
    warning: bool = False

    @property
    def fingerprint(self) -> str:
        """What stays the same when it happens again."""
        return f"{self.what} {self.kind}"

    def text(self, dagster_url: str) -> str:
        """Return it as lines, with a link to its run."""
        mark = "warning" if self.warning else "FAILED"
        words = self.words if len(self.words) <= MOST_WORDS else f"{self.words[:MOST_WORDS]} ..."
        lines = (f"{mark} {self.what}: {self.kind}", words, self.hint, f"{dagster_url.rstrip('/')}/runs/{self.run_id}")
        return "\n".join(line for line in lines if line)


def problems_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[Problem]:
    """Return what went wrong in a run that ended: checks that did not pass, and the error that ended it."""
    what = run.tags.get(PARTITION) or run.job_name
    stopped = False
    for record in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        evaluation: Any = record.get_dagster_event().event_specific_data
        if not evaluation.passed:
            warning = evaluation.severity != dg.AssetCheckSeverity.ERROR
            stopped |= evaluation.blocking and not warning
            name = "/".join((*evaluation.asset_key.path, evaluation.check_name))
            words = evaluation.description or ""
            yield Problem(what, f"check {name}", words, _advice(evaluation), run.run_id, warning)
    if run.status == dg.DagsterRunStatus.FAILURE and not stopped:
        yield from _failures(instance, run, what)


def _failures(instance: dg.DagsterInstance, run: dg.DagsterRun, what: str) -> Iterator[Problem]:
    """Return the error that ended a run: one problem for each dataset, where it is about several."""
    for record in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        data: Any = record.get_dagster_event().event_specific_data
        if given := data.user_failure_data:
            facts = {name: value.value for name, value in given.metadata.items()}
            each = facts.get(EACH_FAILED) or {what: {**facts, "message": given.description or ""}}
            for name, told in each.items():
                kind = str(told.get("error", "UNKNOWN_ERROR"))
                yield Problem(name, kind, told["message"], str(told.get("hint", "")), run.run_id)
            return
        error = data.error.cause or data.error if data.error else None
        name = error.cls_name if error else None
        # The message of an error that nobody foresaw can hold anything, so it stays in the run's page.
        yield Problem(what, name or "unknown error", "", "The run's page has the error whole.", run.run_id)
        return
    yield Problem(what, "run broke off", "", "The run's page tells why; it may have been killed.", run.run_id)


def _advice(evaluation: Any) -> str:
    check = evaluation.metadata.get("hint")
    return str(check.value) if check else ""
