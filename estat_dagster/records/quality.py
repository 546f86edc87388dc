"""Which rows are good: a chain of rules over the mapped frames, and what they found as data.

A rejected row keeps its reason and its source page and position. Rows in are always valid rows and quarantined rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from estat_dagster.columns import Column
from estat_dagster.records.duplicates import Flags, find_duplicates
from estat_dagster.records.mapper import PAGE, POSITION
from estat_dagster.records.order import Merged, Run, merge
from estat_dagster.records.texts import counts, distinct, encode, pick

ROWS = 131_072
SAMPLES = 5
MEASURE = ("tab_code", "category_code")

REASON = "reason"
REASON_COLUMN = Column(REASON, "string", "隔離理由", "why the row was rejected")

NO_ID = "dataset_id is missing"
NO_CELL = "the cell is empty: neither a number nor a text, and NOTE says nothing of that"
NOT_FINITE = "the number is too large for a double"
REPEATED = "an identical row stands before it at the same coordinates"
CONFLICTING = "another row at the same coordinates says something else"


@dataclass
class QualityReport:
    """What the rules found.

    `quarantined` is reason -> rows, `samples` reason -> a few of those rows. Of the valid rows, `nulls` have no number;
    of these, `missing` is missing_reason -> rows, and `texts` counts those whose text NOTE does not explain (a word, or
    a symbol). `noted` is missing_reason -> rows that have a number all the same. `units` is measure -> units of its
    cells, "" for none; a measure is the codes in some columns, as "A1 B2".
    """

    rows_in: int = 0
    valid: int = 0
    nulls: int = 0
    texts: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    units: dict[str, set[str]] = field(default_factory=dict)

    def add(self, other: QualityReport) -> None:
        """Count another part's rows too."""
        self.rows_in += other.rows_in
        self.valid += other.valid
        self.nulls += other.nulls
        self.texts += other.texts
        self.quarantined += other.quarantined
        self.missing += other.missing
        self.noted += other.noted
        for reason, rows in other.samples.items():
            self.samples[reason] = [*self.samples.get(reason, []), *rows][:SAMPLES]
        for measure, units in other.units.items():
            self.units[measure] = self.units.get(measure, set()) | units

    @property
    def quarantined_count(self) -> int:
        """Rows rejected for any reason."""
        return self.quarantined.total()

    @property
    def mixed_units(self) -> dict[str, list[str]]:
        """Measures whose cells have different units."""
        return {measure: sorted(units) for measure, units in sorted(self.units.items()) if len(units) > 1}


class DataQualityValidator:
    """Splits the rows of one dataset into valid and quarantined ones, in the order of `by`.

    Args:
        runs: the mapped rows with `source_page` and `source_position`, each run in order.
        by: the columns of the order, all coordinates among them.
        most: how many rows are held at once, about.
        measure: the columns that tell what a cell measures; first tab's and the category's.
    """

    def __init__(
        self, runs: Sequence[Run], by: Sequence[str], most: int = ROWS, measure: Sequence[str] = MEASURE
    ) -> None:
        self._runs, self._by, self._most, self._measure = runs, by, most, measure

    def parts(self) -> list[Callable[[], Split]]:
        """Return the parts of the dataset, in order; each is read and judged when it is called, side by side or not."""
        return [partial(_split, read, self._measure) for read in merge(self._runs, self._by, self._most)]


class Split(NamedTuple):
    """A part of a dataset: valid rows without source columns, rejected rows with `reason`, and what was found."""

    valid: pa.Table
    quarantined: pa.Table
    report: QualityReport


def _split(read: Callable[[], Merged], measure: Sequence[str]) -> Split:
    rows, repeats = read()
    reasons = _reasons(rows, repeats)
    rejected = reasons.is_valid()
    valid = rows.drop_columns([PAGE, POSITION])
    if reasons.null_count < len(rows):
        valid = valid.filter(pc.invert(rejected))
    quarantined = rows.append_column(REASON, reasons).filter(rejected)
    is_null = valid.column("value").is_null()
    reason = valid.column("missing_reason")
    report = QualityReport(
        rows_in=len(rows),
        valid=len(valid),
        nulls=valid.column("value").null_count,
        texts=reason.filter(is_null).null_count,
        quarantined=_tally(quarantined.column(REASON)),
        missing=_tally(reason.filter(is_null)),
        noted=_tally(reason.filter(pc.invert(is_null))),
        samples=_samples(quarantined),
        units=_units(valid, measure),
    )
    return Split(valid, quarantined, report)


def _samples(quarantined: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """Return the first rows of each reason, with what they hold beside their source."""
    samples: dict[str, list[dict[str, Any]]] = {}
    for reason in pc.unique(quarantined.column(REASON)).to_pylist():
        rows = quarantined.filter(pc.equal(quarantined.column(REASON), reason)).slice(0, SAMPLES).drop_columns([REASON])
        samples[reason] = [{name: cell for name, cell in row.items() if cell is not None} for row in rows.to_pylist()]
    return samples


def _units(rows: pa.Table, measure: Sequence[str]) -> dict[str, set[str]]:
    """Return which units the cells of each measure have."""
    columns = [encode(rows.column(name).combine_chunks()) for name in (*measure, "unit")]
    words = [[*distinct(column), ""] for column in columns]
    number = np.zeros(len(rows), np.int64)
    for column, texts in zip(columns, words, strict=True):
        number = number * len(texts) + column.indices.fill_null(len(texts) - 1).to_numpy()
    units: dict[str, set[str]] = {}
    for combination in pc.unique(pa.array(number)).to_pylist():
        found: list[str] = []
        for texts in reversed(words):
            combination, place = divmod(combination, len(texts))
            found.insert(0, texts[place])
        tab, category, *others, unit = found
        units.setdefault(" ".join([tab, *([category] if category != tab else []), *others]), set()).add(unit)
    return units


def _reasons(rows: pa.Table, repeats: Flags) -> pa.Array:
    """Return why each row is rejected, null for a good one; the first rule that applies counts."""
    value = rows.column("value").combine_chunks()
    conflicting, repeated = find_duplicates(rows, repeats)
    rules = (
        (_flags(rows.column("dataset_id").is_null()), NO_ID),
        (_flags(value.is_null()) & _is_blank(rows, "value_text") & _is_blank(rows, "missing_reason"), NO_CELL),
        (_flags(pc.invert(pc.is_finite(value)).fill_null(False)), NOT_FINITE),
        (conflicting, CONFLICTING),
        (repeated, REPEATED),
    )
    found = np.zeros(len(rows), np.int8)
    for number, (applies, _) in reversed(list(enumerate(rules, start=1))):
        found[applies] = number
    return pa.array([None, *(reason for _, reason in rules)], pa.string()).take(pa.array(found))


def _is_blank(rows: pa.Table, name: str) -> Flags:
    words = encode(rows.column(name).combine_chunks())
    return _flags(pick(words, [not text.strip() for text in distinct(words)], pa.bool_(), True))


def _flags(mask: pa.Array | pa.ChunkedArray) -> Flags:
    flags: Flags = mask.to_numpy(zero_copy_only=False)
    return flags


def _tally(column: pa.ChunkedArray) -> Counter[str]:
    return Counter(dict(counts(encode(column.combine_chunks()))))
