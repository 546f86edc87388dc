"""Functions that take a lambda, for DuckDB."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from estat_dagster.query.calls import call, macro, unavailable
from estat_dagster.query.macros import PREFIX

_GROWS = frozenset({"array_to_string", "concat_ws", "flatten", "list_concat", "list_transform"})


def array_predicate(name: str) -> Callable[..., exp.Expr]:
    """Return what rewrites a function that asks a condition of every element."""
    return lambda array, condition: macro(name, call("list_transform", array, condition))


def none_match(array: exp.Expr, condition: exp.Expr) -> exp.Expr:
    """Return `none_match` of DuckDB."""
    return exp.Not(this=array_predicate("any_true")(array, condition))


def _doubles(step: exp.Expr) -> bool:
    """Say whether a step of reduce can double its state each time: 30 of them make a text of a gigabyte in one call."""
    if not isinstance(step, exp.Lambda):
        return False
    state = step.expressions[0].name
    uses = sum(one.name == state for one in step.this.find_all(exp.Identifier))
    calls = (one.name.removeprefix(PREFIX) for one in step.this.find_all(exp.Anonymous))
    grows = step.this.find(exp.DPipe) or any(name in _GROWS or "replace" in name or "array" in name for name in calls)
    return uses > 1 and bool(grows)


def reduce(array: exp.Expr, start: exp.Expr, step: exp.Expr, finish: exp.Expr) -> exp.Expr:
    """Return `reduce` of DuckDB.

    Raises:
        ValidationError: its state can double with each step.
    """
    if _doubles(step):
        raise unavailable("reduce that writes its state twice into a text or an array")
    reduced = call("list_reduce", array, step, start)
    if isinstance(finish, exp.Lambda) and finish.this.sql() == finish.expressions[0].sql():
        return reduced
    return macro("at", call("list_transform", exp.Array(expressions=[reduced]), finish), exp.Literal.number(1))


def map_of(name: str) -> Callable[..., exp.Expr]:
    """Return what rewrites a function that takes a map and a lambda of key and value."""

    def build(value: exp.Expr, function: exp.Expr) -> exp.Expr:
        key, held = (
            exp.Dot(this=exp.to_identifier("trino_entry"), expression=exp.to_identifier(part))
            for part in ("key", "value")
        )
        body = _applied(function, name, [key, held])
        row = {"map_filter": None, "transform_values": (key, body), "transform_keys": (body, held)}[name]
        step = exp.Lambda(
            this=call("row", *(part.copy() for part in row)) if row else body,
            expressions=[exp.to_identifier("trino_entry")],
        )
        entries = call("map_entries", value)
        return call("map_from_entries", call("list_transform" if row else "list_filter", entries, step))

    return build


def zip_with(first: exp.Expr, second: exp.Expr, function: exp.Expr) -> exp.Expr:
    """Return `zip_with` of DuckDB."""
    pair = exp.to_identifier("trino_pair")
    parts: list[exp.Expr] = [call("struct_extract", pair.copy(), exp.Literal.number(place)) for place in (1, 2)]
    step = exp.Lambda(this=_applied(function, "zip_with", parts), expressions=[pair])
    return call("list_transform", call("list_zip", first, second), step)


def _applied(function: exp.Expr, name: str, values: list[exp.Expr]) -> exp.Expr:
    """Return the body of a lambda with values in the places of its parameters."""
    if not isinstance(function, exp.Lambda) or len(function.expressions) != len(values):
        raise unavailable(f"{name} without a lambda of {len(values)} parameters")
    named = {parameter.name: value for parameter, value in zip(function.expressions, values, strict=True)}

    def fill(node: exp.Expr) -> exp.Expr:
        is_parameter = isinstance(node, exp.Identifier) and node.name in named and node.arg_key != "alias"
        is_field = isinstance(node.parent, exp.Dot) and node.arg_key == "expression"
        return named[node.name].copy() if is_parameter and not is_field else node

    body: exp.Expr = function.this.copy().transform(fill)
    return body
