"""Days as e-Stat counts them: in Japan, which has one time zone and no summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

JAPAN = timezone(timedelta(hours=9), "JST")


def today() -> date:
    """Return the day that it is in Japan."""
    return datetime.now(JAPAN).date()


def day_of(moment: str) -> date:
    """Return the day in Japan of a moment in ISO form; one without a zone is UTC.

    Raises:
        ValueError: the text is no moment.
    """
    found = datetime.fromisoformat(moment)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(JAPAN).date()


def date_or_none(text: str) -> date | None:
    """Return the date of UPDATED_DATE, OPEN_DATE or RESULT.DATE, as e-Stat wrote it; None where there is none."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
