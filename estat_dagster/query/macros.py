r"""Athena's functions that DuckDB lacks or means otherwise, as DuckDB macros: `trino_substr(...)` for `substr(...)`.

Which function becomes which macro is said in `rewrites`. A macro may have several bodies, for different numbers of
arguments. DuckDB could choose among bodies by type too, but does not know the type of an aggregate at that point and
takes the wrong one: what depends on a type asks `typeof`, which is folded away before the query runs. The parameters of
lambdas begin with the prefix too: an argument that names a column `x` must not meet a lambda's `x`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

PREFIX = "trino_"

_WHOLE = """CASE typeof(x)
    WHEN 'VARCHAR' THEN CAST(trino_whole_text(CAST(x AS VARCHAR)) AS HUGEINT)
    WHEN 'DOUBLE' THEN CAST(round(CAST(x AS DOUBLE)) AS HUGEINT)
    WHEN 'FLOAT' THEN CAST(round(CAST(x AS DOUBLE)) AS HUGEINT)
    ELSE CAST(x AS HUGEINT) END"""
_REAL = """CASE typeof(x)
    WHEN 'VARCHAR' THEN CAST(trino_real_text(CAST(x AS VARCHAR)) AS DOUBLE)
    ELSE CAST(x AS DOUBLE) END"""

MACROS: dict[str, tuple[tuple[str, str], ...]] = {
    # Arithmetic. `//` divides whole numbers to whole numbers and others as `/` does, but for a divisor of 0: there a
    # floating-point quotient is infinite, and its cast to a whole number the error. Decimals keep the larger scale.
    "divide": (("a, b", "CASE WHEN b = 0 THEN cast_to_type(a / b, a // b) ELSE a // b END"),),
    "divide_decimals": (
        (
            "a, b, s",
            "CASE WHEN typeof(a) IN ('DOUBLE', 'FLOAT') OR typeof(b) IN ('DOUBLE', 'FLOAT') THEN CAST(a AS DOUBLE) / b "
            "ELSE round(a // b, s) END",
        ),
    ),
    "bitwise_and": (("a, b", "a & b"),),
    "bitwise_left_shift": (("a, b", "a << b"),),
    "bitwise_not": (("a", "~a"),),
    "bitwise_or": (("a, b", "a | b"),),
    "bitwise_right_shift": (("a, b", "a >> b"),),
    "e": (("", "exp(1.0)"),),
    "infinity": (("", "CAST('Infinity' AS DOUBLE)"),),
    "nan": (("", "CAST('NaN' AS DOUBLE)"),),
    "to_base": (("x, b", "lower(to_base(x, b))"),),
    "width_bucket": (
        (
            "x, low, high, n",
            "CAST(CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1 "
            "ELSE floor(CAST(x - low AS DOUBLE) / (high - low) * n) + 1 END AS BIGINT)",
        ),
    ),
    # The NULL of any argument is the NULL of the answer.
    "greatest": (
        (
            "list",
            "list_transform([list], lambda trino_x: CASE WHEN list_count(trino_x) < len(trino_x) THEN NULL "
            "ELSE list_max(trino_x) END)[1]",
        ),
    ),
    "least": (
        (
            "list",
            "list_transform([list], lambda trino_x: CASE WHEN list_count(trino_x) < len(trino_x) THEN NULL "
            "ELSE list_min(trino_x) END)[1]",
        ),
    ),
    # Casts. A text that is not a number is put in quotes, so that DuckDB, which is more lenient, cannot read it as one.
    "whole": (("x", _WHOLE),),
    "try_whole": (("x", _WHOLE.replace("CAST(", "TRY_CAST(")),),
    "whole_text": (("x", r"CASE WHEN regexp_full_match(x, '[+-]?\d+') THEN x ELSE '''' || x || '''' END"),),
    "real": (("x", _REAL),),
    "try_real": (("x", _REAL.replace("CAST(", "TRY_CAST(")),),
    "real_text": (
        (
            "x",
            r"CASE WHEN regexp_full_match(x, '\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity)\s*') "
            "THEN x ELSE '''' || x || '''' END",
        ),
    ),
    "text": (
        (
            "x",
            "CASE typeof(x) WHEN 'DOUBLE' THEN "
            "trino_double_text(CAST(x AS VARCHAR), TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE)) "
            "WHEN 'JSON' THEN json_extract_string(CAST(x AS VARCHAR), '$') "
            "WHEN 'TIMESTAMP WITH TIME ZONE' THEN "
            "strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S.%f UTC') "
            "ELSE CAST(x AS VARCHAR) END",
        ),
    ),
    "double_text": (
        (
            "s, v",
            "CASE WHEN isnan(v) THEN 'NaN' WHEN isinf(v) THEN replace(s, 'inf', 'Infinity') "
            "WHEN v = 0 THEN replace(s, '0.0', '0E0') ELSE trino_scientific(s, trino_digits(s)) END",
        ),
    ),
    "digits": (("s", "rtrim(ltrim(regexp_replace(regexp_replace(s, 'e.*', ''), '[-.]', '', 'g'), '0'), '0')"),),
    "exponent": (
        (
            "s",
            "CASE WHEN contains(s, 'e') THEN TRY_CAST(split_part(s, 'e', 2) AS INTEGER) "
            r"WHEN regexp_matches(s, '^-?0\.') THEN -1 - length(regexp_extract(s, '\.(0*)', 1)) "
            "ELSE length(split_part(ltrim(s, '-'), '.', 1)) - 1 END",
        ),
    ),
    "scientific": (
        (
            "s, d",
            "CASE WHEN starts_with(s, '-') THEN '-' ELSE '' END || d[1] || '.' || "
            "CASE WHEN length(d) > 1 THEN d[2:] ELSE '0' END || 'E' || CAST(trino_exponent(s) AS VARCHAR)",
        ),
    ),
    # Text.
    "regexp_count": (("s, p", "len(regexp_extract_all(s, p))"),),
    "regexp_extract": (
        ("s, p", "CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, 0) END"),
        ("s, p, g", "CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END"),
    ),
    "regexp_replace": (
        ("s, p", "regexp_replace(s, p, '', 'g')"),
        ("s, p, r", r"regexp_replace(s, p, regexp_replace(r, '\$(\d)', '\\\1', 'g'), 'g')"),
    ),
    "replace": (("s, a", "replace(s, a, '')"), ("s, a, b", "replace(s, a, b)")),
    "split_part": (("s, d, i", "list_extract(str_split(s, d), i)"),),
    "substr": (
        ("s, i", "CASE WHEN i = 0 OR i < -length(s) THEN '' ELSE substr(s, i) END"),
        ("s, i, n", "CASE WHEN i = 0 OR i < -length(s) OR n <= 0 THEN '' ELSE substr(s, i, n) END"),
    ),
    # Bytes.
    "md5": (("x", "unhex(md5(x))"),),
    "sha1": (("x", "unhex(sha1(x))"),),
    "sha256": (("x", "unhex(sha256(x))"),),
    # Dates and times. DuckDB makes timestamps of dates here; Athena keeps dates.
    "date_trunc": (("unit, t", "cast_to_type(date_trunc(unit, t), t)"),),
    "plus": (("t, i", "cast_to_type(t + i, t)"),),
    "minus": (("t, i", "cast_to_type(t - i, t)"),),
    "millisecond": (("t", "millisecond(t) % 1000"),),
    "to_iso8601": (
        (
            "t",
            "CASE typeof(t) WHEN 'DATE' THEN strftime(t, '%Y-%m-%d') "
            "WHEN 'TIMESTAMP WITH TIME ZONE' THEN strftime(t, '%Y-%m-%dT%H:%M:%S.%gZ') "
            "ELSE strftime(t, '%Y-%m-%dT%H:%M:%S.%g') END",
        ),
    ),
    # JSON. What is not JSON is NULL, and so is an object where a scalar is asked for. Only inside a lambda may TRY be
    # applied to an aggregate.
    "json_array_length": (
        ("j", "list_transform([j], lambda trino_x: TRY(CAST(json_array_length(trino_x) AS BIGINT)))[1]"),
    ),
    "json_extract": (("j, path", "list_transform([j], lambda trino_x: TRY(json_extract(trino_x, path)))[1]"),),
    "json_extract_scalar": (
        (
            "j, path",
            "list_transform([trino_json_extract(j, path)], lambda trino_x: "
            "CASE WHEN json_type(trino_x) NOT IN ('OBJECT', 'ARRAY', 'NULL') "
            "THEN json_extract_string(trino_x, '$') END)[1]",
        ),
    ),
    # Arrays.
    "array_distinct": (("a", "list_filter(a, lambda trino_x, trino_i: list_position(a, trino_x) = trino_i)"),),
    "array_except": (("a, b", "list_filter(trino_array_distinct(a), lambda trino_x: NOT list_contains(b, trino_x))"),),
    "array_intersect": (("a, b", "list_filter(trino_array_distinct(a), lambda trino_x: list_contains(b, trino_x))"),),
    "array_join": (
        ("a, d", "array_to_string(list_transform(a, lambda trino_x: trino_text(trino_x)), d)"),
        ("a, d, n", "array_to_string(list_transform(a, lambda trino_x: coalesce(trino_text(trino_x), n)), d)"),
    ),
    "array_max": (("a", "CASE WHEN list_count(a) = len(a) THEN list_max(a) END"),),
    "array_min": (("a", "CASE WHEN list_count(a) = len(a) THEN list_min(a) END"),),
    "array_position": (("a, v", "CAST(coalesce(list_position(a, v), 0) AS BIGINT)"),),
    "array_remove": (("a, v", "list_filter(a, lambda trino_x: trino_x IS DISTINCT FROM v)"),),
    "array_sort": (("a", "list_sort(a, 'ASC', 'NULLS LAST')"),),
    "array_union": (("a, b", "trino_array_distinct(list_concat(a, b))"),),
    "at": (("a, i", "a[i]"),),
    "repeat": (("x, n", "list_transform(range(n), lambda trino_i: x)"),),
    "sequence": (
        ("a, b", "generate_series(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END)"),
        ("a, b, step", "cast_to_type(generate_series(a, b, step), [a])"),
    ),
    "slice": (
        ("a, i, n", "CASE WHEN i < 0 THEN array_slice(a, len(a) + i + 1, len(a) + i + n) ELSE a[i:i + n - 1] END"),
    ),
}

_CALL = re.compile(PREFIX + r"(\w+)\(")


def creation_sql(names: Iterable[str]) -> list[str]:
    """Return the statements that create these macros and those that they call, the called ones first."""
    needed: dict[str, None] = {}

    def need(name: str) -> None:
        for called in _calls(name):
            need(called)
        needed[name] = None

    for name in names:
        need(name)
    return [
        f"CREATE MACRO {PREFIX}{name}" + ", ".join(f"({p}) AS {body}" for p, body in MACROS[name]) for name in needed
    ]


@cache
def growth(name: str) -> int:
    """Return how often a macro writes the argument that it writes most: calls inside calls multiply."""
    inner = max((growth(called) for called in _calls(name)), default=1)
    return inner * max(
        (
            len(re.findall(rf"\b{parameter}\b", body))
            for parameters, body in MACROS[name]
            for parameter in re.findall(r"\b[a-z]+\b", parameters)
        ),
        default=1,
    )


def _calls(name: str) -> set[str]:
    return {called for _, body in MACROS[name] for called in _CALL.findall(body)}
