"""How well a table answers a search, in points with their reasons: at most 100.

| what | points | for |
|---|---|---|
| title | 40 | the share of the words that the title holds |
| statistics | 20 | the share that the names of the survey and its statistics hold |
| category | 10 | the share that the names of the field hold |
| freshness | 15 | updated within one year; 10 within three, 5 within ten |
| completeness | 15 | 3 each for a record count, an update date, an area level, a cycle and a survey date |
| preliminary | -10 | the title or the statistics say 速報 |

Where alternatives (OR) are asked for, the best one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from estat_dagster.estat.days import date_or_none
from estat_dagster.estat.models import TableInfo
from estat_dagster.estat.words import Query, fold

TITLE, STATISTICS, CATEGORY = 40, 20, 10
FRESHNESS = ((1, 15), (3, 10), (10, 5))
FACT = 3
PRELIMINARY = -10
_DAYS = 365.25


@dataclass(frozen=True)
class Reason:
    """Points that a table got, what for, and why."""

    what: str
    points: int
    why: str


def rank(table: TableInfo, query: Query, as_of: date | None) -> tuple[Reason, ...]:
    """Return the reasons of a table's place, the words' first; the sum of the points is its score.

    Args:
        table: a table that e-Stat found for the query.
        query: what was searched for.
        as_of: the day that freshness counts from.
    """
    words = _words(table, query)
    return (*words, _freshness(table, as_of), _completeness(table), *_preliminary(table))


def score(reasons: Sequence[Reason]) -> int:
    """Return the sum of the points."""
    return sum(reason.points for reason in reasons)


def _words(table: TableInfo, query: Query) -> tuple[Reason, ...]:
    if not any(query.alternatives):
        return ()
    return max((_group(table, group) for group in query.alternatives if group), key=score)


def _group(table: TableInfo, words: Sequence[str]) -> tuple[Reason, ...]:
    parts = (
        ("title", TITLE, table.title),
        ("statistics", STATISTICS, f"{table.stat_name} {table.statistics_name}"),
        ("category", CATEGORY, f"{table.field_name} {table.subfield_name}"),
    )
    reasons = []
    for what, points, text in parts:
        found = [word for word in words if fold(word) in fold(text)]
        if found:
            reasons.append(Reason(what, round(points * len(found) / len(words)), f"holds {', '.join(found)}"))
    return tuple(reasons) or (Reason("items", 0, "e-Stat found the words in its axes, codes or explanations"),)


def _freshness(table: TableInfo, as_of: date | None) -> Reason:
    updated = date_or_none(table.updated_date)
    if updated is None or as_of is None:
        return Reason("freshness", 0, "no update date")
    years = (as_of - updated).days / _DAYS
    points = next((points for most, points in FRESHNESS if years <= most), 0)
    return Reason("freshness", points, f"updated {updated}")


def _completeness(table: TableInfo) -> Reason:
    facts = {
        "record count": table.overall_total_number,
        "update date": table.updated_date,
        "area level": table.collect_area not in ("", "該当なし"),
        "cycle": table.cycle not in ("", "-"),
        "survey date": table.survey_date not in ("", "0"),
    }
    missing = [name for name, fact in facts.items() if not fact]
    why = f"without {', '.join(missing)}" if missing else "all facts are given"
    return Reason("completeness", FACT * (len(facts) - len(missing)), why)


def _preliminary(table: TableInfo) -> tuple[Reason, ...]:
    if "速報" not in f"{table.title} {table.statistics_name}":
        return ()
    return (Reason("preliminary", PRELIMINARY, "速報: final figures (確報) may be there too"),)
