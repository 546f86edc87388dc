"""Macros for numbers, comparisons and casts; see `macros`."""

from __future__ import annotations

FAILED = "refused: "
"""How the words of an error begin that a macro makes; DuckDB writes others around them."""

_WHOLE = """CASE typeof(x)
    WHEN 'VARCHAR' THEN CAST(trino_whole_text(CAST(x AS VARCHAR)) AS HUGEINT)
    WHEN 'DOUBLE' THEN CAST(round(CAST(x AS DOUBLE)) AS HUGEINT)
    WHEN 'FLOAT' THEN CAST(round(CAST(x AS DOUBLE)) AS HUGEINT)
    ELSE CAST(x AS HUGEINT) END"""
_TYPED = """CASE typeof(x)
    WHEN 'VARCHAR' THEN CAST(trino_{text}(CAST(x AS VARCHAR)) AS {kind})
    ELSE CAST(x AS {kind}) END"""
_CHECKED = """CASE typeof(x)
    WHEN 'VARCHAR' THEN cast_to_type(trino_{text}(CAST(x AS VARCHAR)), x)
    ELSE x END"""
_REAL = """CASE typeof(x)
    WHEN 'VARCHAR' THEN CAST(trino_real_text(CAST(x AS VARCHAR)) AS DOUBLE)
    ELSE CAST(x AS DOUBLE) END"""

