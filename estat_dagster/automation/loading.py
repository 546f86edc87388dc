"""Loading one dataset in this process: its partition is added and the five layers run, recorded in the instance.

The `estat` command loads in this way: it needs no daemon. Jobs ask the daemon for their loads (`backfills`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from estat_dagster.assets.layers import LAYERS, Layer, layer_key, op_name
from estat_dagster.automation.launcher import own_process
from estat_dagster.domains import Domain, get_domain
from estat_dagster.lake.registry import DatasetEntry

# The instance keeps every event; the console of whoever loads belongs to the results.
REQUESTED_BY = "estat/requested_by"
QUIET_CONSOLE = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass(frozen=True)
class Outcome:
    """How a load ended: its run, and why it failed ("" where it did not)."""

    run_id: str
    success: bool
    reason: str = ""


def load_registered(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    entry: DatasetEntry,
    *,
    force: bool = False,
    fetch: Mapping[str, Any] | None = None,
    asked_by: str,
) -> Outcome:
    """Run the layers of a registered dataset and return how it ended; `fetch` is more of `FetchConfig`."""
    domain = get_domain(entry.domain)
    instance.add_dynamic_partitions(domain.partitions_name, [entry.dataset_id])
    result = defs.resolve_job_def(f"ingest_{domain.name}").execute_in_process(
        instance=instance,
        partition_key=entry.dataset_id,
        asset_selection=[layer_key(domain, layer.name) for layer in LAYERS],
        run_config={"ops": layer_config(domain, LAYERS, force=force, fetch=fetch or {}), "loggers": QUIET_CONSOLE},
        tags={REQUESTED_BY: asked_by, **own_process()},
        raise_on_error=False,
    )
    return Outcome(result.run_id, result.success, "" if result.success else _reason(result))


def layer_config(
    domain: Domain, layers: Sequence[Layer], *, force: bool, fetch: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return the run configuration of layers; `fetch` is more of `FetchConfig`, for the first of all."""
    return {
        op_name(domain, layer): {"config": {"force": force, **(fetch if layer is LAYERS[0] else {})}}
        for layer in layers
    }


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """Return the words of the first step that failed: of a check where one failed, else of its error."""
    for event in result.all_events:
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            evaluation: Any = event.event_specific_data
            if not evaluation.passed and evaluation.blocking:
                return f"The check {evaluation.check_name} failed: {evaluation.description}"
        if event.is_step_failure:
            failure: Any = event.event_specific_data
            if failure.user_failure_data and failure.user_failure_data.description:
                return str(failure.user_failure_data.description)
            return str(failure.error.cause.message if failure.error.cause else failure.error.message).strip()
    return "The run failed before its first step; its page in the web UI tells why."
