"""What a tool wants to be run, and everything that can be refused of it before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from estat_dagster.errors import DataError, ValidationError
from mcp_bridge.bridge import Bridge
from mcp_bridge.dagster.runs import LAYERS

if TYPE_CHECKING:
    from estat_dagster.estat.plan import Estimate
    from estat_dagster.estat.scope import Filters

RAW = LAYERS[0]
NEXT_TOOLS = dict(
    zip(
        LAYERS,
        ("transform_data", "validate_data_quality", "save_to_parquet", "load_to_iceberg", "analyze_with_athena"),
        strict=True,
    )
)


@dataclass(frozen=True)
class Order:
    """What a tool wants to be run.

    Args:
        tool: who asks.
        layers: exactly these, in their order.
        domain: where the user chooses it, else "".
        filters: which part of the table; None keeps the registered one, {} is the whole table.
        fetch: configuration of the raw layer (`assets.layers.FetchConfig`).
    """

    tool: str
    dataset_id: str
    layers: Sequence[str]
    domain: str = ""
    filters: Filters | None = None
    fetch: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False

    @property
    def fetches(self) -> bool:
        """Whether e-Stat is asked for the data."""
        return RAW in self.layers

    @property
    def config(self) -> dict[str, dict[str, Any]]:
        """The configuration of each layer."""
        return {layer: {"force": self.force, **(self.fetch if layer == RAW else {})} for layer in self.layers}


def plan(bridge: Bridge, order: Order) -> str:
    """Return what the run will do, after everything that can be refused beforehand."""
    from estat_dagster.domains import check_dataset_id, get_domain
    from estat_dagster.estat.scope import normal_scope

    check_dataset_id(order.dataset_id)
    if order.domain:
        get_domain(order.domain)
    if not order.fetches:
        _check_layer_before(bridge, order)
        return ""
    known = bridge.bench.lake.registry.find(order.dataset_id)
    scope = normal_scope(order.filters) if order.filters is not None else (known.scope if known else {})
    return _check_size(order, _estimate(bridge, order, scope))


def _estimate(bridge: Bridge, order: Order, scope: Mapping[str, str]) -> Estimate:
    from estat_dagster.estat.plan import FetchPlan, estimate_fetch

    settings, given = bridge.bench.settings, order.fetch
    plan = FetchPlan(
        chunk_size=given.get("chunk_size", FetchPlan.chunk_size),
        max_concurrent=given.get("max_concurrent", settings.max_concurrent),
    )
    return estimate_fetch(bridge.bench.estat, order.dataset_id, scope, plan)


def _check_size(order: Order, found: Estimate) -> str:
    from estat_dagster.estat.scope import describe_scope

    part = f" ({describe_scope(found.scope)})" if found.scope else ""
    most = order.fetch.get("max_records")
    if not found.records:
        raise DataError(
            f"e-Stat has no data in {order.dataset_id}{part}.", hint="find_codes shows the codes of each axis."
        )
    if most is not None and found.records > most:
        raise ValidationError(
            f"{order.dataset_id}{part} has {found.records:,} records, more than the {most:,} that may be fetched.",
            hint=f"Nothing was fetched, and nothing is ever cut off. {_larger(order, found)}",
            records=found.records,
        )
    return f"{found.records:,}件を{found.requests:,}回の要求で取得、およそ{found.seconds:,.0f}秒{part}"


def _larger(order: Order, found: Estimate) -> str:
    """Return what fetches more than the tool that was called may, with filters that leave less."""
    whole = {
        "fetch_dataset": f"fetch_dataset_auto fetches all of it in {found.requests:,} requests",
        "ingest_dataset_complete": "Raise max_records, or give filters",
    }.get(order.tool, "Raise max_records, or fetch a part with fetch_dataset_filtered")
    part = "; fetch_dataset_filtered fetches a part" if order.tool == "fetch_dataset" else ""
    return f"{whole}{part}: {'; '.join(found.advice)}." if found.advice else f"{whole}{part}."


def _check_layer_before(bridge: Bridge, order: Order) -> None:
    """Refuse a layer whose input is not there."""
    from estat_dagster.assets.steps.job import TRANSFORMED, VALIDATED, DatasetJob

    job = DatasetJob.of(bridge.bench, order.dataset_id)
    before = LAYERS[LAYERS.index(order.layers[0]) - 1]
    held = {
        "raw_json": lambda: job.raw.latest() is not None,
        "transformed_frame": lambda: job.frames(TRANSFORMED).report() is not None,
        "validated_records": lambda: job.frames(VALIDATED).report() is not None,
        "parquet_file": lambda: _has_file(job),
    }
    if not held[before]():
        tool = "fetch_dataset" if before == RAW else NEXT_TOOLS[LAYERS[LAYERS.index(before) - 1]]
        raise DataError(
            f"{order.dataset_id} has no {before} yet.",
            hint=f"Call {tool} first, or ingest_dataset_complete for all layers.",
            next_tool=tool,
            step=f"前の工程が済んでいません。先に {tool} を呼ぶか、ingest_dataset_complete で全工程を行ってください。",
        )


def _has_file(job: Any) -> bool:
    from estat_dagster.lake import paths
    from estat_dagster.lake.parquet import read_version

    return read_version(job.bench.lake.store, paths.parquet(job.domain, job.dataset_id)) is not None
