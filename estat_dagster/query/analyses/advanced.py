"""What it tells: change over time, ranks and shares of regions, quartiles and outliers, totals against their parts."""

from __future__ import annotations

from estat_dagster import measures
from estat_dagster.query.analyses.cells import (
    NATION,
    REGION,
    Source,
    adds_up,
    clause,
    headline,
    latest,
    over,
    same,
    with_clauses,
)


def change(source: Source) -> str:
    """Return SQL for the change of each series of totals from the period before, in its unit and in percent.

    `years` says how far apart the two are; where that is more than one, the growth is also told for each year of them.
    """
    window = f"OVER ({over(source, 'region_code')} ORDER BY period_start, time_code)"
    before = clause(
        "compared",
        f"""SELECT *, lag(time_name) {window} AS previous_period, lag(value) {window} AS previous_value,
       year - lag(year) {window} AS years
FROM headline
WHERE is_top""",
    )
    return f"""{with_clauses(source, headline(source), before)}
SELECT {", ".join(source.labels)}, region_code, region_name, year, time_name, value, missing_reason,
       previous_period, years, previous_value, value - previous_value AS change,
       CASE WHEN NOT regexp_like(coalesce(unit, ''), '{measures.PERCENT}')
            THEN 100 * (value - previous_value) / abs(NULLIF(previous_value, 0)) END AS growth_percent,
       CASE WHEN years > 1 AND value > 0 AND previous_value > 0
                 AND NOT regexp_like(coalesce(unit, ''), '{measures.PERCENT}')
            THEN 100 * (power(value / previous_value, 1e0 / years) - 1) END AS growth_percent_a_year
FROM compared
ORDER BY {", ".join(source.series)}, region_code, period_start, time_code"""


def rank(source: Source) -> str:
    """Return SQL for the regions of the last period, the greatest value first; those without a number have no rank."""
    place = f"rank() OVER ({over(source, 'region_level')} ORDER BY value DESC NULLS LAST)"
    return f"""{with_clauses(source, headline(source), latest(source))}
SELECT {", ".join(source.labels)}, year, time_name,
       CASE WHEN value IS NOT NULL THEN {place} END AS place,
       region_code, region_name, value, missing_reason
FROM latest
WHERE region_code <> '{NATION}'
ORDER BY {", ".join(source.series)}, region_level, value DESC NULLS LAST, region_code"""


def quartiles(source: Source) -> str:
    """Return SQL for the spread of the regions of the last period: quartiles by nearest rank, and the outliers.

    An outlier is further than 1.5 times the range between the quartiles from the nearer of them (Tukey).
    """
    group = over(source, "region_level")
    ordered = clause(
        "ordered",
        f"""SELECT *, row_number() OVER ({group} ORDER BY value) AS place, count(*) OVER ({group}) AS size
FROM latest
WHERE region_code <> '{NATION}' AND value IS NOT NULL""",
    )
    fences = clause(
        "fences",
        f"""SELECT *, {_at(group, 0.25)} AS q1,
       {_at(group, 0.5)} AS median,
       {_at(group, 0.75)} AS q3
FROM ordered""",
    )
    outlying = "value < q1 - 1.5 * (q3 - q1) OR value > q3 + 1.5 * (q3 - q1)"
    named = f"array_agg(region_name ORDER BY value DESC, region_code) FILTER (WHERE {outlying})"
    return f"""{with_clauses(source, headline(source), latest(source), ordered, fences)}
SELECT {", ".join(source.labels)}, time_name, count(*) AS regions,
       min(value) AS least, q1, median, q3, max(value) AS greatest, avg(value) AS mean,
       count_if({outlying}) AS outliers, array_join({named}, '、') AS outlying_regions
FROM fences
GROUP BY {", ".join((*source.labels, *_not_labels(source)))}, region_level, time_name, q1, median, q3
ORDER BY {", ".join(source.series)}, region_level"""


