"""What decides each check, from what the steps left in the lake. No Dagster here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pyarrow.parquet as pq

from estat_dagster.assets.steps.job import TRANSFORMED, VALIDATED, DatasetJob
from estat_dagster.assets.steps.publish import table_facts
from estat_dagster.assets.steps.rows import reconcile
from estat_dagster.columns import frame_schema
from estat_dagster.lake import paths
from estat_dagster.lake.frames import names_of
from estat_dagster.records.mapper import LOADED_AT
from estat_dagster.records.order import coordinate_columns, count_repeats

QUARANTINE_LIMIT = 0.05
SUM_TOLERANCE = 1e-9  # the same doubles added in another order differ by less


@dataclass(frozen=True)
class Verdict:
    """Whether a check passed, one sentence about it, and the facts behind."""

    passed: bool
    words: str
    facts: dict[str, Any] = field(default_factory=dict)


def complete(job: DatasetJob) -> Verdict:
    """Read every raw page again: bytes as fetched, positions contiguous, counts right, one state of the table."""
    _, manifest = job.manifest()
    faults = manifest.faults(job.raw.read_checked)
    received = manifest.pages[-1].to_number
    facts = {"pages": len(manifest.pages), "total_number": manifest.total_number, "received": received}
    words = f"{received:,} of {manifest.total_number:,} records in {len(manifest.pages)} pages"
    return Verdict(not faults, "; ".join(faults) or words, facts)


def codes_known(job: DatasetJob) -> Verdict:
    """Every code is in CLASS_INF; rows with others are kept, without a name."""
    return _none_of(job, "unknown_codes", "codes that CLASS_INF does not name")


def periods_parsed(job: DatasetJob) -> Verdict:
    """Every time code has a known form and agrees with its name."""
    return _none_of(job, "doubtful_periods", "time codes that are unknown or differ from their names")


def _none_of(job: DatasetJob, oddity: str, words: str) -> Verdict:
    found: dict[str, int] = job.frames(TRANSFORMED).require_report()[oddity]
    return Verdict(not found, f"{sum(found.values()):,} rows, {len(found):,} {words}", {oddity: found})


def rows_conserved(job: DatasetJob) -> Verdict:
    """No row is lost or made between the raw pages and the validated rows."""
    _, manifest = job.manifest()
    mapped, valid = job.frames(TRANSFORMED).count(), job.frames(VALIDATED).count()
    rejected = _count_quarantine(job)
    facts = {"records": manifest.total_number, "mapped": mapped, "valid": valid, "quarantined": rejected}
    words = f"{manifest.total_number:,} records, {mapped:,} mapped = {valid:,} valid + {rejected:,} quarantined"
    return Verdict(manifest.total_number == mapped == valid + rejected, words, facts)


def required_columns(job: DatasetJob) -> Verdict:
    """The staged rows have the declared columns with their types, and every row its dataset_id."""
    wanted = frame_schema(column for column in job.domain.columns if column.name != LOADED_AT)
    faults = set()
    for frame in job.frames(VALIDATED):
        for expected in wanted:
            place = frame.schema.get_field_index(expected.name)
            if place < 0 or frame.schema.field(place).type != expected.type:
                faults.add(expected.name)
        if frame.column("dataset_id").null_count:
            faults.add("dataset_id")
    words = f"missing, mistyped or empty: {', '.join(sorted(faults))}" if faults else f"{len(wanted)} columns"
    return Verdict(not faults, words, {"columns": len(wanted)})


def no_unexplained_nulls(job: DatasetJob) -> Verdict:
    """Every symbol is explained by NOTE; words in place of numbers are no symbols."""
    symbols: dict[str, int] = job.frames(TRANSFORMED).require_report()["unexplained_symbols"]
    report = job.frames(VALIDATED).require_report()
    words = f"{report['nulls']:,} rows without a number, {sum(symbols.values()):,} of them by a symbol without a NOTE"
    facts = {"symbols": symbols, "missing_reasons": report["missing_reasons"], "texts": report["texts"]}
    return Verdict(not symbols, words, facts)


def units_consistent(job: DatasetJob) -> Verdict:
    """The cells of a measure have one unit; sums over several would mean nothing."""
    mixed: dict[str, list[str]] = job.frames(VALIDATED).require_report()["mixed_units"]
    return Verdict(not mixed, f"{len(mixed):,} measures whose cells have different units", {"mixed_units": mixed})


def no_duplicates(job: DatasetJob) -> Verdict:
    """No two valid rows stand at the same coordinates; what was found before is in quarantine."""
    runs = job.frames(VALIDATED).runs(kept_open=True)
    rows = count_repeats(runs, coordinate_columns(names_of(runs)))
    return Verdict(not rows, f"{rows:,} valid rows share their coordinates with another", {"repeated": rows})


def quarantine_ratio(job: DatasetJob) -> Verdict:
    """Few rows are in quarantine."""
    report = job.frames(VALIDATED).require_report()
    ratio = report["quarantined"] / report["rows_in"] if report["rows_in"] else 0.0
    facts = {"ratio": ratio, "limit": QUARANTINE_LIMIT, "reasons": report["quarantined_reasons"]}
    words = f"{report['quarantined']:,} of {report['rows_in']:,} rows ({ratio:.2%}), at most {QUARANTINE_LIMIT:.0%}"
    return Verdict(ratio <= QUARANTINE_LIMIT, words, facts)


def totals_reconcile(job: DatasetJob) -> Verdict:
    """Parents equal the sum of their children."""
    found = reconcile(job)
    words = f"{found['differing']:,} of {found['compared']:,} totals differ from the sum of their parts"
    return Verdict(not found["differing"], words, found)


def parquet_readable(job: DatasetJob) -> Verdict:
    """The file reads back whole, each page as its checksum says."""
    store, path = job.bench.lake.store, paths.parquet(job.domain, job.dataset_id)
    valid = job.frames(VALIDATED).require_report()["valid"]
    with store.reading(path) as file:
        table = pq.read_table(file, page_checksum_verification=True)
    missing = {column.name for column in job.domain.columns} - set(table.column_names)
    words = f"{len(table):,} rows, {valid:,} are valid" + (f"; without {sorted(missing)}" if missing else "")
    return Verdict(len(table) == valid and not missing, words, {"rows": len(table), "columns": table.num_columns})


def table_matches(job: DatasetJob) -> Verdict:
    """The table holds the file's rows."""
    file, table = table_facts(job)
    sums = (file["value_sum"], table["value_sum"])
    same_sum = sums[0] == sums[1] or (None not in sums and math.isclose(*sums, rel_tol=SUM_TOLERANCE))
    same = (file["rows"], file["nulls"]) == (table["rows"], table["nulls"])
    words = f"{table['rows']:,} rows in the table, {file['rows']:,} in the file; value sums {sums[1]} and {sums[0]}"
    return Verdict(same and same_sum, words, {"file": file, "table": table})


def _count_quarantine(job: DatasetJob) -> int:
    store, path = job.bench.lake.store, paths.quarantine(job.domain, job.dataset_id)
    if not store.exists(path):
        return 0
    with store.reading(path) as file:
        return int(pq.read_metadata(file).num_rows)
