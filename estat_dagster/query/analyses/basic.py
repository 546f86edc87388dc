"""What there is: counts, coverage by year and region, what is missing and why, least, greatest and mean."""

from __future__ import annotations

from estat_dagster.query.analyses.cells import Source, axis_joins, with_clauses

_COUNTS = "count(*) AS cell_count, count(value) AS numbers, count(*) - count(value) AS missing"


def overview(source: Source) -> str:
    """Return SQL for one row a dataset."""
    return f"""SELECT dataset_id, {_COUNTS},
       count(DISTINCT time_code) AS periods, count(DISTINCT region_code) AS regions,
       min(period_start) AS first_day, max(period_end) AS last_day
FROM {source.table}
{_where(source)}GROUP BY dataset_id
ORDER BY dataset_id"""


def years(source: Source) -> str:
    """Return SQL for one row a dataset, kind of period and year."""
    return f"""SELECT dataset_id, time_kind, year, {_COUNTS}, count(DISTINCT region_code) AS regions
FROM {source.table}
{_where(source)}GROUP BY dataset_id, time_kind, year
ORDER BY dataset_id, time_kind, year"""


def regions(source: Source) -> str:
    """Return SQL for one row a dataset and region."""
    return f"""SELECT dataset_id, region_code, region_name, {_COUNTS},
       min(period_start) AS first_day, max(period_end) AS last_day
FROM {source.table}
{_where(source)}GROUP BY dataset_id, region_code, region_name
ORDER BY dataset_id, region_code"""


def missing(source: Source) -> str:
    """Return SQL for one row a dataset and reason."""
    where = _where(source).replace("WHERE ", "WHERE value IS NULL AND ") or "WHERE value IS NULL\n"
    return f"""SELECT dataset_id, value_text, missing_reason, count(*) AS cell_count
FROM {source.table}
{where}GROUP BY dataset_id, value_text, missing_reason
ORDER BY dataset_id, cell_count DESC, value_text"""


def summary(source: Source) -> str:
    """Return SQL for one row a series, over all its periods and those of its regions that are no totals of others."""
    return f"""{with_clauses(source)}
SELECT {", ".join(f"cells.{name}" for name in source.labels)}, {_COUNTS},
       min(value) AS least, max(value) AS greatest, avg(value) AS mean
FROM cells
{axis_joins(source)}
WHERE NOT coalesce(area.has_parts, false)
GROUP BY {", ".join(f"cells.{name}" for name in dict.fromkeys((*source.labels, *source.series)))}
ORDER BY {", ".join(f"cells.{name}" for name in source.series)}"""


def _where(source: Source) -> str:
    return f"WHERE dataset_id = '{source.dataset_id}'\n" if source.dataset_id else ""
