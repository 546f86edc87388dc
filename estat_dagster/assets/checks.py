"""The checks of every dataset, from one factory. They read what the steps left in the lake and can be run again alone.

A blocking check that fails stops the run before anything after it is written.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from estat_dagster.assets import auditing
from estat_dagster.assets.advice import ADVICE
from estat_dagster.assets.auditing import Verdict
from estat_dagster.assets.failures import record_failure
from estat_dagster.assets.layers import layer_key, partitions_of
from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.domains import Domain
from estat_dagster.errors import DataLakeError
from estat_dagster.workbench import Workbench

# Checks with partitions work, and are marked as a preview; dagster is pinned for that reason too.
warnings.filterwarnings("ignore", category=dg.PreviewWarning, message=".*partitions_def.*")


@dataclass(frozen=True)
class Check:
    """A check of a layer: what it says, whether it stops the run, and what decides it."""

    name: str
    layer: str
    description: str
    audit: Callable[[DatasetJob], Verdict]
    blocking: bool = False


CHECKS = (
    Check(
        "complete",
        "raw_json",
        "Every record of TOTAL_NUMBER is here: pages contiguous, bytes as fetched, one UPDATED_DATE.",
        auditing.complete,
        blocking=True,
    ),
    Check("codes_known", "transformed_frame", "Every code is in CLASS_INF.", auditing.codes_known),
    Check("periods_parsed", "transformed_frame", "Every time code is a period.", auditing.periods_parsed),
    Check(
        "rows_conserved",
        "validated_records",
        "Records fetched = rows mapped = valid rows + quarantined rows.",
        auditing.rows_conserved,
        blocking=True,
    ),
    Check(
        "required_columns",
        "validated_records",
        "The domain's declared columns are all there, with their types.",
        auditing.required_columns,
        blocking=True,
    ),
    Check(
        "no_unexplained_nulls",
        "validated_records",
        "Every row without a number has a reason in the table's own NOTE, or is a text.",
        auditing.no_unexplained_nulls,
    ),
    Check(
        "units_consistent",
        "validated_records",
        "Every measure (tab, category and axes with units) has one unit in all its cells.",
        auditing.units_consistent,
    ),
    Check(
        "no_duplicates",
        "validated_records",
        "No two valid rows stand at the same coordinates.",
        auditing.no_duplicates,
        blocking=True,
    ),
    Check(
        "quarantine_ratio",
        "validated_records",
        f"At most {auditing.QUARANTINE_LIMIT:.0%} of the rows are in quarantine.",
        auditing.quarantine_ratio,
        blocking=True,
    ),
    Check(
        "totals_reconcile",
        "validated_records",
        "Parents equal the sum of their children, where all are there and they can be added.",
        auditing.totals_reconcile,
    ),
    Check(
        "parquet_readable",
        "parquet_file",
        "The file reads back with as many rows as are valid, and the table's schema.",
        auditing.parquet_readable,
        blocking=True,
    ),
    Check(
        "table_matches",
        "iceberg_table",
        "The dataset's rows in the table are those of the Parquet file: count, missing values and sum.",
        auditing.table_matches,
        blocking=True,
    ),
)


def build_checks(domain: Domain) -> list[dg.AssetChecksDefinition]:
    """Return the checks of a domain, one step a layer."""
    layers = dict.fromkeys(check.layer for check in CHECKS)
    return [_build(domain, layer, {c.name: c for c in CHECKS if c.layer == layer}) for layer in layers]


def _build(domain: Domain, layer: str, checks: Mapping[str, Check]) -> dg.AssetChecksDefinition:
    key = layer_key(domain, layer)
    specs = [
        dg.AssetCheckSpec(
            check.name,
            asset=key,
            description=check.description,
            blocking=check.blocking,
            partitions_def=partitions_of(domain),
        )
        for check in checks.values()
    ]

    @dg.multi_asset_check(name=f"{domain.name}__{layer}__checks", specs=specs, can_subset=True)
    def audit(
        context: dg.AssetCheckExecutionContext, bench: dg.ResourceParam[Workbench]
    ) -> Iterator[dg.AssetCheckResult]:
        job = DatasetJob.of(bench, context.partition_key)
        for chosen in sorted(
            context.selected_asset_check_keys, key=lambda check_key: list(checks).index(check_key.name)
        ):
            check = checks[chosen.name]
            verdict = _ask(check, job)
            if check.blocking and not verdict.passed:
                record_failure(bench, job.dataset_id, f"The check {check.name} failed: {verdict.words}")
            yield _result(check, key, verdict)

    return audit


def _ask(check: Check, job: DatasetJob) -> Verdict:
    """Return the verdict; data that cannot be read fail the check with the error's words."""
    try:
        return check.audit(job)
    except DataLakeError as error:
        return Verdict(False, str(error))


def _result(check: Check, key: dg.AssetKey, verdict: Verdict) -> dg.AssetCheckResult:
    facts: dict[str, Any] = {
        name: dg.MetadataValue.json(fact) if isinstance(fact, dict | list) else fact
        for name, fact in verdict.facts.items()
    }
    if not verdict.passed:
        facts["hint"] = ADVICE[check.name]
    return dg.AssetCheckResult(
        passed=verdict.passed,
        asset_key=key,
        check_name=check.name,
        severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
        description=verdict.words,
        metadata=facts,
    )
