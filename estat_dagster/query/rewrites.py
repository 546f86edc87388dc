"""What each of Athena's functions becomes on DuckDB: itself, another name, a macro of ours, or a rewritten call.

A function that is allowed (`functions`) and is not here has no like on DuckDB: the embedded engine says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query import formats, lambdas, texts
from estat_dagster.query.calls import call, cast, macro, text_of, unavailable
from estat_dagster.query.macros import MACROS

SAME = """
    abs acos any_value array_agg asin atan atan2 bool_and bool_or cbrt chr coalesce concat_ws corr cos cosh
    count count_if covar_pop covar_samp cume_dist day degrees dense_rank exp first_value flatten from_base64
    geometric_mean grouping histogram hour kurtosis lag last_value lead length ln log log10 log2 lower map
    map_concat map_entries map_from_entries map_keys map_values max min minute mod month now nth_value ntile
    nullif percent_rank pi pow power quarter radians rank regexp_extract_all regr_intercept regr_slope reverse
    row row_number second sin sinh sqrt starts_with stddev stddev_pop stddev_samp strpos sum tan tanh
    to_base64 translate try upper uuid var_pop var_samp variance week year
"""

RENAMED = {
    "arbitrary": "any_value",
    "bitwise_and_agg": "bit_and",
    "bitwise_or_agg": "bit_or",
    "bitwise_xor": "xor",
    "cardinality": "len",
    "codepoint": "unicode",
    "day_of_month": "day",
    "day_of_week": "isodow",
    "day_of_year": "dayofyear",
    "dow": "isodow",
    "doy": "dayofyear",
    "every": "bool_and",
    "filter": "list_filter",
    "from_hex": "unhex",
    "from_unixtime": "to_timestamp",
    "from_utf8": "decode",
    "is_finite": "isfinite",
    "is_infinite": "isinf",
    "is_nan": "isnan",
    "json_parse": "json",
    "last_day_of_month": "last_day",
    "regexp_like": "regexp_matches",
    "regexp_split": "regexp_split_to_array",
    "to_hex": "hex",
    "to_unixtime": "epoch",
    "to_utf8": "encode",
    "transform": "list_transform",
    "week_of_year": "week",
    "year_of_week": "isoyear",
    "yow": "isoyear",
    "zip": "list_zip",
}

_BRACKETED = re.compile(r'\["([^"\\]*)"\]')
_SAME = frozenset(SAME.split())
_UNITS = {
    "millisecond": "to_milliseconds",
    "second": "to_seconds",
    "minute": "to_minutes",
    "hour": "to_hours",
    "day": "to_days",
    "week": "to_weeks",
    "month": "to_months",
    "quarter": "to_quarters",
    "year": "to_years",
}


def rewrite(function: exp.Anonymous) -> exp.Expr:
    """Return what a call of an Athena function is on DuckDB.

    Raises:
        ValidationError: DuckDB has nothing that means the same.
    """
    name = function.name.lower()
    arguments = function.expressions
    if name in _REWRITTEN:
        return _REWRITTEN[name](*_checked(name, arguments))
    if name in MACROS:
        return macro(name, *arguments)
    if name in _SAME or name in RENAMED:
        return call(RENAMED.get(name, name), *arguments)
    raise unavailable(f"The function {name}", _INSTEAD.get(name, ""))


def is_available(name: str) -> bool:
    """Say whether the embedded engine has a function of Athena's, by its name."""
    elsewhere = "at_timezone avg from_iso8601_timestamp if listagg map_agg multimap_agg with_timezone"
    return name in _REWRITTEN or name in MACROS or name in _SAME or name in RENAMED or name in elsewhere.split()


def _checked(name: str, arguments: list[exp.Expr]) -> list[exp.Expr]:
    fewest, most = _ARITIES.get(name, (2, 2))
    if not fewest <= len(arguments) <= most:
        raise unavailable(f"{name} with {len(arguments)} arguments")
    return arguments


def _approx_distinct(value: exp.Expr, _error: exp.Expr | None = None) -> exp.Expr:
    return call("approx_count_distinct", value)


def _approx_percentile(value: exp.Expr, percentage: exp.Expr) -> exp.Expr:
    return call("approx_quantile", value, percentage)


def _concat(*values: exp.Expr) -> exp.Expr:
    joined, *rest = (value.copy() for value in values)
    for value in rest:
        joined = exp.DPipe(this=joined, expression=value)
    texts.check(list(joined.flatten()) if rest else [])
    return exp.Paren(this=joined)


def _date(value: exp.Expr) -> exp.Expr:
    return macro("date", value)


def _date_add(unit: exp.Expr, number: exp.Expr, value: exp.Expr) -> exp.Expr:
    return macro("plus", value, call(_UNITS[_unit(unit)], number))


def _date_diff(unit: exp.Expr, first: exp.Expr, second: exp.Expr) -> exp.Expr:
    return call("datesub", exp.Literal.string(_unit(unit)), first, second)


def _date_trunc(unit: exp.Expr, value: exp.Expr) -> exp.Expr:
    return macro("date_trunc", exp.Literal.string(_unit(unit)), value)


def _unit(argument: exp.Expr) -> str:
    unit = text_of(argument, "A date function").lower()
    if unit not in _UNITS:
        raise ValidationError(f"{unit!r} is not a unit of time.", hint=f"Units: {', '.join(_UNITS)}.")
    return unit


