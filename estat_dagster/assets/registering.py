"""Registering a dataset: its metadata is asked, its domain found, and its entry written. No Dagster here."""

from __future__ import annotations

import msgspec

from estat_dagster.domains import Domain, check_dataset_id, get_domain
from estat_dagster.errors import ValidationError
from estat_dagster.estat.credit import table_credit
from estat_dagster.estat.describe import domain_of
from estat_dagster.estat.models import TableInfo
from estat_dagster.estat.resolve import resolve_scope
from estat_dagster.estat.scope import Filters, normal_scope
from estat_dagster.lake.history import domain_of_rows
from estat_dagster.lake.registry import DatasetEntry, now
from estat_dagster.telemetry import log
from estat_dagster.workbench import Workbench


def register_dataset(
    bench: Workbench, dataset_id: str, *, domain: str | None = None, scope: Filters | None = None
) -> DatasetEntry:
    """Write the registry's entry of a dataset and return it.

    A dataset without an entry whose rows are in a table all the same, as after the registry was lost, stays there.

    Args:
        domain: the user's choice; None infers it, or keeps the one the dataset was loaded into.
        scope: filter by axis, codes or names, as texts (`estat.scope`) or lists; None keeps the registered one, {} is
            the whole table. The registry keeps it in codes.

    Raises:
        ValidationError: the id, the domain or the scope is wrong.
        ApiError: e-Stat has no such table, or refuses.
    """
    check_dataset_id(dataset_id)
    chosen = get_domain(domain) if domain else None
    asked = None if scope is None else normal_scope(scope)
    known = bench.lake.registry.find(dataset_id)
    metadata = bench.estat.get_metadata(dataset_id)
    resolved = None if asked is None else resolve_scope(asked, metadata)
    found, reason = (chosen, "chosen by the user") if chosen else domain_of(metadata)
    if known and known.snapshot_id is not None and chosen is None:
        found, reason = get_domain(known.domain), known.domain_reason
    if known is None and (holding := domain_of_rows(bench.lake.tables, dataset_id)):
        found, reason = _kept(dataset_id, chosen, holding), f"its rows are in {holding.table_name}"
    described = _describe(metadata.table, bench.estat.source)
    entry = bench.lake.registry.register_dataset(
        msgspec.structs.replace(
            described,
            dataset_id=dataset_id,
            domain=found.name,
            domain_reason=reason,
            scope=resolved if resolved is not None else (known.scope if known else {}),
        )
    )
    log("register", f"{entry.title}: {entry.domain}, for {entry.domain_reason}", dataset_id=dataset_id)
    return entry


def _kept(dataset_id: str, chosen: Domain | None, holding: Domain) -> Domain:
    if chosen and chosen.name != holding.name:
        raise ValidationError(
            f"The rows of {dataset_id} are in {holding.table_name} already.",
            hint=f"Load it with --domain {holding.name}, or take them out first: `estat delete {dataset_id}`.",
            dataset_id=dataset_id,
        )
    return holding


def _describe(table: TableInfo, source: str) -> DatasetEntry:
    return DatasetEntry(
        dataset_id=table.id,
        domain="",
        domain_reason="",
        title=table.title,
        source=source,
        registered_at=now(),
        stat_name=table.stat_name,
        stat_code=table.stat_code,
        gov_org=table.gov_org,
        cycle=table.cycle,
        survey_date=table.survey_date,
        open_date=table.open_date,
        updated_date=table.updated_date,
        overall_number=table.overall_total_number,
        credit=table_credit(table, source, processed=True),
    )
