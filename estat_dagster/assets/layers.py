"""The five layers of a domain as partitioned assets, from one factory."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from estat_dagster.assets.describing import column_schema, to_result
from estat_dagster.assets.failures import as_failure, record_failure
from estat_dagster.assets.picture import draw_dataset
from estat_dagster.assets.registering import register_dataset
from estat_dagster.assets.steps.job import DatasetJob, StepResult
from estat_dagster.assets.steps.publish import load_table, write_file
from estat_dagster.assets.steps.raw import fetch_raw
from estat_dagster.assets.steps.rows import transform, validate
from estat_dagster.columns import Column
from estat_dagster.domains import Domain, check_dataset_id
from estat_dagster.errors import DataLakeError, ValidationError
from estat_dagster.estat.client import PAGE_LIMIT
from estat_dagster.estat.plan import FetchPlan
from estat_dagster.lake import paths
from estat_dagster.pictures.quality import draw_quality
from estat_dagster.records.mapper import LOADED_AT, SOURCE_COLUMNS
from estat_dagster.records.version import VERSION
from estat_dagster.settings import Settings
from estat_dagster.telemetry import counted, log, span
from estat_dagster.workbench import Workbench

ESTAT_POOL = "estat_api"
OWNERS = ["team:data-lake"]
# A table that was neither loaded into nor found current by a refresh for five weeks is old for monthly statistics; for
# a quarter it needs a look.
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=100), warn_window=timedelta(days=35))


class StepConfig(dg.Config):
    """How to run a layer."""

    force: bool = Field(default=False, description="Write again although the content has not changed.")


class FetchConfig(StepConfig):
    """How to fetch."""

    chunk_size: int = Field(default=PAGE_LIMIT, description="Records a page, at most 100,000.")
    max_concurrent: int | None = Field(
        default=None, description="The most requests at once, where it shall be fewer than ESTAT_MAX_CONCURRENT."
    )
    max_records: int | None = Field(
        default=None,
        description="The most records to fetch. Larger tables are refused before anything is fetched.",
    )
    min_interval: float | None = Field(
        default=None, description="The least seconds between two requests; ESTAT_MIN_INTERVAL where it is not given."
    )

    def plan(self, settings: Settings) -> FetchPlan:
        """Return how to fetch.

        Raises:
            ValidationError: a number is not possible.
        """
        interval = settings.min_interval if self.min_interval is None else self.min_interval
        at_once = settings.max_concurrent if self.max_concurrent is None else self.max_concurrent
        return FetchPlan(self.chunk_size, min(at_once, settings.max_concurrent), interval, self.max_records)


@dataclass(frozen=True)
class Layer:
    """One of the five layers: what it is called, says and runs."""

    name: str
    description: str
    kinds: frozenset[str]
    before: str | None = None


LAYERS = (
    Layer(
        "raw_json",
        "The answers of e-Stat, byte for byte as sent (gzip), with the manifest that says they are complete.",
        frozenset({"python", "json"}),
    ),
    Layer(
        "transformed_frame",
        "Every cell as a row of the lake's columns: codes with names, times with periods, numbers or the text instead.",
        frozenset({"python", "arrow"}),
        "raw_json",
    ),
    Layer(
        "validated_records",
        "The rows that passed the quality rules; the others are in quarantine with their reason.",
        frozenset({"python", "arrow"}),
        "transformed_frame",
    ),
    Layer(
        "parquet_file",
        "The valid rows as one sorted Parquet file with the schema of the domain's table.",
        frozenset({"parquet"}),
        "validated_records",
    ),
    Layer(
        "iceberg_table",
        "The rows in the domain's Iceberg table: one atomic commit replaces exactly this dataset's.",
        frozenset({"iceberg"}),
        "parquet_file",
    ),
)


def layer_key(domain: Domain, layer: str) -> dg.AssetKey:
    """Return the asset key of a layer."""
    return dg.AssetKey([domain.name, layer])


def partitions_of(domain: Domain) -> dg.DynamicPartitionsDefinition:
    """Return the partition set of a domain: one key a dataset."""
    return dg.DynamicPartitionsDefinition(name=domain.partitions_name)


def build_layers(domain: Domain) -> list[dg.AssetsDefinition]:
    """Return the five assets of a domain."""
    first, *others = LAYERS
    return [_build_raw(domain, first), *(_build(domain, layer) for layer in others)]


def op_name(domain: Domain, layer: Layer) -> str:
    """Return the name under which run configuration knows a layer."""
    return f"{domain.name}__{layer.name}"


def _build_raw(domain: Domain, layer: Layer) -> dg.AssetsDefinition:
    @_asset(domain, layer, pool=ESTAT_POOL)
    def raw(
        context: dg.AssetExecutionContext, config: FetchConfig, bench: dg.ResourceParam[Workbench]
    ) -> dg.MaterializeResult[Any]:
        _register_new(bench, domain, context.partition_key)

        def fetch(job: DatasetJob) -> StepResult:
            return fetch_raw(job, config.plan(bench.settings))

        return _run(context, bench, domain, layer, fetch, force=config.force)

    return raw


def _build(domain: Domain, layer: Layer) -> dg.AssetsDefinition:
    @_asset(domain, layer)
    def step(
        context: dg.AssetExecutionContext, config: StepConfig, bench: dg.ResourceParam[Workbench]
    ) -> dg.MaterializeResult[Any]:
        return _run(context, bench, domain, layer, STEPS[layer.name], force=config.force)

    return step


def _asset(
    domain: Domain, layer: Layer, pool: str | None = None
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    return dg.asset(
        key=layer_key(domain, layer.name),
        deps=[layer_key(domain, layer.before)] if layer.before else [],
        description=f"{domain.ja}: {layer.description}",
        group_name=domain.name,
        partitions_def=partitions_of(domain),
        owners=OWNERS,
        kinds=set(layer.kinds),
        code_version=VERSION,
        pool=pool,
        tags={"domain": domain.name, "layer": layer.name},
        metadata=_declared(domain, layer),
        freshness_policy=FRESH if layer.name == "iceberg_table" else None,
    )


def _declared(domain: Domain, layer: Layer) -> dict[str, Any]:
    """Return what is known of a layer before anything is loaded: where it lies, its table and its columns."""
    columns = {
        "transformed_frame": (*_staged(domain), *SOURCE_COLUMNS),
        "validated_records": _staged(domain),
        "parquet_file": domain.columns,
        "iceberg_table": domain.columns,
    }.get(layer.name)
    place = {
        "raw_json": "raw/",
        "transformed_frame": f"staging/{domain.name}/",
        "validated_records": f"staging/{domain.name}/",
        "parquet_file": f"parquet/{domain.name}/",
        "iceberg_table": f"{paths.table(domain.name, domain.table_name)}/",
    }[layer.name]
    return {
        "in_the_lake": place,
        **({"dagster/column_schema": column_schema(columns)} if columns else {}),
        **({"dagster/table_name": domain.table_name} if layer.name == "iceberg_table" else {}),
    }


def _staged(domain: Domain) -> tuple[Column, ...]:
    return tuple(column for column in domain.columns if column.name != LOADED_AT)


def _run(
    context: dg.AssetExecutionContext,
    bench: Workbench,
    domain: Domain,
    layer: Layer,
    step: Callable[[DatasetJob], StepResult],
    *,
    force: bool,
) -> dg.MaterializeResult[Any]:
    """Run a step for the run's dataset; an expected failure goes to the registry and ends the run in its own words."""
    dataset_id = context.partition_key
    started = time.perf_counter()
    with counted() as lines:
        try:
            job = _job(bench, domain, dataset_id, force=force, run_id=context.run.run_id)
            with span(layer.name, run_id=context.run.run_id, dataset_id=dataset_id, domain=domain.name):
                result = step(job)
        except DataLakeError as error:
            record_failure(bench, dataset_id, str(error))
            raise as_failure(error, retries=lines["retry"]) from error
    seconds = time.perf_counter() - started
    outcome = "unchanged" if result.unchanged else f"{result.rows:,} rows"
    log(layer.name, f"{outcome} in {seconds:.2f} s", dataset_id=dataset_id, rows=result.rows, seconds=round(seconds, 3))
    picture = draw_dataset(job) if result.table_name else draw_quality(result.shares)
    return to_result(result, seconds, title=job.entry.title, retries=lines["retry"], picture=picture)


def _job(bench: Workbench, domain: Domain, dataset_id: str, *, force: bool, run_id: str) -> DatasetJob:
    job = DatasetJob.of(bench, check_dataset_id(dataset_id), force=force, run_id=run_id)
    if job.domain.name != domain.name:
        raise ValidationError(
            f"{dataset_id} belongs to {job.domain.name}, not to {domain.name}.",
            hint=f"Materialize it in the group {job.domain.name}.",
        )
    return job


def _register_new(bench: Workbench, domain: Domain, dataset_id: str) -> None:
    """Register a dataset whose partition was added by hand; the domain is then the one it was added to."""
    try:
        if bench.lake.registry.find(check_dataset_id(dataset_id)) is None:
            register_dataset(bench, dataset_id, domain=domain.name)
    except DataLakeError as error:
        raise as_failure(error) from error


STEPS: Mapping[str, Callable[[DatasetJob], StepResult]] = {
    "transformed_frame": transform,
    "validated_records": validate,
    "parquet_file": write_file,
    "iceberg_table": load_table,
}
