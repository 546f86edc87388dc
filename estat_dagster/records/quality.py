"""Which rows are good: a chain of rules over the mapped frames, and what they found as data.

A rejected row keeps its reason and its source page and position. Rows in are always valid rows and quarantined rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.columns import Column
from estat_dagster.records.mapper import PAGE, POSITION
from estat_dagster.records.order import Run, merge
from estat_dagster.records.texts import counts, distinct, encode, pick

Flags = npt.NDArray[np.bool_]
ROWS = 262_144
CELL = ["value", "value_text", "unit", "annotation"]

REASON = "reason"
REASON_COLUMN = Column(REASON, "string", "隔離理由", "why the row was rejected")

NO_ID = "dataset_id is missing"
NO_CELL = "the cell is empty: neither a number nor a text"
NOT_FINITE = "the number is too large for a double"
REPEATED = "an identical row stands before it at the same coordinates"
CONFLICTING = "another row at the same coordinates says something else"


@dataclass
class QualityReport:
    """What the rules found.

    `quarantined` is reason -> rows. Of the valid rows: `nulls` have no number, `missing` is missing_reason -> rows,
    `texts` counts those whose text is no symbol of NOTE's (a word, or a symbol that nothing explains).
    """

    rows_in: int = 0
    valid: int = 0
    nulls: int = 0
    texts: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)

    @property
    def quarantined_count(self) -> int:
        """Rows rejected for any reason."""
        return self.quarantined.total()

    @property
    def is_conserved(self) -> bool:
        """Whether no row was lost."""
        return self.rows_in == self.valid + self.quarantined_count


class DataQualityValidator:
    """Splits the rows of one dataset into valid and quarantined ones, in the order of `by`.

    Args:
        runs: the mapped rows with `source_page` and `source_position`, each run in order.
        by: the columns of the order, all coordinates among them.
        most: how many rows are held at once, about.
    """

    def __init__(self, runs: Sequence[Run], by: Sequence[str], most: int = ROWS) -> None:
        self._runs, self._by, self._most = runs, by, most
        self.report = QualityReport()

    def split(self) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Return, part by part, the valid rows without source columns, and the rejected rows with `reason`."""
        for rows, repeats in merge(self._runs, self._by, self._most):
            reasons = _reasons(rows, repeats)
            rejected = reasons.is_valid()
            valid = rows.drop_columns([PAGE, POSITION])
            if reasons.null_count < len(rows):
                valid = valid.filter(pc.invert(rejected))
            quarantined = rows.append_column(REASON, reasons).filter(rejected)
            self._count(rows, valid, quarantined)
            yield valid, quarantined

    def _count(self, rows: pa.Table, valid: pa.Table, quarantined: pa.Table) -> None:
        report = self.report
        report.rows_in += len(rows)
        report.valid += len(valid)
        report.nulls += valid.column("value").null_count
        report.texts += pc.sum(unexplained(valid)).as_py() or 0
        report.quarantined.update(_tally(quarantined.column(REASON)))
        report.missing.update(_tally(valid.column("missing_reason")))


def unexplained(rows: pa.Table) -> pa.ChunkedArray:
    """Return for each row whether it has no number and NOTE does not say why."""
    return pc.and_(pc.is_null(rows.column("value")), pc.is_null(rows.column("missing_reason")))


def _reasons(rows: pa.Table, repeats: Flags) -> pa.Array:
    """Return why each row is rejected, null for a good one; the first rule that applies counts."""
    value = rows.column("value").combine_chunks()
    conflicting, repeated = _duplicates(rows, repeats)
    rules = (
        (_flags(rows.column("dataset_id").is_null()), NO_ID),
        (_flags(value.is_null()) & _is_blank(rows), NO_CELL),
        (_flags(pc.invert(pc.is_finite(value)).fill_null(False)), NOT_FINITE),
        (conflicting, CONFLICTING),
        (repeated, REPEATED),
    )
    found = np.zeros(len(rows), np.int8)
    for number, (applies, _) in reversed(list(enumerate(rules, start=1))):
        found[applies] = number
    return pa.array([None, *(reason for _, reason in rules)], pa.string()).take(pa.array(found))


def _is_blank(rows: pa.Table) -> Flags:
    words = encode(rows.column("value_text").combine_chunks())
    return _flags(pick(words, [not text.strip() for text in distinct(words)], pa.bool_(), True))


def _duplicates(rows: pa.Table, repeats: Flags) -> tuple[Flags, Flags]:
    """Return which rows contradict another at their place, and which are later copies of one."""
    conflicting, repeated = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    shared = np.flatnonzero(repeats | np.append(repeats[1:], [False]) if len(rows) else repeats)
    if not len(shared):
        return conflicting, repeated
    later = repeats[shared]
    cells = [tuple(cell.values()) for cell in rows.select(CELL).take(pa.array(shared)).to_pylist()]
    first = np.maximum.accumulate(np.where(later, 0, np.arange(len(shared))))
    differs = np.array([cell != cells[at] for cell, at in zip(cells, first.tolist(), strict=True)])
    in_conflict = np.isin(first, first[differs])
    conflicting[shared], repeated[shared] = in_conflict, later & ~in_conflict
    return conflicting, repeated


def _flags(mask: pa.Array | pa.ChunkedArray) -> Flags:
    flags: Flags = mask.to_numpy(zero_copy_only=False)
    return flags


def _tally(column: pa.ChunkedArray) -> dict[str, int]:
    return dict(counts(encode(column.combine_chunks())))
