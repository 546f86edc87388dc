"""The jobs: `ingest_{domain}` runs the layers of one dataset, `register_and_ingest` takes ids and does everything."""

from collections.abc import Callable
from typing import Any

import dagster as dg
from pydantic import Field

from estat_dagster.assets.failures import as_failure
from estat_dagster.assets.registering import register_dataset
from estat_dagster.automation.backfills import Order
from estat_dagster.automation.requests import read_ids, register_each, request_each
from estat_dagster.domains import DOMAINS
from estat_dagster.errors import DataLakeError, ValidationError
from estat_dagster.estat.client import PAGE_LIMIT
from estat_dagster.estat.scope import parse_filters
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.workbench import Workbench


class LoadRequest(dg.Config):
    """Which datasets to load."""

    dataset_ids: str = Field(description="One statsDataId of ten digits, or several with spaces between.")
    domain: str = Field(default="", description="The domain, where it shall not be inferred from the metadata.")
    filters: list[str] = Field(
        default=[], description="AXIS=CODES each, such as area=13000,27000 or area=東京都. Empty: all of it."
    )
    chunk_size: int = Field(default=PAGE_LIMIT, description="Records a page, at most 100,000.")
    max_records: int | None = Field(default=None, description="Refuse larger tables before anything is fetched.")
    min_interval: float | None = Field(default=None, description="The least seconds between two requests.")
    force: bool = Field(default=False, description="Write again although the content has not changed.")


def ingest_jobs() -> list[Any]:
    """Return the jobs that run the five layers and their checks for one dataset, one job a domain.

    Dagster does not export the type of what `define_asset_job` returns.
    """
    return [
        dg.define_asset_job(
            f"ingest_{domain.name}",
            selection=dg.AssetSelection.groups(domain.name),
            description=f"{domain.ja}: the five layers of one registered dataset, with their checks.",
        )
        for domain in DOMAINS.values()
    ]


def register_and_ingest_job(definitions: Callable[[], dg.Definitions]) -> dg.JobDefinition:
    """Return the job that registers datasets by their ids and requests their loads, a run each.

    Args:
        definitions: gives the project's definitions, which this job is itself part of.
    """

    @dg.op(tags={"kind": "estat"})
    def register_and_load(
        context: dg.OpExecutionContext, config: LoadRequest, bench: dg.ResourceParam[Workbench]
    ) -> None:
        """Register each dataset and request its load; one that cannot be registered does not keep the others back."""
        try:
            ids = read_ids(config.dataset_ids)
            scope = parse_filters(tuple(config.filters)) if config.filters else None
            if not ids:
                raise ValidationError("No dataset id was given.", hint="Write one into dataset_ids.")
        except DataLakeError as error:
            raise as_failure(error) from error

        def register(dataset_id: str) -> DatasetEntry:
            return register_dataset(bench, dataset_id, domain=config.domain or None, scope=scope)

        entries, failures = register_each(bench, ids, register)
        fetch = config.model_dump(include={"chunk_size", "max_records", "min_interval"}, exclude_none=True)
        order = Order(context.job_name, context.run_id, force=config.force, fetch=fetch)
        request_each(context, bench, definitions(), entries, order, failures=failures)

    @dg.job(
        description="Add datasets by their e-Stat ids and load them: the one form that is needed to begin.",
        config={"ops": {"register_and_load": {"config": {"dataset_ids": "0003005798"}}}},
    )
    def register_and_ingest() -> None:
        register_and_load()

    return register_and_ingest
