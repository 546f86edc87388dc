"""Finding tables: everything that e-Stat has for some words, scored, explained, and shown page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from estat_dagster.errors import ValidationError
from estat_dagster.estat import days
from estat_dagster.estat.client import EstatClient
from estat_dagster.estat.credit import service_credit
from estat_dagster.estat.criteria import Criteria
from estat_dagster.estat.listing import list_tables
from estat_dagster.estat.models import TableInfo
from estat_dagster.estat.ranking import Reason, rank, score
from estat_dagster.estat.suggest import Suggestion, suggest
from estat_dagster.estat.timecodes import parse_survey_date


@dataclass(frozen=True)
class Hit:
    """A table that matches. `records` is None where e-Stat's list has no count; `years` are those of SURVEY_DATE."""

    id: str
    title: str
    survey: str
    survey_code: str
    statistics: str
    organisation: str
    field: str
    cycle: str
    years: str | None
    survey_date: str
    area_level: str
    records: int | None
    opened: str
    updated: str
    score: int
    reasons: tuple[Reason, ...]

    @property
    def why(self) -> str:
        """The reasons in one line."""
        return "; ".join(f"{reason.what} {reason.points:+d}: {reason.why}" for reason in self.reasons)


@dataclass(frozen=True)
class Found:
    """A page of what matches.

    `words` is the searchWord as it was sent. `total` counts the tables that match everything, `listed` those that
    e-Stat gave before the rest was filtered here. `suggestions` are there where nothing was found.
    """

    words: str
    total: int
    listed: int
    offset: int
    hits: tuple[Hit, ...]
    suggestions: tuple[Suggestion, ...]
    source: str
    credit: str

    @property
    def next_offset(self) -> int | None:
        """The offset of the next page, None at the end."""
        after = self.offset + len(self.hits)
        return after if self.hits and after < self.total else None


def search_tables(
    client: EstatClient, criteria: Criteria, *, offset: int = 0, most: int = 20, today: date | None = None
) -> Found:
    """Search tables: the best first, the newest update first where they are equally good.

    e-Stat answers in the order of ids, which is oldest first, so all matches are asked for and ranked here. Freshness
    counts from the day of e-Stat's answer.

    Args:
        client: asks e-Stat.
        criteria: what is searched for.
        offset: how many hits to skip.
        most: how many hits to return.
        today: the day in Japan, for update windows without an end.

    Raises:
        ValidationError: the criteria cannot be asked for.
        ApiError: e-Stat refuses, or its list is not whole.
    """
    if offset < 0 or most < 1:
        raise ValidationError(f"There is no page of {most} from {offset}.", hint="Begin at 0, and ask for 1 or more.")
    listing = list_tables(client, criteria.parameters(today or days.today()))
    query, as_of = criteria.query, days.date_or_none(listing.date)
    kept = [table for table in listing.tables if criteria.keeps(table)]
    ranked = sorted(((table, rank(table, query, as_of)) for table in kept), key=lambda pair: pair[0].id)
    ranked.sort(key=lambda pair: pair[0].updated_date, reverse=True)
    ranked.sort(key=lambda pair: score(pair[1]), reverse=True)
    return Found(
        words=query.text,
        total=len(kept),
        listed=len(listing.tables),
        offset=offset,
        hits=tuple(_hit(table, reasons) for table, reasons in ranked[offset : offset + most]),
        suggestions=() if kept else suggest(criteria.words),
        source=client.source,
        credit=service_credit(client.source),
    )


def survey_years(survey_date: str) -> str | None:
    """Return the years of SURVEY_DATE: `2015`, `2015-2020`, None where e-Stat leaves them open."""
    period = parse_survey_date(survey_date)
    if period.start is None or period.end is None:
        return None
    first, last = period.start.year, period.end.year
    return f"{first}" if first == last else f"{first}-{last}"


def _hit(table: TableInfo, reasons: tuple[Reason, ...]) -> Hit:
    return Hit(
        id=table.id,
        title=table.title,
        survey=table.stat_name,
        survey_code=table.stat_code,
        statistics=table.statistics_name,
        organisation=table.gov_org,
        field=f"{table.field_code} {table.field_name}".strip(),
        cycle=table.cycle,
        years=survey_years(table.survey_date),
        survey_date=table.survey_date,
        area_level=table.collect_area,
        records=table.overall_total_number or None,
        opened=table.open_date,
        updated=table.updated_date,
        score=score(reasons),
        reasons=reasons,
    )
