"""Which analyses there are of each kind, and the SQL of each."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import ValidationError
from estat_dagster.query.analyses import advanced, basic
from estat_dagster.query.analyses.cells import Source

Kind = Literal["basic", "advanced", "custom"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_AXIS_NAMES = {"area": "regions"}


@dataclass(frozen=True)
class Analysis:
    """One question about the data.

    Args:
        name: a word for it, such as `rank`.
        describe: what it tells, in one sentence.
        sql: the query, in Athena's SQL.
    """

    name: str
    describe: str
    sql: str


def analysis_sql(
    kind: Kind, columns: Collection[str], *, table: str, dataset_id: str | None = None, sql: str | None = None
) -> tuple[Analysis, ...]:
    """Return the analyses of a kind.

    Args:
        kind: `basic` tells what there is, `advanced` what it says, `custom` is the SQL that is given.
        columns: names of the table's columns; see `Source`.
        table: a domain's table.
        dataset_id: None is every dataset of the table, each for itself.
        sql: the query of `custom`.

    Raises:
        ValidationError: there is no such kind, or the table or the dataset's id is none.
    """
    if kind == "custom":
        if not sql:
            raise ValidationError("A custom analysis needs its SQL.", hint='Give it with --sql "SELECT ...".')
        return (Analysis("custom", "What was asked in SQL.", sql),)
    if not re.fullmatch(r"\w+", table, re.ASCII):
        raise ValidationError(f"{table!r} is not the name of a table.")
    source = Source(table, columns, check_dataset_id(dataset_id) if dataset_id else None)
    match kind:
        case "basic":
            return _basic(source)
        case "advanced":
            return _advanced(source)
        case _:
            raise ValidationError(f"There is no analysis {kind!r}.", hint=f"There are {', '.join(KINDS)}.")


def _basic(source: Source) -> tuple[Analysis, ...]:
    return (
        Analysis("overview", "How many cells, with and without a number, periods and regions.", basic.overview(source)),
        Analysis("years", "Coverage by year; calendar and fiscal years apart.", basic.years(source)),
        Analysis("regions", "Coverage by region.", basic.regions(source)),
        Analysis("missing", "Why values are missing, in the table's own words.", basic.missing(source)),
        Analysis(
            "summary",
            "Least, greatest and mean of each series, over its periods and its regions but the whole of them.",
            basic.summary(source),
        ),
    )


def _advanced(source: Source) -> tuple[Analysis, ...]:
    by_axis = [
        analysis
        for axis, column in reversed(source.axes.items())
        for analysis in (
            Analysis(
                f"share_{_AXIS_NAMES.get(axis, axis)}",
                f"What part of its whole each class of {column} is, in the last period.",
                advanced.share(source, axis),
            ),
            Analysis(
                f"parts_{_AXIS_NAMES.get(axis, axis)}",
                f"Totals on {column} against the sum of the parts that the table names as theirs, the largest "
                "difference first; a flat list may hold some twice, and is not added up.",
                advanced.parts(source, axis),
            ),
        )
    ]
    return (
        Analysis("change", "Change from the period before, of the totals.", advanced.change(source)),
        Analysis("rank", "Regions by value in the last period, the greatest first.", advanced.rank(source)),
        Analysis("quartiles", "Spread of the regions in the last period, and outliers.", advanced.quartiles(source)),
        *by_axis,
    )
