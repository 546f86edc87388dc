"""What to do when a check fails, for the check's metadata, alerts and docs/operations.md alike."""

from __future__ import annotations

REPORT = "the fault is this program's: report it with the run"
ADVICE = {
    "complete": "Raw pages are damaged or cut: load the dataset again (`estat load ID`), which replaces them.",
    "codes_known": "The rows are kept, without a name. Load again in a day; if it stays, e-Stat's own metadata lack "
    "the codes.",
    "periods_parsed": "The rows are kept with their time_code. Look at `doubtful_periods`, and use time_code, not the "
    "period, for those.",
    "rows_conserved": f"Nothing was published. Launch `rebuild_from_raw` for the dataset; if it stays, {REPORT}.",
    "required_columns": f"Nothing was published. Launch `rebuild_from_raw` for the dataset; if it stays, {REPORT}.",
    "no_unexplained_nulls": "The rows are kept, with NULL and the text as it came. Look at `symbols`; the survey's own "
    "page at e-Stat may explain them.",
    "no_duplicates": f"Nothing was published. Launch `rebuild_from_raw` for the dataset; if it stays, {REPORT}.",
    "quarantine_ratio": "Nothing was published; the rows of before stand. The quality report of validated_records "
    "says which rows were rejected and why. Load again when e-Stat has mended the table.",
    "units_consistent": "The rows are as e-Stat has them. Look at `unit` before you compare or add up numbers of the "
    "measures that the check lists.",
    "totals_reconcile": "The rows are as e-Stat has them. Rounding and withheld cells make such totals: look at "
    "`samples` before you add numbers up.",
    "parquet_readable": "Nothing was published. `estat doctor` looks at the disk or bucket; then launch "
    "`rebuild_from_raw` for the dataset.",
    "table_matches": "The table differs from its file: launch `rebuild_from_raw` for the dataset.",
    "no_dataset_left_failed": "Its table says which and why. When the reason is gone, launch `refresh_updated`, which "
    "loads them again.",
    "every_table_kept": "The other tables are in order. Do what the error of the table says; "
    "`estat maintain TABLE --repair --dry-run` finds lost and damaged files.",
}
"""What a person does, by the name of the check."""
