"""Which snapshot "as of" means, on a real table with three of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pyiceberg.table import Table

from estat_dagster.errors import ValidationError
from estat_dagster.lake.lake import Lake
from estat_dagster.snapshots import snapshot_as_of
from tests.lake.shore import POPULATION, frame, load


@pytest.fixture(scope="module")
def table(shared_lake: Lake) -> Table:
    for value in (1.0, 2.0, 3.0):
        load(shared_lake, frame("0000000001", [value]))
    return shared_lake.tables.load(POPULATION.table_name)


def moments(table: Table) -> list[tuple[int, datetime]]:
    return [(entry.snapshot_id, datetime.fromtimestamp(entry.timestamp_ms / 1000, UTC)) for entry in table.history()]


def test_an_id_is_the_snapshot_with_that_id_as_text_or_number(table: Table) -> None:
    for snapshot_id, _ in moments(table):
        assert snapshot_as_of(table, snapshot_id) == snapshot_id
        assert snapshot_as_of(table, str(snapshot_id)) == snapshot_id


def test_a_moment_is_the_last_snapshot_made_by_then_in_any_time_zone(table: Table) -> None:
    history = moments(table)
    tokyo = timezone(timedelta(hours=9))
    for snapshot_id, moment in history:
        assert snapshot_as_of(table, moment) == snapshot_id
        assert snapshot_as_of(table, moment.astimezone(tokyo).isoformat()) == snapshot_id
        assert snapshot_as_of(table, moment.replace(tzinfo=None).isoformat()) == snapshot_id
    (first, _), (_, second), (last, moment) = history
    assert snapshot_as_of(table, second - timedelta(milliseconds=1)) == first
    day = (moment + timedelta(days=1)).date()
    assert snapshot_as_of(table, day) == snapshot_as_of(table, day.isoformat()) == last


@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        (12345, "has no snapshot 12345"),
        ("123456789012", "has no snapshot 123456789012"),
        ("2001-01-01", "no snapshot as old as 2001-01-01T00:00:00\\+00:00"),
        ("yesterday", "'yesterday' is neither"),
        ("", "'' is neither"),
    ],
)
def test_what_is_no_snapshot_is_refused(table: Table, as_of: str | int, said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        snapshot_as_of(table, as_of)
    assert refused.value.hint
