"""A query in Athena's SQL as one for DuckDB that means the same: the syntax. Functions are in `rewrites` and `macros`.

Where DuckDB has nothing that means the same, the error names the construct: no query is answered approximately.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from estat_dagster.errors import ValidationError
from estat_dagster.query import arithmetic, comparisons, macros, output, outputs, texts, zones
from estat_dagster.query.calls import call, macro, unavailable
from estat_dagster.query.casts import cast
from estat_dagster.query.rewrites import rewrite, substr
from estat_dagster.query.unnest import unnest

# DuckDB takes a second to expand calls of this size, and could not be interrupted in time at a hundred times as much.
_MAX_GROWTH = 1_000_000

_FIELDS = {
    "YEAR": "year",
    "QUARTER": "quarter",
    "MONTH": "month",
    "WEEK": "week",
    "DAY": "day",
    "DAY_OF_MONTH": "day",
    "DAYOFMONTH": "day",
    "DAY_OF_WEEK": "isodow",
    "DAYOFWEEK": "isodow",
    "DOW": "isodow",
    "DAY_OF_YEAR": "dayofyear",
    "DAYOFYEAR": "dayofyear",
    "DOY": "dayofyear",
    "YEAR_OF_WEEK": "isoyear",
    "YOW": "isoyear",
    "HOUR": "hour",
    "MINUTE": "minute",
    "SECOND": "second",
}
_MAPS = {"map_agg": "first_entries", "multimap_agg": "grouped_entries"}
_NULL_SKIPPING: dict[str, type[exp.Expr]] = {
    "first_value": exp.FirstValue,
    "last_value": exp.LastValue,
    "nth_value": exp.NthValue,
    "lag": exp.Lag,
    "lead": exp.Lead,
}


def to_duckdb(tree: exp.Expr) -> str:
    """Return the DuckDB SQL of a query whose tables are DuckDB's already. The tree is used up.

    Raises:
        ValidationError: the query holds what DuckDB has no like for; the message names it.
    """
    zones.resolve(tree)
    outputs.resolve(tree)
    output.name_columns(tree)
    for node in reversed(list(tree.walk())):
        if handler := _HANDLERS.get(type(node)):
            handler(node)
    _check_growth(tree)
    try:
        return tree.sql(
            "duckdb", identify=True, comments=False, normalize_functions=False, unsupported_level=ErrorLevel.RAISE
        )
    except UnsupportedError as error:
        raise unavailable(str(error).splitlines()[0].rstrip(".")) from error
    except RecursionError as error:
        raise _too_complex() from error


def needed_macros(tree: exp.Expr) -> set[str]:
    """Return the names of the macros that a translated query calls."""
    return {
        node.name.removeprefix(macros.PREFIX)
        for node in tree.find_all(exp.Anonymous)
        if node.name.startswith(macros.PREFIX)
    }


def _function(node: exp.Anonymous) -> None:
    if node.name.startswith(macros.PREFIX):
        return
    if node.name.lower() in _MAPS:
        _map_agg(node, _MAPS[node.name.lower()])
    elif node.name.lower() == "avg":
        _avg(node)
    else:
        node.replace(rewrite(node))


def _map_agg(node: exp.Anonymous, entries: str) -> None:
    whole = _whole_aggregate(node)
    if len(node.expressions) != 2:
        raise unavailable(f"{node.name} with {len(node.expressions)} arguments")
    pair = exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name), expression=value)
            for name, value in zip("kv", node.expressions, strict=True)
        ]
    )
    node.set("this", "list")
    node.set("expressions", [pair])
    whole.replace(call("map_from_entries", macro(entries, whole.copy())))


def _avg(node: exp.Anonymous) -> None:
    """Let the mean of decimals be a decimal, as the median of the same rows is on DuckDB; that is never computed."""
    if len(node.expressions) != 1:
        raise unavailable(f"avg with {len(node.expressions)} arguments")
    whole = _whole_aggregate(node)
    mean = whole.copy()
    node.set("this", "median")
    whole.replace(macro("mean", mean, whole.copy()))


def _whole_aggregate(node: exp.Expr) -> exp.Expr:
    whole: exp.Expr = node
    while isinstance(whole.parent, exp.Filter | exp.Window) and whole.arg_key == "this":
        whole = whole.parent
    return whole


def _data_type(node: exp.DataType) -> None:
    if node.this == exp.DType.CHAR:
        raise unavailable("CHAR, which pads with spaces,")
    if node.this == exp.DType.TIMESTAMPTZ:
        node.set("expressions", None)


def _extract(node: exp.Extract) -> None:
    field = node.name.upper()
    if field not in _FIELDS:
        raise unavailable(f"EXTRACT({field} ...)")
    node.replace(call(_FIELDS[field], node.expression))


def _ignore_nulls(node: exp.IgnoreNulls) -> None:
    function = node.this
    kind = _NULL_SKIPPING.get(function.name)
    if kind is None:
        raise unavailable(f"IGNORE NULLS with {function.name}")
    parts = ["this", "offset", "default"]
    node.set("this", kind(**dict(zip(parts, function.expressions, strict=False))))


def _fetch(node: exp.Fetch) -> None:
    options = node.args.get("limit_options")
    if options and options.args.get("with_ties"):
        raise unavailable("FETCH FIRST ... WITH TIES", "Write rank() OVER (ORDER BY x) AS r in a subquery, and r <= 3.")
    node.replace(exp.Limit(expression=node.args.get("count") or exp.Literal.number(1)))


def _limit(node: exp.Limit) -> None:
    if isinstance(node.expression, exp.Var):  # LIMIT ALL
        node.pop()


def _trim(node: exp.Trim) -> None:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
    node.replace(macro(name, *_present(node, "this", "expression")))


def _group_concat(node: exp.GroupConcat) -> None:
    node.set("on_overflow", None)  # what overflows is an error here
    whole = _whole_aggregate(node)
    whole.replace(macro("aggregated", whole.copy()))


def _no_like(construct: str, instead: str = "") -> Callable[[exp.Expr], None]:
    def refuse(_: exp.Expr) -> None:
        raise unavailable(construct, instead)

    return refuse


def _interval(node: exp.Interval) -> None:
    if isinstance(node.args.get("unit"), exp.IntervalSpan):
        raise unavailable("An interval of two units")


_HANDLERS: dict[type[exp.Expr], Callable[..., None]] = {
    exp.Add: arithmetic.add,
    exp.Anonymous: _function,
    exp.Between: comparisons.alike,
    exp.Bracket: lambda node: node.replace(macro("subscript", node.this, *node.expressions)),
    exp.Case: comparisons.alike,
    exp.Cast: cast,
    exp.CurrentTime: _no_like("current_time"),
    exp.DataType: _data_type,
    exp.DPipe: texts.join,
    exp.Div: arithmetic.divide,
    exp.Extract: _extract,
    exp.Fetch: _fetch,
    exp.GroupConcat: _group_concat,
    exp.HexString: lambda node: node.replace(call("unhex", exp.Literal.string(node.name))),
    exp.IgnoreNulls: _ignore_nulls,
    exp.In: comparisons.alike,
    exp.Interval: _interval,
    exp.JSONExtract: _no_like("json_query", "Write json_format(json_extract(j, '$.a'))."),
    exp.JSONValue: _no_like("json_value", "Write json_extract_scalar(j, '$.a')."),
    exp.Limit: _limit,
    exp.Localtime: _no_like("localtime"),
    exp.NullSafeEQ: comparisons.alike,
    exp.NullSafeNEQ: comparisons.alike,
    exp.ParseJSON: lambda node: node.replace(call("json", node.this)),
    exp.RespectNulls: lambda node: node.replace(node.this),
    exp.Sub: arithmetic.add,
    exp.Substring: lambda node: node.replace(substr(*_present(node, "this", "start", "length"))),
    exp.Trim: _trim,
    exp.TryCast: cast,
    exp.Unnest: unnest,
    **dict.fromkeys(comparisons.COMPARISONS, comparisons.compare),
}


def _present(node: exp.Expr, *parts: str) -> list[exp.Expr]:
    return [node.args[part] for part in parts if node.args.get(part)]


def _check_growth(tree: exp.Expr) -> None:
    """Refuse calls in calls of macros that write an argument twice: DuckDB would expand them to millions of words."""
    sizes: dict[int, int] = {}
    for node in reversed(list(tree.walk())):
        size = 1 + sum(sizes.get(id(child), 0) for child in node.iter_expressions())
        if isinstance(node, exp.Anonymous) and node.name.startswith(macros.PREFIX):
            size *= macros.growth(node.name.removeprefix(macros.PREFIX))
        sizes[id(node)] = size
    if sizes[id(tree)] > _MAX_GROWTH:
        raise _too_complex()


def _too_complex() -> ValidationError:
    return ValidationError(
        "The SQL is too complex: its calls nest too deeply.", hint="Split it with WITH, or into several queries."
    )
