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

from estat_dagster.query.macros_arrays import ARRAYS
from estat_dagster.query.macros_texts import TEXTS
from estat_dagster.query.macros_values import VALUES

PREFIX = "trino_"
MACROS = {**VALUES, **TEXTS, **ARRAYS}

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
