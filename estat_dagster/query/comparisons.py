"""Comparisons as Athena means them: a text is never compared with a number, and NaN is neither equal, below nor above.

DuckDB would read the text as a number there: `region_code = 1000` would find 01000. Whether the types fit is asked of
DuckDB, which knows them (`typeof`), and folded away before the query runs.
"""

from __future__ import annotations

from sqlglot import exp

from estat_dagster.query.calls import macro

_MACROS: dict[type[exp.Expr], tuple[str, bool]] = {
    exp.EQ: ("eq", False),
    exp.NEQ: ("ne", False),
    exp.GT: ("gt", False),
    exp.GTE: ("ge", False),
    exp.LT: ("gt", True),
    exp.LTE: ("ge", True),
}
COMPARISONS = tuple(_MACROS)


def compare(node: exp.Expr) -> None:
    """Let a comparison be Athena's."""
    left, right = node.this, node.expression
    if isinstance(left, exp.Tuple) or isinstance(right, exp.Tuple | exp.Any | exp.All):
        return
    if _joins(node):
        _check_in_where(node)
        return
    name, mirrored = _MACROS[type(node)]
    node.replace(macro(name, *((right, left) if mirrored else (left, right))))


def alike(node: exp.Expr) -> None:
    """Refuse IN, BETWEEN, IS DISTINCT FROM and CASE x WHEN y whose values are not of the type of what they are for."""
    value = node.this
    others = _others(node)
    if value is None or isinstance(value, exp.Tuple) or not others:
        return
    for other in others:
        value = macro("alike", value.copy(), other.copy())
    node.set("this", value)


def _others(node: exp.Expr) -> list[exp.Expr]:
    match node:
        case exp.Between():
            return [node.args["low"], node.args["high"]]
        case exp.Case():
            return _kinds([branch.this for branch in node.args["ifs"]])
        case exp.In():
            return _kinds(node.expressions)
        case _:
            return [node.expression]


def _kinds(values: list[exp.Expr]) -> list[exp.Expr]:
    """Return one value of each kind of literal: the list of IN may be long."""
    literals = {value.is_string: value for value in values if isinstance(value, exp.Literal)}
    return list(literals.values())


def _joins(node: exp.Expr) -> bool:
    """Say whether a comparison is a condition of a join by itself: only as such does DuckDB make a hash join of it."""
    place = node
    while isinstance(place.parent, exp.And | exp.Paren):
        place = place.parent
    return isinstance(place.parent, exp.Join) and place.arg_key == "on"


def _check_in_where(node: exp.Expr) -> None:
    """Add what the types of a join's condition must be to WHERE, where it is folded to true or an error."""
    join = node.find_ancestor(exp.Join)
    select = join.parent if join else None
    if isinstance(select, exp.Select):
        select.where(macro("comparable", node.this.copy(), node.expression.copy()), copy=False)
