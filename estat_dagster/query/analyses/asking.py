"""Analyses put to an engine, one after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from estat_dagster.columns import EXTRA_AXES
from estat_dagster.domains import check_dataset_id
from estat_dagster.errors import ValidationError
from estat_dagster.query.analyses.plan import Analysis, Kind, analysis_sql
from estat_dagster.snapshots import is_snapshot_id

if TYPE_CHECKING:
    from estat_dagster.query.engine import QueryEngine, QueryResult
    from estat_dagster.snapshots import AsOf


@dataclass(frozen=True)
class Answered:
    """An analysis and its rows, which are read as they are asked for; close the result or read it to the end."""

    analysis: Analysis
    result: QueryResult


def answer(
    engine: QueryEngine,
    kind: Kind,
    subject: str,
    *,
    sql: str | None = None,
    only: Collection[str] = (),
    limit: int | None = None,
    as_of: AsOf | None = None,
) -> Iterator[Answered]:
    """Yield each analysis with its answer.

    Args:
        subject: a dataset's id, or a table's name.
        sql: the query of `custom`.
        only: names of analyses; none is all of the kind.
        limit: the most rows of each answer.
        as_of: a moment, or a snapshot of the table; of a snapshot's dataset, the axes are those that it has now.

    Raises:
        ValidationError: the lake has no such dataset or table, or the SQL is not allowed.
    """
    moment = None if is_snapshot_id(as_of) else as_of
    table, dataset_id = _find(engine, subject, moment)
    columns = set(engine.describe(table).column("column").to_pylist())
    if dataset_id:
        columns -= _absent(engine, dataset_id, moment)
    analyses = analysis_sql(kind, columns, table=table, dataset_id=dataset_id, sql=sql)
    names = [analysis.name for analysis in analyses]
    if unknown := set(only) - set(names):
        raise ValidationError(
            f"There is no {kind} analysis {sorted(unknown)[0]!r} of {subject}.", hint=f"There are {', '.join(names)}."
        )
    for analysis in analyses:
        if only and analysis.name not in only:
            continue
        yield Answered(analysis, engine.run(analysis.sql, limit=limit, as_of=as_of))


def _find(engine: QueryEngine, subject: str, as_of: AsOf | None) -> tuple[str, str | None]:
    if not subject[:1].isdigit():
        return subject, None
    sql = "SELECT table_name FROM dataset_inventory WHERE dataset_id = ? AND table_name IS NOT NULL"
    names = engine.run(sql, [check_dataset_id(subject)], as_of=as_of).read_all().column(0).to_pylist()
    if not names:
        raise ValidationError(f"The lake does not hold {subject}.", hint=f"Load it with `estat load {subject}`.")
    return names[0], subject


def _absent(engine: QueryEngine, dataset_id: str, as_of: AsOf | None) -> set[str]:
    """Return the columns of the axes that a dataset does not have."""
    sql = "SELECT DISTINCT axis_id FROM dataset_dimensions WHERE dataset_id = ?"
    held = set(engine.run(sql, [dataset_id], as_of=as_of).read_all().column(0).to_pylist())
    return {f"{axis}_code" for axis in EXTRA_AXES if axis not in held}
