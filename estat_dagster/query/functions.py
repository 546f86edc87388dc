"""The functions that a query may call, by Athena's names: those that compute from their arguments and nothing else.

A function that is not here is refused on every engine. Left out on purpose: what tells about the server or the user
(`version`, `current_user`), what exists to fail, and table functions. What each becomes on DuckDB is in `rewrites`.
"""

from __future__ import annotations

AGGREGATES = """
    any_value approx_distinct approx_most_frequent approx_percentile arbitrary array_agg avg bitwise_and_agg
    bitwise_or_agg bool_and bool_or checksum corr count count_if covar_pop covar_samp entropy every geometric_mean
    grouping histogram kurtosis listagg map_agg map_union max max_by min min_by multimap_agg numeric_histogram
    reduce_agg regr_intercept regr_slope skewness stddev stddev_pop stddev_samp sum var_pop var_samp variance
"""
WINDOWS = """
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
"""
CONDITIONS = "coalesce greatest if least nullif try typeof uuid"
NUMBERS = """
    abs acos asin atan atan2 bit_count bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
    bitwise_xor cbrt ceil ceiling cos cosh degrees e exp floor from_base infinity inverse_normal_cdf is_finite
    is_infinite is_nan ln log log10 log2 mod nan normal_cdf pi pow power radians rand random round sign sin sinh
    sqrt tan tanh to_base truncate width_bucket
"""
TEXTS = """
    chr codepoint concat concat_ws format format_number hamming_distance length levenshtein_distance lower lpad ltrim
    luhn_check normalize regexp_count regexp_extract regexp_extract_all regexp_like regexp_position regexp_replace
    regexp_split replace reverse rpad rtrim soundex split split_part split_to_map starts_with strpos substr
    substring translate trim upper word_stem
"""
DATES = """
    at_timezone current_timestamp date date_add date_diff date_format date_parse date_trunc day day_of_month
    day_of_week day_of_year dow doy format_datetime from_iso8601_date from_iso8601_timestamp from_unixtime hour
    human_readable_seconds last_day_of_month localtimestamp millisecond minute month now parse_datetime parse_duration
    quarter second to_iso8601 to_milliseconds to_unixtime week week_of_year with_timezone year year_of_week yow
"""
JSON = """
    is_json_scalar json_exists json_array_contains json_array_get json_array_length json_extract json_extract_scalar
    json_format json_parse json_size
"""
ARRAYS_AND_MAPS = """
    all_match any_match array_distinct array_except array_intersect array_join array_max array_min array_position
    array_remove array_sort array_union arrays_overlap cardinality combinations contains contains_sequence
    element_at filter flatten map map_concat map_entries map_filter map_from_entries map_keys map_values
    map_zip_with multimap_from_entries ngrams none_match reduce repeat row sequence shuffle slice transform
    transform_keys transform_values trim_array zip zip_with
"""
BYTES = """
    crc32 from_base64 from_hex from_utf8 md5 sha1 sha256 sha512 to_base64 to_hex to_utf8 url_decode url_encode
    url_extract_fragment url_extract_host url_extract_parameter url_extract_path url_extract_port
    url_extract_protocol url_extract_query xxhash64
"""

ALLOWED = frozenset(
    " ".join((AGGREGATES, WINDOWS, CONDITIONS, NUMBERS, TEXTS, DATES, JSON, ARRAYS_AND_MAPS, BYTES)).split()
)
