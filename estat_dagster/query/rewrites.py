"""What each of Athena's functions becomes on DuckDB: itself, another name, a macro of ours, or a rewritten call.

A function that is allowed (`functions`) and is not here has no like on DuckDB: the embedded engine says so.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query import formats
from estat_dagster.query.calls import call, cast, macro, text_of, unavailable
from estat_dagster.query.macros import MACROS

SAME = """
    abs acos any_value array_agg asin atan atan2 avg bool_and bool_or cbrt ceil ceiling chr coalesce concat_ws
    corr cos cosh count count_if covar_pop covar_samp cume_dist day degrees dense_rank exp first_value flatten
    floor from_base64 geometric_mean grouping histogram hour kurtosis lag last_value lead length ln log log10 log2
    lower lpad ltrim map map_concat map_entries map_from_entries map_keys map_values max min minute mod month now
    nth_value ntile nullif percent_rank pi pow power quarter radians rand random rank regexp_extract_all
    regr_intercept regr_slope reverse round row row_number rpad rtrim second sign sin sinh sqrt starts_with stddev
    stddev_pop stddev_samp strpos sum tan tanh to_base64 translate trim try upper url_decode url_encode var_pop
    var_samp variance week year
"""

RENAMED = {
    "arbitrary": "any_value",
    "arrays_overlap": "list_has_any",
    "bitwise_and_agg": "bit_and",
    "bitwise_or_agg": "bit_or",
    "bitwise_xor": "xor",
    "cardinality": "len",
    "codepoint": "unicode",
    "contains": "list_contains",
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
    "hamming_distance": "hamming",
    "is_finite": "isfinite",
    "is_infinite": "isinf",
    "is_nan": "isnan",
    "json_parse": "json",
    "last_day_of_month": "last_day",
    "levenshtein_distance": "levenshtein",
    "regexp_like": "regexp_matches",
    "regexp_split": "regexp_split_to_array",
    "split": "str_split",
    "to_hex": "hex",
    "to_unixtime": "epoch",
    "to_utf8": "encode",
    "transform": "list_transform",
    "truncate": "trunc",
    "week_of_year": "week",
    "year_of_week": "isoyear",
    "yow": "isoyear",
    "zip": "list_zip",
}

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
    raise unavailable(f"The function {name}")


def _checked(name: str, arguments: list[exp.Expr]) -> list[exp.Expr]:
    fewest, most = _ARITIES.get(name, (2, 2))
    if not fewest <= len(arguments) <= most:
        raise unavailable(f"{name} with {len(arguments)} arguments")
    return arguments


def _approx_distinct(value: exp.Expr, _error: exp.Expr | None = None) -> exp.Expr:
    return call("approx_count_distinct", value)


def _approx_percentile(value: exp.Expr, percentage: exp.Expr) -> exp.Expr:
    return call("approx_quantile", value, percentage)


def _array_predicate(aggregate: str, empty: bool) -> Callable[..., exp.Expr]:
    def build(array: exp.Expr, condition: exp.Expr) -> exp.Expr:
        found = call(aggregate, call("list_transform", array, condition))
        return call("coalesce", found, exp.Boolean(this=empty))

    return build


def _none_match(array: exp.Expr, condition: exp.Expr) -> exp.Expr:
    return exp.Not(this=_array_predicate("list_bool_or", False)(array, condition))


def _concat(*values: exp.Expr) -> exp.Expr:
    joined, *rest = values
    for value in rest:
        joined = exp.DPipe(this=joined, expression=value)
    return exp.Paren(this=joined)


def _date(value: exp.Expr) -> exp.Expr:
    return cast(value, exp.DType.DATE)


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


def _reduce(array: exp.Expr, start: exp.Expr, step: exp.Expr, finish: exp.Expr) -> exp.Expr:
    reduced = call("list_reduce", array, step, start)
    if isinstance(finish, exp.Lambda) and finish.this.sql() == finish.expressions[0].sql():
        return reduced
    return macro("at", call("list_transform", exp.Array(expressions=[reduced]), finish), exp.Literal.number(1))


def substr(value: exp.Expr, *where: exp.Expr) -> exp.Expr:
    """Return a part of a text. A start of 0 or before the text gives nothing on Athena, and not so on DuckDB."""
    plain = all(isinstance(part, exp.Literal) and part.this.isdecimal() and int(part.this) > 0 for part in where)
    return call("substr", value, *where) if plain else macro("substr", value, *where)


def at_timezone(value: exp.Expr, zone: exp.Expr) -> exp.Expr:
    """Return an instant as the clocks of a time zone show it."""
    return call("timezone", zone, cast(value, exp.DType.TIMESTAMPTZ))


def _with_timezone(value: exp.Expr, zone: exp.Expr) -> exp.Expr:
    return call("timezone", zone, cast(value, exp.DType.TIMESTAMP))


def _sequence(first: exp.Expr, last: exp.Expr, step: exp.Expr | None = None) -> exp.Expr:
    if step is None and isinstance(first, exp.Cast) and first.to.this == exp.DType.DATE:
        step = exp.Interval(this=exp.Literal.string("1"), unit=exp.Var(this="DAY"))
    return macro("sequence", *(part for part in (first, last, step) if part))


_MANY = 1_000  # DuckDB knows no bound
_REWRITTEN: dict[str, Callable[..., exp.Expr]] = {
    "all_match": _array_predicate("list_bool_and", True),
    "any_match": _array_predicate("list_bool_or", False),
    "approx_distinct": _approx_distinct,
    "approx_percentile": _approx_percentile,
    "at_timezone": at_timezone,
    "concat": _concat,
    "date": _date,
    "date_add": _date_add,
    "date_diff": _date_diff,
    "date_format": formats.date_format,
    "date_parse": formats.date_parse,
    "date_trunc": _date_trunc,
    "element_at": lambda array, index: macro("at", array, index),
    "format": formats.printf,
    "from_iso8601_date": _date,
    "greatest": _list_of("greatest"),
    "json_format": lambda value: cast(value, exp.DType.VARCHAR),
    "least": _list_of("least"),
    "max_by": _extreme("arg_max"),
    "min_by": _extreme("arg_min"),
    "none_match": _none_match,
    "normalize": _normalize,
    "reduce": _reduce,
    "sequence": _sequence,
    "substr": substr,
    "substring": substr,
    "with_timezone": _with_timezone,
}
_ARITIES = {
    "approx_distinct": (1, 2),
    "concat": (2, _MANY),
    "date": (1, 1),
    "date_add": (3, 3),
    "date_diff": (3, 3),
    "format": (1, _MANY),
    "from_iso8601_date": (1, 1),
    "greatest": (1, _MANY),
    "json_format": (1, 1),
    "least": (1, _MANY),
    "max_by": (2, 3),
    "min_by": (2, 3),
    "normalize": (1, 2),
    "reduce": (4, 4),
    "sequence": (2, 3),
    "substr": (2, 3),
    "substring": (2, 3),
}
