"""What there is: counts, coverage by year and region, what is missing and why, least, greatest and mean."""

from __future__ import annotations

from estat_dagster.query.analyses.cells import Source, axis_joins, with_clauses

_COUNTS = "count(*) AS cells, count(value) AS numbers, count(*) - count(value) AS missing"


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
    return f"""SELECT dataset_id, value_text, missing_reason, count(*) AS cells
FROM {source.table}
{where}GROUP BY dataset_id, value_text, missing_reason
ORDER BY dataset_id, cells DESC, value_text"""


def summary(source: Source) -> str:
    """Return SQL for one row a measure and category, over the cells that are no totals on any other axis."""
    others = [axis for axis in source.axes if axis != "cat01"]
    return f"""{with_clauses(source)}
SELECT cells.dataset_id, tab_name, category_name, unit, time_kind, {_COUNTS},
       min(value) AS least, max(value) AS greatest, avg(value) AS mean
FROM cells
{axis_joins(source)}
WHERE {" AND ".join(f"NOT coalesce({axis}.has_parts, false)" for axis in others)}
GROUP BY cells.dataset_id, tab_code, tab_name, category_code, category_name, unit, time_kind
ORDER BY cells.dataset_id, tab_code, category_code, unit, time_kind"""


def _where(source: Source) -> str:
    return f"WHERE dataset_id = '{source.dataset_id}'\n" if source.dataset_id else ""
