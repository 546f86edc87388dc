"""UNNEST as Athena means it: an array gives a column, rows one for each field, a map its keys and values."""

from __future__ import annotations

from sqlglot import exp

from estat_dagster.query.calls import call, macro, unavailable

_GIVE_MAPS = frozenset({"histogram", "map", "map_concat", "map_from_entries"})  # DuckDB's names
_GIVE_ROWS = frozenset({"list_zip", "map_entries"})
_HINT = "Name the columns, and write a map as its entries: UNNEST(map_entries(m)) AS t(k, v)."


def unnest(node: exp.Unnest) -> None:
    """Let UNNEST give Athena's columns.

    Whether a column of a table holds rows is not known here: it does where UNNEST gets more names than arrays.

    Raises:
        ValidationError: rows or maps without names for what is in them.
    """
    alias, values = node.args.get("alias"), node.expressions
    names = len(alias.columns) if alias else 0
    kinds = [_kind(value) for value in values]
    if len(values) == 1 and names > 1 and kinds == ["array"]:
        kinds = ["rows"]
    if (kinds != ["array"] * len(kinds) and names <= len(kinds)) or (kinds == ["map"] and names != 2):
        raise unavailable("UNNEST of a map or of rows without names for their columns", _HINT)
    if kinds == ["array"]:
        values[0].replace(macro("elements", values[0].copy()))
        return
    if kinds == ["array"] * len(kinds) and names > len(kinds):
        raise unavailable("UNNEST of several columns with rows or maps in them", _HINT)
    columns = [_column(value, kind) for value, kind in zip(values, kinds, strict=True)]
    if number := node.args.get("offset"):
        columns.append(_positions(values, kinds))
        if isinstance(number, exp.Identifier) and alias:
            alias.append("columns", number)
    node.replace(exp.Lateral(this=exp.Subquery(this=exp.Select(expressions=columns)), alias=alias))


def _kind(value: exp.Expr) -> str:
    value = value.unnest()
    first = value.expressions[0].unnest() if isinstance(value, exp.Array) and value.expressions else None
    if value.name in _GIVE_MAPS or (isinstance(value, exp.Cast) and value.to.this == exp.DType.MAP):
        return "map"
    is_row = isinstance(first, exp.Anonymous) and first.name == "row"
    if value.name in _GIVE_ROWS or is_row or (isinstance(first, exp.Cast) and first.to.this == exp.DType.STRUCT):
        return "rows"
    return "array"


def _column(value: exp.Expr, kind: str) -> exp.Expr:
    if kind == "array":
        return call("unnest", macro("elements", value.copy()))
    rows = call("map_entries", value.copy()) if kind == "map" else value.copy()
    depth = exp.PropertyEQ(this=exp.to_identifier("max_depth"), expression=exp.Literal.number(2))
    return call("unnest", rows, depth)


def _positions(values: list[exp.Expr], kinds: list[str]) -> exp.Expr:
    """Return the numbers of the rows: as many as the longest array has entries."""
    arrays = [call("map_keys", v.copy()) if kind == "map" else v.copy() for v, kind in zip(values, kinds, strict=True)]
    sizes = [call("len", array) for array in arrays]
    return call("unnest", call("generate_series", exp.Literal.number(1), call("greatest", *sizes)))
