"""The rows that analyses start from, as WITH clauses: a dataset's cells, and what each class is on its axis.

Classes come from `dataset_dimensions`, and only those count that the rows have: of a dataset loaded in part, the total
may be missing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from estat_dagster import measures
from estat_dagster.columns import EXTRA_AXES

_AXES = {"cat01": "category_code", **{axis: f"{axis}_code" for axis in EXTRA_AXES}}
REGION = ("area", "region_code")
NATION = "00000"
_PREFECTURE = "^(0[1-9]|[1-3][0-9]|4[0-7])000$"


@dataclass(frozen=True)
class Source:
    """What is analysed.

    Args:
        table: the table of the lake.
        columns: names of its columns. Leave out the axes that the dataset does not have: the SQL becomes shorter.
        dataset_id: None is every dataset of the table, each for itself.
    """

    table: str
    columns: Collection[str]
    dataset_id: str | None = None

    @property
    def categories(self) -> dict[str, str]:
        """The code column of each category axis that the table has."""
        return {axis: column for axis, column in _AXES.items() if column in self.columns}

    @property
    def axes(self) -> dict[str, str]:
        """The code column of each axis that can have totals: the categories, and the area."""
        return {**self.categories, REGION[0]: REGION[1]}

    @property
    def series(self) -> tuple[str, ...]:
        """The columns that are the same all over a series of like numbers, but for region and period."""
        return ("dataset_id", "tab_code", *self.categories.values(), "unit", "time_kind")

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns that tell a reader which series it is."""
        names = [column.replace("_code", "_name") for column in self.categories.values()]
        return ("dataset_id", "tab_name", *names, "unit", "time_kind")


def with_clauses(source: Source, *more: str) -> str:
    """Return WITH and the clauses `cells` and `axes`, followed by more clauses."""
    clauses = [_cells(source), _held(source), _CLASSES, _ROOTS, _TOTALS, *more]
    return "WITH " + ",\n".join(clauses)


def clause(name: str, sql: str) -> str:
    """Return a clause of WITH."""
    return f"{name} AS (\n{textwrap.indent(sql.strip(), '    ')}\n)"


def headline(source: Source, *, but: str = "area") -> str:
    """Return the clause `headline`: cells that are a total, or stand for themselves, on every axis but one.

    Its column `is_top` says whether the region is the whole, and `region_level` how deep it stands.
    """
    conditions = [f"coalesce({axis}.is_top, true)" for axis in source.axes if axis != but]
    where = "WHERE " + "\n  AND ".join(conditions) if conditions else ""
    return clause(
        "headline",
        f"""SELECT cells.*, coalesce(area.is_top, true) AS is_top, area.level AS region_level
FROM cells
{axis_joins(source)}
{where}""",
    )


def latest(source: Source, rows: str = "headline") -> str:
    """Return the clause `latest`: the cells of the last period for which a series has any number."""
    return clause(
        "latest",
        f"""SELECT * FROM (
    SELECT *, max(CASE WHEN value IS NOT NULL THEN time_code END) OVER ({over(source)}) AS last_time
    FROM {rows}
) AS periods
WHERE time_code = last_time OR (time_code IS NULL AND last_time IS NULL)""",
    )


def over(source: Source, *more: str) -> str:
    """Return the PARTITION BY of a series, and of more columns."""
    return f"PARTITION BY {', '.join((*source.series, *more))}"


def axis_joins(source: Source) -> str:
    """Return the joins that give each cell what its classes are: `cat01.is_top`, `area.level`, ..."""
    return "\n".join(
        f"LEFT JOIN axes AS {axis} ON {axis}.dataset_id = cells.dataset_id AND {axis}.axis_id = '{axis}' "
        f"AND {axis}.code = cells.{column}"
        for axis, column in source.axes.items()
    )


def same(left: str, right: str, columns: Sequence[str]) -> str:
    """Return the condition that two rows agree in columns, also where both are NULL."""
    return "\n  AND ".join(f"{left}.{column} IS NOT DISTINCT FROM {right}.{column}" for column in columns)


def adds_up(source: Source, rows: str) -> str:
    """Return the condition that a row's measure adds up over its parts, by its unit and by the names of its classes."""
    names = [name for name in source.labels if name.endswith("_name")]
    words = ", ".join(f"{rows}.{name}" for name in ("unit", *names))
    return (
        f"NOT regexp_like(concat_ws(' ', {words}), '{measures.NOT_ADDITIVE}')\n"
        f"  AND NOT regexp_like(coalesce({rows}.unit, ''), '{measures.NOT_ADDITIVE_UNITS}')"
    )


def _cells(source: Source) -> str:
    where = f"\nWHERE dataset_id = '{source.dataset_id}'" if source.dataset_id else ""
    return clause("cells", f"SELECT * FROM {source.table}{where}")


def _held(source: Source) -> str:
    return clause(
        "held",
        "\nUNION ALL\n".join(
            f"SELECT DISTINCT dataset_id, '{axis}' AS axis_id, {column} AS code FROM cells"
            for axis, column in source.axes.items()
        ),
    )


_CLASSES = clause(
    "classes",
    f"""SELECT d.dataset_id, d.axis_id, d.code, d.name, d.position, TRY_CAST(d.level AS integer) AS level,
       p.code AS parent_code, regexp_like(d.name, '{measures.TOTAL}') AS says_total
FROM dataset_dimensions AS d
JOIN held AS h ON h.dataset_id = d.dataset_id AND h.axis_id = d.axis_id AND h.code = d.code
LEFT JOIN held AS p ON p.dataset_id = d.dataset_id AND p.axis_id = d.axis_id AND p.code <> d.code
  AND p.code = coalesce(d.parent_code, CASE WHEN regexp_like(d.code, '{_PREFECTURE}') AND d.axis_id = 'area'
                                            THEN '{NATION}' END)""",
)
_ROOTS = clause(
    "roots",
    """SELECT *,
       parent_code IS NULL AND coalesce(level = min(level) OVER (PARTITION BY dataset_id, axis_id), true) AS is_root,
       coalesce(lead(level) OVER (PARTITION BY dataset_id, axis_id ORDER BY position) > level, false) AS leads_parts,
       count(*) OVER (PARTITION BY dataset_id, axis_id) AS size
FROM classes""",
)
_TOTALS = clause(
    "axes",
    """SELECT r.dataset_id, r.axis_id, r.code, r.name, r.level, r.parent_code,
       coalesce(r.parent_code,
                CASE WHEN NOT says_total AND count_if(says_total) OVER (PARTITION BY r.dataset_id, r.axis_id) = 1
                     THEN max(CASE WHEN says_total THEN r.code END) OVER (PARTITION BY r.dataset_id, r.axis_id)
                END) AS whole_code,
       is_root AND (says_total
                    OR NOT bool_or(is_root AND says_total) OVER (PARTITION BY r.dataset_id, r.axis_id)) AS is_top,
       leads_parts OR (says_total AND size > 1) OR p.parent_code IS NOT NULL AS has_parts
FROM roots AS r
LEFT JOIN (SELECT DISTINCT dataset_id, axis_id, parent_code FROM classes) AS p
  ON p.dataset_id = r.dataset_id AND p.axis_id = r.axis_id AND p.parent_code = r.code""",
)
