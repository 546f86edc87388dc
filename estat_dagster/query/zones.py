"""Instants with a time zone: Athena takes them apart by the clocks of the zone, and compares them as instants.

DuckDB's instants have no zone. So each place where a zone comes from (`AT TIME ZONE`, a literal with one) must be used
right there: by what reads the clock (`hour`, `date_format`, CAST AS date), or by what takes the instant (comparisons,
ORDER BY, the answer's own columns). Anywhere else the zone would be lost on its way, which is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query.calls import call, macro, unavailable

_ZONED_TEXT = re.compile(r"\s*(\d{4}-\d\d?-\d\d?(?:[ T]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?)?)\s*(\S+)\s*")
_OFFSET = re.compile(r"([+-])(\d\d?)(?::?(\d\d))?")
_UTC = frozenset({"UTC", "Z", "GMT", "UT", "+00:00", "-00:00", "+0000", "+00", "-00"})
_DATE_UNITS = frozenset({"day", "week", "month", "quarter", "year"})

_CLOCK_READERS = """
    date date_format day day_of_month day_of_week day_of_year dow doy format_datetime hour last_day_of_month millisecond
    minute month quarter second week week_of_year year year_of_week yow
"""
_READS_CLOCK = frozenset(_CLOCK_READERS.split())
_TAKES_INSTANT = frozenset({"to_unixtime"})
_KEEPS_INSTANT = frozenset({"min", "max", "arbitrary", "any_value"})
_COMPARES = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.NullSafeEQ, exp.NullSafeNEQ)
_CLOCK_TYPES = frozenset({exp.DType.DATE, exp.DType.TIMESTAMP})


@dataclass(frozen=True)
class _Zoned:
    """An instant with a zone, as DuckDB's instant and as what the zone's clocks show, None where that is not known."""

    instant: exp.Expr
    clock: exp.Expr | None
    zone: exp.Expr | None = None


def resolve(tree: exp.Expr) -> None:
    """Replace every instant with a zone by what the place where it stands makes of it.

    Raises:
        ValidationError: the zone would be lost there.
    """
    for node in list(tree.walk()):
        if _attached(node, tree) and (zoned := _read(node)):
            clock = _is_read_by_clock(node)
            if clock and zoned.clock is None:
                raise unavailable("A date or clock time of an instant whose zone is not known beforehand")
            if not clock and not _is_instant(node, tree):
                raise ValidationError(
                    "A timestamp in a time zone cannot be used here in the embedded engine: the zone would be lost.",
                    hint="CAST it to timestamp, or use it at once: hour(t AT TIME ZONE 'Asia/Tokyo').",
                )
            node.replace(zoned.clock.copy() if clock and zoned.clock else zoned.instant.copy())


def _attached(node: exp.Expr, tree: exp.Expr) -> bool:
    """Say whether a node is still in the tree: those inside what was replaced are not."""
    return node.root() is tree


def _read(node: exp.Expr) -> _Zoned | None:
    match node:
        case exp.Paren():
            return _read(node.this)
        case exp.AtTimeZone():
            return _at(node.this, node.args["zone"])
        case exp.Cast() if node.to.this == exp.DType.TIMESTAMPTZ and isinstance(node.this, exp.Literal):
            return _literal(node)
        case exp.Anonymous():
            return _call(node.name.lower(), node.expressions)
        case _:
            return None


def _call(name: str, arguments: list[exp.Expr]) -> _Zoned | None:
    match name, arguments:
        case "at_timezone", [value, zone]:
            return _at(value, zone)
        case "with_timezone", [value, zone]:
            clock = exp.Cast(this=value.copy(), to=exp.DataType(this=exp.DType.TIMESTAMP))
            return _Zoned(macro("moment", clock.copy(), _zone(zone)), clock, _zone(zone))
        case "from_unixtime", [value, zone]:
            return _at(call("from_unixtime", value.copy()), zone)
        case "from_iso8601_timestamp", [value]:
            return _Zoned(macro("iso_instant", value.copy()), None)
        case "date_trunc", [unit, value] if zoned := _read(value):
            return _truncated(unit, zoned)
        case _:
            return None


def _at(value: exp.Expr, zone: exp.Expr) -> _Zoned:
    inner = _read(value)
    instant = inner.instant if inner else macro("instant", value.copy())
    return _Zoned(instant, macro("clock", instant.copy(), _zone(zone)), _zone(zone))


def _truncated(unit: exp.Expr, zoned: _Zoned) -> _Zoned:
    if zoned.clock is None or zoned.zone is None:
        raise unavailable("date_trunc of an instant whose zone is not known beforehand")
    if unit.name.lower() not in _DATE_UNITS:
        raise unavailable(f"date_trunc to the {unit.name.lower()} in a time zone")
    clock = call("date_trunc", unit.copy(), zoned.clock.copy())
    return _Zoned(macro("moment", clock.copy(), zoned.zone.copy()), clock, zoned.zone)


def _literal(node: exp.Cast) -> _Zoned | None:
    """Read `TIMESTAMP '2020-01-01 10:00:00 Asia/Tokyo'`; None if its zone is UTC, as that of all others is."""
    found = _ZONED_TEXT.fullmatch(node.this.name)
    if found is None or found[2].upper() in _UTC:
        return None
    text = exp.Literal.string(found[1].replace("T", " "))
    clock = exp.Cast(this=text, to=exp.DataType(this=exp.DType.TIMESTAMP))
    zone = _zone(exp.Literal.string(found[2]))
    return _Zoned(macro("moment", clock.copy(), zone), clock, zone)


def _zone(zone: exp.Expr) -> exp.Expr:
    """Return a zone under a name that DuckDB knows: +09:00 is Etc/GMT-9."""
    found = _OFFSET.fullmatch(zone.name) if isinstance(zone, exp.Literal) else None
    if found is None:
        return zone.copy()
    if int(found[3] or 0):
        raise unavailable(f"The time zone {zone.name}")
    return exp.Literal.string(f"Etc/GMT{'-' if found[1] == '+' else '+'}{int(found[2])}")


def _user(node: exp.Expr) -> exp.Expr | None:
    user = node.parent
    while isinstance(user, exp.Paren):
        user = user.parent
    return user


def _is_read_by_clock(node: exp.Expr) -> bool:
    match _user(node):
        case exp.Extract():
            return True
        case exp.Cast() as cast:
            return cast.to.this in _CLOCK_TYPES
        case exp.Anonymous() as user:
            return user.name.lower() in _READS_CLOCK
        case _:
            return False


def _is_instant(node: exp.Expr, tree: exp.Expr) -> bool:
    user = _user(node)
    if isinstance(user, exp.Alias):
        user = user.parent
    match user:
        case exp.Select():
            return user is tree
        case exp.Ordered() | exp.Group():
            return True
        case exp.Anonymous() if user.name.lower() in _KEEPS_INSTANT:
            return _is_instant(user, tree)
        case exp.Anonymous():
            return user.name.lower() in _TAKES_INSTANT
        case _:
            return isinstance(user, _COMPARES)