def share(source: Source, axis: str) -> str:
    """Return SQL for what part of its whole each class of an axis is in the last period, the other axes at totals.

    The whole is the parent; where a table names no parents, the one class of the axis that is named as its total.
    """
    column = source.axes[axis]
    return f"""{with_clauses(source, headline(source, but=axis), latest(source))}
SELECT {_prefixed(source, "c")}, c.year, c.time_name, c.region_name, p.{_name(column)} AS whole_name,
       c.value, c.missing_reason, p.value AS whole, 100 * c.value / NULLIF(p.value, 0) AS share_percent
FROM latest AS c
JOIN axes AS a ON a.dataset_id = c.dataset_id AND a.axis_id = '{axis}' AND a.code = c.{column}
JOIN latest AS p ON p.{column} = a.whole_code
  AND {same("p", "c", _others(source, column))}
WHERE {adds_up(source, "c")}
ORDER BY {", ".join(f"c.{name}" for name in source.series if name != column)},
         c.value DESC NULLS LAST, c.{column}"""


def parts(source: Source, axis: str) -> str:
    """Return SQL for each total of an axis beside the sum of its parts.

    There is a difference only where every part has a number.
    """
    column = source.axes[axis]
    listed = clause(
        "families",
        f"""SELECT p.dataset_id, p.code, count(*) AS parts_listed
FROM dataset_dimensions AS p
JOIN dataset_dimensions AS d ON d.dataset_id = p.dataset_id AND d.axis_id = p.axis_id AND d.code <> p.code
  AND {_child_of(axis)} = p.code
WHERE p.axis_id = '{axis}'
GROUP BY p.dataset_id, p.code""",
    )
    complete = "count(c.value) = f.parts_listed"
    return f"""{with_clauses(source, listed)}
SELECT {_prefixed(source, "p")}, p.region_code, p.region_name, p.year, p.time_name, p.value AS total,
       sum(c.value) AS sum_of_parts, count(c.value) AS parts_with_number, f.parts_listed,
       CASE WHEN {complete} THEN p.value - sum(c.value) END AS difference
FROM cells AS c
JOIN axes AS a ON a.dataset_id = c.dataset_id AND a.axis_id = '{axis}' AND a.code = c.{column}
JOIN cells AS p ON p.{column} = a.parent_code
  AND {same("p", "c", _others(source, column))}
JOIN families AS f ON f.dataset_id = p.dataset_id AND f.code = p.{column}
WHERE {adds_up(source, "p")}
GROUP BY {", ".join(f"p.{name}" for name in _coordinates(source))}, p.value, f.parts_listed
ORDER BY abs(CASE WHEN {complete} THEN p.value - sum(c.value) END) DESC NULLS LAST,
         {", ".join(f"p.{name}" for name in (*source.series, "region_code", "time_code"))}"""


def _at(group: str, quantile: float) -> str:
    return f"max(CASE WHEN place = CAST(ceil({quantile} * size) AS bigint) THEN value END) OVER ({group})"


def _not_labels(source: Source) -> list[str]:
    return [name for name in source.series if name not in source.labels]


def _others(source: Source, column: str) -> list[str]:
    """Return the coordinates but one: its own category's unit is the same, its period too."""
    names = (*source.series, REGION[1], "time_code")
    return [name for name in names if name != column]


def _coordinates(source: Source) -> list[str]:
    names = (*source.labels, *source.series, "region_code", "region_name", "year", "time_code", "time_name")
    return list(dict.fromkeys(names))


def _prefixed(source: Source, rows: str) -> str:
    return ", ".join(f"{rows}.{name}" for name in source.labels)


def _name(column: str) -> str:
    return column.replace("_code", "_name")


def _child_of(axis: str) -> str:
    if axis != REGION[0]:
        return "d.parent_code"
    prefecture = "^(0[1-9]|[1-3][0-9]|4[0-7])000$"
    return f"coalesce(d.parent_code, CASE WHEN regexp_like(d.code, '{prefecture}') THEN '{NATION}' END)"
