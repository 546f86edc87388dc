"""Which rows are good: a chain of rules over the mapped frames, and what they found as data.

A rejected row keeps its reason and its source page and position. Rows in are always valid rows and quarantined rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.columns import Column
from estat_dagster.records.coordinates import Duplicates, find_duplicates
from estat_dagster.records.mapper import PAGE, POSITION

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
    """Splits the frames of one dataset into valid and quarantined rows.

    Args:
        frames: the mapped frames with `source_page` and `source_position`; iterated more than once.
    """

    def __init__(self, frames: Iterable[pa.Table]) -> None:
        self._frames = frames
        self.report = QualityReport()

    def split(self) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Return for each frame its valid rows, without source columns, and its rejected rows with `reason`."""
        duplicates = find_duplicates(self._frames)
        start = 0
        for frame in self._frames:
            reasons = _reasons(frame, start, duplicates)
            rejected = pc.is_valid(reasons)
            valid = frame.filter(pc.invert(rejected)).drop_columns([PAGE, POSITION])
            quarantined = frame.append_column(REASON, reasons).filter(rejected)
            self._count(frame, valid, quarantined)
            start += len(frame)
            yield valid, quarantined

    def _count(self, frame: pa.Table, valid: pa.Table, quarantined: pa.Table) -> None:
        report = self.report
        report.rows_in += len(frame)
        report.valid += len(valid)
        report.nulls += valid.column("value").null_count
        report.texts += pc.sum(unexplained(valid)).as_py() or 0
        report.quarantined.update(_tally(quarantined.column(REASON)))
        report.missing.update(_tally(valid.column("missing_reason")))


def unexplained(frame: pa.Table) -> pa.ChunkedArray:
    """Return for each row whether it has no number and NOTE does not say why."""
    return pc.and_(pc.is_null(frame.column("value")), pc.is_null(frame.column("missing_reason")))


def _reasons(frame: pa.Table, start: int, duplicates: Duplicates) -> pa.ChunkedArray:
    """Return why each row is rejected, null for a good one; the first rule that applies counts."""
    value, words = frame.column("value"), frame.column("value_text")
    rules = (
        (pc.is_null(frame.column("dataset_id")), NO_ID),
        (pc.and_(pc.is_null(value), pc.fill_null(pc.equal(pc.utf8_trim_whitespace(words), ""), True)), NO_CELL),
        (pc.fill_null(pc.invert(pc.is_finite(value)), False), NOT_FINITE),
        (_members(len(frame), start, duplicates.conflicting), CONFLICTING),
        (_members(len(frame), start, duplicates.repeated), REPEATED),
    )
    reasons = pa.nulls(len(frame), pa.string())
    for applies, reason in reversed(rules):
        reasons = pc.if_else(applies, reason, reasons)
    return reasons


def _members(length: int, start: int, rows: np.ndarray) -> pa.Array:
    mask = np.zeros(length, dtype=bool)
    mask[rows[(rows >= start) & (rows < start + length)] - start] = True
    return pa.array(mask)


def _tally(column: pa.ChunkedArray) -> dict[str, int]:
    pairs = pc.value_counts(column).to_pylist()
    return {pair["values"]: pair["counts"] for pair in pairs if pair["values"] is not None}
