"""Asking Dagster's daemon for loads: one backfill a domain.

The daemon launches its runs, one a dataset, under the limits of the queue. They are watched, tried again and told of as
any other run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import dagster as dg
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.utils import make_new_backfill_id

from estat_dagster.assets.layers import LAYERS, Layer, layer_key
from estat_dagster.automation.loading import REQUESTED_BY, layer_config
from estat_dagster.domains import get_domain
from estat_dagster.lake.registry import DatasetEntry

DAEMONS = ("BACKFILL", "QUEUED_RUN_COORDINATOR")
"""Who must be alive for a backfill's runs to begin, as Dagster's heartbeats name them."""


@dataclass(frozen=True)
class Order:
    """How datasets shall be loaded, and who asked for it; `fetch` is more of `FetchConfig`."""

    asked_by: str
    run_id: str
    force: bool = False
    fetch: Mapping[str, Any] = field(default_factory=dict)
    layers: Sequence[Layer] = LAYERS


@dataclass(frozen=True)
class Requested:
    """A backfill that the daemon will carry out, and the datasets in it, all of one domain."""

    backfill_id: str
    domain: str
    entries: Sequence[DatasetEntry]


def request_loads(
    instance: dg.DagsterInstance, defs: dg.Definitions, entries: Sequence[DatasetEntry], order: Order
) -> Iterator[Requested]:
    """Add the partitions of registered datasets and a backfill of each domain's, and return what was requested."""
    graph = defs.resolve_asset_graph()
    for name, group in groupby(sorted(entries, key=_domain), key=_domain):
        domain, chosen = get_domain(name), list(group)
        ids = [entry.dataset_id for entry in chosen]
        instance.add_dynamic_partitions(domain.partitions_name, ids)
        backfill = PartitionBackfill.from_asset_partitions(
            backfill_id=make_new_backfill_id(),
            asset_graph=graph,
            partition_names=ids,
            asset_selection=[layer_key(domain, layer.name) for layer in order.layers],
            backfill_timestamp=time.time(),
            tags={REQUESTED_BY: order.asked_by, "estat/requested_in": order.run_id},
            dynamic_partitions_store=instance,
            all_partitions=False,
            title=f"{order.asked_by}: {name}",
            description=f"{len(ids):,} datasets, requested by the run {order.run_id}.",
            run_config={"ops": layer_config(domain, order.layers, force=order.force, fetch=order.fetch)},
        )
        instance.add_backfill(backfill)
        yield Requested(backfill.backfill_id, name, chosen)


def missing_daemons(instance: dg.DagsterInstance) -> list[str]:
    """Return which of the daemons that begin the runs of a backfill have not been heard of lately."""
    statuses = instance.get_daemon_statuses(DAEMONS)
    return [name for name, status in statuses.items() if status.required and not status.healthy]


def _domain(entry: DatasetEntry) -> str:
    return entry.domain
