"""Names that mean what Athena takes them for: those of the answer in ORDER BY, and the order of columns under USING."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp

from estat_dagster.query.calls import unavailable
from estat_dagster.query.functions import AGGREGATES
from estat_dagster.query.guard import SERVER_WORDS, parts_of

_AGGREGATES = frozenset(AGGREGATES.split())


def resolve(tree: exp.Expr) -> None:
    """Let the names of every SELECT mean what they mean on Athena.

    Raises:
        ValidationError: the columns of a SELECT * cannot be put into Athena's order.
    """
    for select in list(tree.find_all(exp.Select)):
        _own_columns(select)
        _order_by_output(select)
        _shared_columns_first(select)


def _own_columns(select: exp.Select) -> None:
    """Let `"user"` be a column of the table: DuckDB answers it with the user's name where there is none."""
    sources = [place.this for place in (select.args.get("from_"), *(select.args.get("joins") or [])) if place]
    for column in list(select.find_all(exp.Column)):
        if column.table or column.name.lower() not in SERVER_WORDS or column.find_ancestor(exp.Select) is not select:
            continue
        if len(sources) != 1 or not sources[0].alias_or_name:
            raise unavailable(f"The column {column.name} without its table's name")
        column.set("table", exp.to_identifier(sources[0].alias_or_name, quoted=True))


def _order_by_output(select: exp.Select) -> None:
    """Let `-x AS x ... ORDER BY x + 1` order by the answer's x: DuckDB takes the table's within an expression."""
    order = select.args.get("order")
    aliases = {column.alias.lower(): column.this for column in select.expressions if isinstance(column, exp.Alias)}
    if order is None or not aliases:
        return
    for ordered in order.expressions:
        if isinstance(ordered.this, exp.Column):
            continue
        for column in list(ordered.this.find_all(exp.Column)):
            meant = None if column.table else aliases.get(column.name.lower())
            if meant is not None and _is_of(column, ordered):
                column.replace(exp.Paren(this=meant.copy()))


def _is_of(column: exp.Column, ordered: exp.Ordered) -> bool:
    """Say whether a column stands in the expression itself, neither in an aggregate nor in a subquery of it."""
    node = column.parent
    while node is not None and node is not ordered:
        if isinstance(node, exp.Query) or (isinstance(node, exp.Anonymous) and node.name.lower() in _AGGREGATES):
            return False
        node = node.parent
    return True


def _shared_columns_first(select: exp.Select) -> None:
    """Let `SELECT *` begin with the columns of USING, and `t.*` leave them out."""
    stars = [column for column in select.expressions if column.is_star]
    if not stars:
        return
    joins: list[exp.Join] = select.args.get("joins") or []
    if _is_nested(select, joins):
        raise unavailable("SELECT * over a join with USING beside a comma or inside another join")
    shared = {name.name.lower(): name for join in reversed(joins) for name in join.args.get("using") or []}
    if not shared:
        return
    for star in stars:
        if isinstance(star, exp.Column):
            star.this.set("except_", _own(star, joins))
    select.set("expressions", [one for column in select.expressions for one in _expanded(column, shared.values())])


def _is_nested(select: exp.Select, joins: list[exp.Join]) -> bool:
    """Say whether the columns of USING are not those that the answer begins with."""
    sources = [place.this for place in (select.args.get("from_"), *joins) if place]
    inner = [join for source in sources for join in source.unnest().args.get("joins") or [] if join.args.get("using")]
    after_comma = [
        join
        for place, join in enumerate(joins)
        if join.args.get("using") and any(set(parts_of(other)) == {"this"} for other in joins[:place])
    ]
    return bool(inner or after_comma)


def _expanded(column: exp.Expr, shared: Collection[exp.Expr]) -> list[exp.Expr]:
    if not isinstance(column, exp.Star):
        return [column]
    first = [exp.Column(this=name.copy()) for name in shared]
    return [*first, exp.Star(except_=[name.copy() for name in shared])]


def _own(star: exp.Column, joins: list[exp.Join]) -> list[exp.Expr]:
    """Return the columns of USING that belong to the table of `t.*`."""
    own = [join for join in joins if join.this.alias_or_name.lower() == star.table.lower()] or joins
    if len(joins) > 1 and own is joins:
        raise unavailable("t.* of the first table beside USING of several joins")
    return [name.copy() for name in own[0].args.get("using") or []]
