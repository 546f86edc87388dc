"""Macros for arrays and maps; see `macros`."""

from __future__ import annotations

MOST_ENTRIES = 10_000
"""Entries of what `sequence` and `repeat` make, as on Athena."""

ARRAYS: dict[str, tuple[tuple[str, str], ...]] = {
    # Arrays.
    "array_distinct": (("a", "list_filter(a, lambda trino_x, trino_i: list_position(a, trino_x) = trino_i)"),),
    "array_except": (("a, b", "list_filter(trino_array_distinct(a), lambda trino_x: NOT trino_holds(b, trino_x))"),),
    "array_intersect": (("a, b", "list_filter(trino_array_distinct(a), lambda trino_x: trino_holds(b, trino_x))"),),
    "holds": (("a, v", "CASE WHEN v IS NULL THEN list_count(a) < len(a) ELSE list_contains(a, v) END"),),
    # What an element that is NULL would say is not known.
    "contains": (
        (
            "a, v",
            "CASE WHEN v IS NULL THEN NULL WHEN list_contains(a, v) THEN true WHEN list_count(a) < len(a) THEN NULL "
            "WHEN a IS NOT NULL THEN false END",
        ),
    ),
    "arrays_overlap": (
        (
            "a, b",
            "CASE WHEN list_has_any(a, b) THEN true WHEN len(a) = 0 OR len(b) = 0 THEN false "
            "WHEN list_count(a) < len(a) OR list_count(b) < len(b) THEN NULL "
            "WHEN a IS NOT NULL AND b IS NOT NULL THEN false END",
        ),
    ),
    "all_true": (
        (
            "list",
            "list_transform([list], lambda trino_x: CASE WHEN trino_x IS NULL THEN NULL "
            "WHEN NOT list_bool_and(trino_x) THEN false WHEN list_count(trino_x) < len(trino_x) THEN NULL "
            "ELSE true END)[1]",
        ),
    ),
    "any_true": (
        (
            "list",
            "list_transform([list], lambda trino_x: CASE WHEN trino_x IS NULL THEN NULL "
            "WHEN list_bool_or(trino_x) THEN true WHEN list_count(trino_x) < len(trino_x) THEN NULL "
            "ELSE false END)[1]",
        ),
    ),
    "array_join": (
        ("a, d", "array_to_string(list_transform(a, lambda trino_x: trino_text(trino_x)), d)"),
        ("a, d, n", "array_to_string(list_transform(a, lambda trino_x: coalesce(trino_text(trino_x), n)), d)"),
    ),
    "array_max": (("a", "CASE WHEN list_count(a) = len(a) THEN list_max(a) END"),),
    "array_min": (("a", "CASE WHEN list_count(a) = len(a) THEN list_min(a) END"),),
    "array_position": (("a, v", "CASE WHEN v IS NOT NULL THEN CAST(coalesce(list_position(a, v), 0) AS BIGINT) END"),),
    "array_remove": (("a, v", "list_filter(a, lambda trino_x: trino_x IS DISTINCT FROM v)"),),
    "array_sort": (("a", "list_sort(a, 'ASC', 'NULLS LAST')"),),
    "array_union": (("a, b", "trino_array_distinct(list_concat(a, b))"),),
    "elements": (  # of an array that UNNEST makes one column of
        (
            "a",
            "CASE WHEN typeof(a) LIKE 'STRUCT(%)[]' OR typeof(a) LIKE 'TUPLE(%)[]' "
            "THEN trino_fail('UNNEST of rows needs names for all their columns: AS t(a, b)') ELSE a END",
        ),
    ),
    "at": (("a, i", "a[i]"),),
    "subscript": (  # what is not there is an error, unlike with element_at
        (
            "a, i",
            "CASE WHEN typeof(a) LIKE '%[]' AND TRY_CAST(CAST(i AS VARCHAR) AS BIGINT) < 1 "
            "THEN trino_fail('array indices start at 1') "
            "WHEN a[i] IS NOT NULL OR a IS NULL OR i IS NULL OR trino_has(a, CAST(i AS VARCHAR)) THEN a[i] "
            "ELSE trino_fail('there is nothing at [' || CAST(i AS VARCHAR) || ']: element_at gives NULL there') END",
        ),
    ),
    "has": (
        (
            "a, i",
            "CASE WHEN typeof(a) LIKE '%[]' THEN TRY_CAST(i AS BIGINT) <= json_array_length(to_json(a)) "
            "WHEN typeof(a) LIKE 'MAP%' THEN list_contains(json_keys(to_json(a)), i) ELSE true END",
        ),
    ),
    "first_entries": (  # of the entries with the same key
        (
            "list",
            "list_transform([nullif(list_filter(list, lambda trino_x: trino_x.k IS NOT NULL), [])], lambda trino_e: "
            "CASE WHEN list_unique(list_transform(trino_e, lambda trino_x: trino_x.k)) = len(trino_e) THEN trino_e "
            "ELSE list_filter(trino_e, lambda trino_x, trino_i: "
            "list_position(list_transform(trino_e, lambda trino_y: trino_y.k), trino_x.k) = trino_i) END)[1]",
        ),
    ),
    "grouped_entries": (
        (
            "list",
            "list_transform([nullif(list_filter(list, lambda trino_x: trino_x.k IS NOT NULL), [])], lambda trino_e: "
            "list_transform(list_distinct(list_transform(trino_e, lambda trino_x: trino_x.k)), lambda trino_k: "
            "row(trino_k, list_transform(list_filter(trino_e, lambda trino_x: trino_x.k = trino_k), "
            "lambda trino_x: trino_x.v))))[1]",
        ),
    ),
    "repeat": (
        ("x, n", f"list_transform(range(trino_at_most(n, {MOST_ENTRIES}, 'the count of repeat')), lambda trino_i: x)"),
    ),
    "sequence": (
        ("a, b", "trino_steps(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END)"),
        ("a, b, step", "cast_to_type(trino_steps(a, b, step), [a])"),
    ),
    "steps": (
        (
            "a, b, step",
            f"generate_series(a, CASE WHEN a <= b AND a + step * {MOST_ENTRIES} <= b "
            f"OR a > b AND a + step * {MOST_ENTRIES} >= b "
            f"THEN trino_fail('sequence has at most {MOST_ENTRIES} entries') ELSE b END, step)",
        ),
    ),
    "slice": (
        ("a, i, n", "CASE WHEN i < 0 THEN array_slice(a, len(a) + i + 1, len(a) + i + n) ELSE a[i:i + n - 1] END"),
    ),
}
