"""Macros for texts, bytes, dates and JSON; see `macros`."""

from __future__ import annotations

MOST_LENGTH = 10_000
"""Characters of what `lpad` and `rpad` make."""
MOST_REPLACED = 200_000
"""Bytes by which `replace` and `regexp_replace` may make a text longer."""
MOST_AGGREGATED = 1_048_576
"""Bytes of what `listagg` makes, as on Athena."""
# What Java calls whitespace.
_SPACES = (
    "' \t\n\v\f\r\x1c\x1d\x1e\x1f\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a"
    "\u2028\u2029\u205f\u3000'"
)

TEXTS: dict[str, tuple[tuple[str, str], ...]] = {
    # Text.
    "regexp_count": (("s, p", "len(regexp_extract_all(s, p))"),),
    "regexp_extract": (
        ("s, p", "CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, 0) END"),
        ("s, p, g", "list_extract(regexp_extract_all(s, p, g), 1)"),  # NULL for a group that took no part
    ),
    "regexp_replace": (
        ("s, p", "regexp_replace(s, p, '', 'g')"),
        (
            "s, p, r",
            r"regexp_replace(trino_short_with(s, r), p, regexp_replace(r, '\$(\d)', '\\\1', 'g'), 'g')",
        ),
    ),
    "short_with": (  # as an argument: what a CASE chooses among, DuckDB may compute before it chooses
        (
            "s, r",
            f"CASE WHEN strlen(s) * strlen(r) > {MOST_REPLACED} THEN trino_fail('the lengths of the texts of "
            f"regexp_replace multiply to {MOST_REPLACED:,} at most') ELSE s END",
        ),
    ),
    "replace": (
        ("s, a", "replace(s, a, '')"),
        (
            "s, a, b",
            "list_transform([{'text': s, 'old': a, 'new': b}], lambda trino_x: "
            "CASE WHEN strlen(trino_x.new) > strlen(trino_x.old) "
            f"AND strlen(trino_x.text) * strlen(trino_x.new) > {MOST_REPLACED} "
            "AND CASE WHEN trino_x.old = '' THEN length(trino_x.text) + 1 "
            "ELSE (strlen(trino_x.text) - strlen(replace(trino_x.text, trino_x.old, ''))) // strlen(trino_x.old) END "
            f"* (strlen(trino_x.new) - strlen(trino_x.old)) > {MOST_REPLACED} "
            f"THEN trino_fail('replace makes a text longer by {MOST_REPLACED:,} bytes at most') "
            # Nothing is found before every character, and at the end.
            "WHEN trino_x.old = '' AND trino_x.text = '' THEN trino_x.new WHEN trino_x.old = '' "
            "THEN trino_x.new || array_to_string(list_transform(str_split(trino_x.text, ''), "
            "lambda trino_c: trino_c || trino_x.new), '') "
            "ELSE replace(trino_x.text, trino_x.old, trino_x.new) END)[1]",
        ),
    ),
    "split": (
        ("s, d", "str_split(s, d)"),
        (
            "s, d, n",
            "list_transform([str_split(s, d)], lambda trino_x: CASE WHEN len(trino_x) <= n THEN trino_x "
            "ELSE list_append(trino_x[:n - 1], array_to_string(trino_x[n:], d)) END)[1]",
        ),
    ),
    "split_part": (
        (
            "s, d, i",
            "list_extract(str_split(s, d), CASE WHEN i < 1 THEN trino_fail('split_part has no part ' || i) ELSE i END)",
        ),
    ),
    "trim": (("s", f"trim(s, {_SPACES})"), ("s, c", "trim(s, c)")),
    "ltrim": (("s", f"ltrim(s, {_SPACES})"), ("s, c", "ltrim(s, c)")),
    "rtrim": (("s", f"rtrim(s, {_SPACES})"), ("s, c", "rtrim(s, c)")),
    "textual": (
        (
            "x",
            """CASE WHEN typeof(x) IN ('VARCHAR', '"NULL"') OR typeof(x) LIKE '%[]' THEN x """
            "ELSE trino_fail('a text and a value of ' || lower(typeof(x)) || ' cannot be joined') END",
        ),
    ),
    "aggregated": (
        (
            "s",
            f"list_transform([s], lambda trino_x: CASE WHEN strlen(trino_x) > {MOST_AGGREGATED} "
            f"THEN trino_fail('listagg gives more than {MOST_AGGREGATED:,} bytes') ELSE trino_x END)[1]",
        ),
    ),
    # Lengths are bound: one call can be neither interrupted nor does its memory count.
    "at_most": (("n, most, what", "CASE WHEN n > most THEN trino_fail(what || ' is at most ' || most) ELSE n END"),),
    "lpad": (("s, n, p", f"lpad(s, CAST(trino_at_most(n, {MOST_LENGTH}, 'the length of lpad') AS INTEGER), p)"),),
    "rpad": (("s, n, p", f"rpad(s, CAST(trino_at_most(n, {MOST_LENGTH}, 'the length of rpad') AS INTEGER), p)"),),
    # DuckDB compares bytes: each character becomes one byte.
    "characters": (("s", "list_distinct(regexp_extract_all(s, '(?s).'))"),),
    "bytes": (
        (
            "s, letters",
            "translate(s, array_to_string(letters, ''), "
            "array_to_string(list_transform(letters, lambda trino_x, trino_i: chr(CAST(trino_i AS INTEGER))), ''))",
        ),
    ),
    "letters": (
        (
            "a, b",
            "CASE WHEN length(a) * length(b) > 1000000 THEN trino_fail('the texts of a distance are too long') "
            "WHEN len(trino_characters(a || b)) > 127 "
            "THEN trino_fail('the texts of a distance have too many characters') "
            "ELSE trino_characters(a || b) END",
        ),
    ),
    "levenshtein_distance": (
        (
            "a, b",
            "list_transform([trino_letters(a, b)], lambda trino_x: "
            "levenshtein(trino_bytes(a, trino_x), trino_bytes(b, trino_x)))[1]",
        ),
    ),
    "hamming_distance": (
        (
            "a, b",
            "list_transform([trino_letters(a, b)], lambda trino_x: "
            "hamming(trino_bytes(a, trino_x), trino_bytes(b, trino_x)))[1]",
        ),
    ),
    "url_decode": (("s", "url_decode(replace(s, '+', ' '))"),),
    "url_encode": (("s", "replace(replace(replace(url_encode(s), '%20', '+'), '%2A', '*'), '~', '%7E')"),),
    "substr": (
        ("s, i", "CASE WHEN i = 0 OR i < -length(s) THEN '' ELSE substr(s, i) END"),
        ("s, i, n", "CASE WHEN i = 0 OR i < -length(s) OR n <= 0 THEN '' ELSE substr(s, i, n) END"),
    ),
    # Bytes.
    "md5": (("x", "unhex(md5(x))"),),
    "sha1": (("x", "unhex(sha1(x))"),),
    "sha256": (("x", "unhex(sha256(x))"),),
    # Instants and clocks of time zones; see `zones`.
    "instant": (
        (
            "t",
            "CASE WHEN typeof(t) = 'VARCHAR' "
            "THEN trino_fail('a text whose time zone is not known beforehand cannot be a timestamp') "
            "ELSE CAST(t AS TIMESTAMPTZ) END",
        ),
    ),
    "clock": (("t, zone", "timezone(zone, t)"),),
    "moment": (("t, zone", "timezone(zone, CAST(t AS TIMESTAMP))"),),
    "iso_instant": (
        (
            "s",
            r"CAST(CASE WHEN regexp_full_match(s, '\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?)?') "
            "THEN replace(s, ',', '.') ELSE '''' || s || '''' END AS TIMESTAMPTZ)",
        ),
    ),
    # Dates and times. DuckDB makes timestamps of dates here; Athena keeps dates.
    "date_trunc": (("unit, t", "cast_to_type(date_trunc(unit, t), t)"),),
    "plus": (("t, i", "cast_to_type(t + i, t)"),),
    "minus": (("t, i", "cast_to_type(t - i, t)"),),
    "difference": (
        (
            "a, b",
            "CASE WHEN typeof(a) = 'DATE' AND typeof(b) = 'DATE' "
            "THEN trino_fail('the difference of two dates is an interval: write date_diff(''day'', b, a)') "
            "ELSE a - b END",
        ),
    ),
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
}