def _extreme(name: str) -> Callable[..., exp.Expr]:
    def build(value: exp.Expr, by: exp.Expr, number: exp.Expr | None = None) -> exp.Expr:
        return call(f"{name}_null", value, by) if number is None else call(name, value, by, number)

    return build


def _list_of(name: str) -> Callable[..., exp.Expr]:
    return lambda *values: macro(name, exp.Array(expressions=list(values)))


def _normalize(value: exp.Expr, form: exp.Expr | None = None) -> exp.Expr:
    if form is not None and form.name.upper() != "NFC":
        raise unavailable(f"normalize to {form.name}")
    return call("nfc_normalize", value)


def _json_path(name: str) -> Callable[..., exp.Expr]:
    def build(value: exp.Expr, path: exp.Expr) -> exp.Expr:
        if isinstance(path, exp.Literal) and path.is_string:
            path = exp.Literal.string(_BRACKETED.sub(r'."\1"', path.name))
        return macro(name, value, path)

    return build


def _random(*bounds: exp.Expr) -> exp.Expr:
    if not bounds:
        return call("random")
    low, high = bounds if len(bounds) == 2 else (exp.Literal.number(0), bounds[0])
    return macro("random", low, high)


def substr(value: exp.Expr, *where: exp.Expr) -> exp.Expr:
    """Return a part of a text. A start of 0 or before the text gives nothing on Athena, and not so on DuckDB."""
    plain = all(isinstance(part, exp.Literal) and part.this.isdecimal() and int(part.this) > 0 for part in where)
    return call("substr", value, *where) if plain else macro("substr", value, *where)


def _replace(value: exp.Expr, old: exp.Expr, new: exp.Expr | None = None) -> exp.Expr:
    """Return `replace`, whose length has to be looked at only where what is put in is not known to be shorter."""
    literals = [part.name for part in (old, new) if isinstance(part, exp.Literal) and part.is_string]
    shrinks = len(literals) == 2 and len(literals[1].encode()) <= len(literals[0].encode())
    parts = [part for part in (value, old, new) if part]
    return call("replace", *parts) if shrinks else macro("replace", *parts)


def _sequence(first: exp.Expr, last: exp.Expr, step: exp.Expr | None = None) -> exp.Expr:
    if step is None and isinstance(first, exp.Cast) and first.to.this == exp.DType.DATE:
        step = exp.Interval(this=exp.Literal.string("1"), unit=exp.Var(this="DAY"))
    return macro("sequence", *(part for part in (first, last, step) if part))


_INSTEAD = {
    "format_number": "Write format('%.1fK', x / 1e3).",
    "json_exists": "Write json_extract(j, '$.a') IS NOT NULL.",
}
_MANY = 1_000  # DuckDB knows no bound
_REWRITTEN: dict[str, Callable[..., exp.Expr]] = {
    "all_match": lambdas.array_predicate("all_true"),
    "any_match": lambdas.array_predicate("any_true"),
    "approx_distinct": _approx_distinct,
    "approx_percentile": _approx_percentile,
    "ceiling": lambda value: macro("ceil", value),
    "concat": _concat,
    "current_timestamp": lambda *_: call("now"),
    "date": _date,
    "date_add": _date_add,
    "date_diff": _date_diff,
    "date_format": formats.date_format,
    "date_parse": formats.date_parse,
    "date_trunc": _date_trunc,
    "element_at": lambda array, index: macro("at", array, index),
    "format": formats.printf,
    "format_datetime": formats.format_datetime,
    "from_iso8601_date": _date,
    "greatest": _list_of("greatest"),
    "localtimestamp": lambda *_: cast(call("now"), exp.DType.TIMESTAMP),
    "json_extract": _json_path("json_extract"),
    "json_extract_scalar": _json_path("json_extract_scalar"),
    "json_format": lambda value: cast(value, exp.DType.VARCHAR),
    "least": _list_of("least"),
    "map_filter": lambdas.map_of("map_filter"),
    "max_by": _extreme("arg_max"),
    "min_by": _extreme("arg_min"),
    "none_match": lambdas.none_match,
    "normalize": _normalize,
    "parse_datetime": formats.parse_datetime,
    "rand": _random,
    "random": _random,
    "reduce": lambdas.reduce,
    "replace": _replace,
    "sequence": _sequence,
    "substr": substr,
    "substring": substr,
    "transform_keys": lambdas.map_of("transform_keys"),
    "transform_values": lambdas.map_of("transform_values"),
    "zip_with": lambdas.zip_with,
}
_ARITIES = {
    "approx_distinct": (1, 2),
    "ceiling": (1, 1),
    "concat": (2, _MANY),
    "current_timestamp": (1, 1),
    "date": (1, 1),
    "date_add": (3, 3),
    "date_diff": (3, 3),
    "format": (1, _MANY),
    "from_iso8601_date": (1, 1),
    "greatest": (1, _MANY),
    "json_format": (1, 1),
    "least": (1, _MANY),
    "localtimestamp": (1, 1),
    "max_by": (2, 3),
    "min_by": (2, 3),
    "normalize": (1, 2),
    "rand": (0, 2),
    "random": (0, 2),
    "reduce": (4, 4),
    "replace": (2, 3),
    "sequence": (2, 3),
    "substr": (2, 3),
    "substring": (2, 3),
    "zip_with": (3, 3),
}