VALUES: dict[str, tuple[tuple[str, str], ...]] = {
    # Arithmetic. `//` divides whole numbers to whole numbers and others as `/` does, but for a divisor of 0: there a
    # floating-point quotient is infinite, and its cast to a whole number the error. A quotient of decimals is rounded
    # to the larger scale. What stands second in cast_to_type only tells the type, and is not computed.
    "divide": (
        (
            "a, b",
            "cast_to_type(CASE WHEN b = 0 AND trino_decimals(a, b) THEN trino_fail('Division by zero') "
            "WHEN b = 0 THEN cast_to_type(a / b, a // b) "
            "WHEN trino_decimals(a, b) THEN round(a // b, greatest(trino_scale(typeof(a)), trino_scale(typeof(b)))) "
            "ELSE a // b END, (a + b) * 1)",
        ),
    ),
    "decimals": (
        (
            "a, b",
            "(typeof(a) LIKE 'DECIMAL%' OR typeof(b) LIKE 'DECIMAL%') "
            "AND typeof(a) NOT IN ('DOUBLE', 'FLOAT') AND typeof(b) NOT IN ('DOUBLE', 'FLOAT')",
        ),
    ),
    "round": (("x", "round(x)"), ("x, n", "cast_to_type(round(x, n), x + x)")),
    "truncate": (("x", "trunc(x)"), ("x, n", "cast_to_type(trunc(x, n), x + x)")),
    "bitwise_and": (("a, b", "a & b"),),
    "bitwise_left_shift": (("a, b", "a << b"),),
    "bitwise_not": (("a", "~a"),),
    "bitwise_or": (("a, b", "a | b"),),
    "bitwise_right_shift": (  # the sign moves with the other bits
        (
            "a, b",
            "CASE WHEN a >= 0 OR b = 0 THEN a >> b ELSE cast_to_type((CAST(a AS HUGEINT) + CASE typeof(a) "
            "WHEN 'TINYINT' THEN 256 WHEN 'SMALLINT' THEN 65536 WHEN 'INTEGER' THEN 4294967296 "
            "ELSE 18446744073709551616 END) >> b, a) END",
        ),
    ),
    # DuckDB makes doubles of whole numbers here; what round makes of them has the type that Athena gives.
    "ceil": (("x", "cast_to_type(ceil(x), round(x))"),),
    "floor": (("x", "cast_to_type(floor(x), round(x))"),),
    "sign": (("x", "cast_to_type(CASE WHEN trino_is_nan(x) THEN x ELSE sign(x) END, round(x))"),),
    "mean": (  # of decimals it is rounded to their scale
        (
            "x, least",
            "cast_to_type(CASE WHEN typeof(least) LIKE 'DECIMAL%' "
            "THEN round(x, trino_scale(typeof(least))) ELSE x END, least)",
        ),
    ),
    "scale": (("t", r"CAST(coalesce(nullif(regexp_extract(t, ',(\d+)\)', 1), ''), '0') AS INTEGER)"),),
    # Comparisons. NaN is neither equal to, above nor below anything.
    "is_nan": (("x", "typeof(x) IN ('DOUBLE', 'FLOAT') AND isnan(TRY_CAST(x AS DOUBLE))"),),
    "unlike": (
        (
            "a, b",
            """typeof(a) <> '"NULL"' AND typeof(b) <> '"NULL"' AND """
            "((typeof(a) = 'VARCHAR') <> (typeof(b) = 'VARCHAR') "
            "OR (typeof(a) = 'BOOLEAN') <> (typeof(b) = 'BOOLEAN'))",
        ),
    ),
    "mismatch": (("a, b", "trino_fail('cannot compare ' || lower(typeof(a)) || ' with ' || lower(typeof(b)))"),),
    "comparable": (("a, b", "CASE WHEN trino_unlike(a, b) THEN trino_mismatch(a, b) ELSE true END"),),
    "alike": (("a, b", "CASE WHEN trino_unlike(a, b) THEN trino_mismatch(a, b) ELSE a END"),),
    "eq": (("a, b", "CASE WHEN trino_unlike(a, b) THEN trino_mismatch(a, b) ELSE a = b AND NOT trino_is_nan(a) END"),),
    "ne": (("a, b", "CASE WHEN trino_unlike(a, b) THEN trino_mismatch(a, b) ELSE a <> b OR trino_is_nan(a) END"),),
    "gt": (("a, b", "CASE WHEN trino_unlike(a, b) THEN trino_mismatch(a, b) ELSE a > b AND NOT trino_is_nan(a) END"),),
    "ge": (("a, b", "CASE WHEN trino_unlike(a, b) THEN trino_mismatch(a, b) ELSE a >= b AND NOT trino_is_nan(a) END"),),
    # DuckDB's own error() may not stand where windows are ordered, and keeps conditions from its readers of Parquet.
    "fail": (("what", f"""CAST(CAST('{FAILED}' || what AS INTEGER) AS "NULL")"""),),
    "e": (("", "exp(1.0)"),),
    "infinity": (("", "CAST('Infinity' AS DOUBLE)"),),
    "nan": (("", "CAST('NaN' AS DOUBLE)"),),
    "random": (("low, high", "cast_to_type(low + floor(random() * (high - low)), high)"),),
    "to_base": (("x, b", "lower(to_base(x, b))"),),
    "width_bucket": (
        (
            "x, low, high, n",
            "CAST(CASE WHEN low < high AND x < low OR low > high AND x > low THEN 0 "
            "WHEN low < high AND x >= high OR low > high AND x <= high THEN n + 1 "
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
    "decimal_text": (
        (
            "x",
            r"CASE WHEN regexp_full_match(x, '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?') "
            "THEN x ELSE '''' || x || '''' END",
        ),
    ),
    "decimal_source": (("x", _CHECKED.format(text="decimal_text")),),
    "timestamp_source": (("x", _CHECKED.format(text="timestamp_text")),),
    "date": (("x", _TYPED.format(text="date_text", kind="DATE")),),
    "try_date": (("x", _TYPED.format(text="date_text", kind="DATE").replace("CAST(", "TRY_CAST(")),),
    "date_text": (
        ("x", r"CASE WHEN regexp_full_match(x, '\s*[+-]?\d{4,}-\d\d?-\d\d?\s*') THEN x ELSE '''' || x || '''' END"),
    ),
    "timestamp_text": (
        (
            "x",
            r"CASE WHEN regexp_full_match(x, '\s*\d{4,}-\d\d?-\d\d?( \d\d?:\d\d?(:\d\d?(\.\d+)?)?)?"
            r"( [A-Za-z+-][\w/+:-]*|[+-]\d\S*|Z)?\s*') "
            "THEN x ELSE '''' || x || '''' END",
        ),
    ),
    "truth": (("x", _TYPED.format(text="truth_text", kind="BOOLEAN")),),
    "try_truth": (("x", _TYPED.format(text="truth_text", kind="BOOLEAN").replace("CAST(", "TRY_CAST(")),),
    "truth_text": (
        ("x", "CASE WHEN lower(x) IN ('true', 'false', 't', 'f', '1', '0') THEN x ELSE '''' || x || '''' END"),
    ),
    "fit": (
        (
            "x, n",
            "CASE WHEN typeof(x) = 'VARCHAR' THEN substr(CAST(x AS VARCHAR), 1, n) WHEN length(trino_text(x)) > n "
            "THEN trino_fail('a value does not fit into varchar(' || n || ')') ELSE trino_text(x) END",
        ),
    ),
    "try_fit": (
        (
            "x, n",
            "CASE WHEN typeof(x) = 'VARCHAR' THEN substr(CAST(x AS VARCHAR), 1, n) WHEN length(trino_text(x)) <= n "
            "THEN trino_text(x) END",
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
}
