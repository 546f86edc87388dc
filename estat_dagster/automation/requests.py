"""What every job that loads several datasets shares: the ids of its form, and a run of its own for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg

from estat_dagster.automation.loading import Outcome
from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import DataLakeError

# One run of a job with this tag at a time: dagster.yaml lets a second one wait, whoever started it.
ONE_AT_A_TIME = "estat/one_at_a_time"


def read_ids(text: str) -> list[str]:
    """Return the dataset ids of a form's field, each once.

    Raises:
        ValidationError: one is not a dataset id.
    """
    return [check_dataset_id(dataset_id) for dataset_id in dict.fromkeys(text.replace(",", " ").split())]


def load_each(
    context: dg.OpExecutionContext,
    dataset_ids: Iterable[str],
    load: Callable[[str], Outcome],
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Load datasets one after another; one that fails does not keep the others from loading.

    Args:
        context: of the op, which shows how each ended.
        dataset_ids: the datasets.
        load: loads one.
        facts: shown beside the outcomes.

    Raises:
        dagster.Failure: some were not loaded; it names each with its reason.
    """
    done, failures = [], {}
    for dataset_id in dataset_ids:
        try:
            outcome = load(dataset_id)
        except DataLakeError as error:
            outcome = Outcome("", False, str(error))
        context.log.info(f"{dataset_id}: run {outcome.run_id or '(none)'} {outcome.reason or 'succeeded'}")
        if outcome.success:
            done.append(dataset_id)
        else:
            failures[dataset_id] = outcome.reason
    context.add_output_metadata({"loaded": len(done), "failed": len(failures), "datasets": done, **(facts or {})})
    if failures:
        words = "; ".join(f"{dataset_id}: {reason}" for dataset_id, reason in failures.items())
        raise dg.Failure(words, metadata={"failed": failures, "loaded": len(done)}, allow_retries=False)
