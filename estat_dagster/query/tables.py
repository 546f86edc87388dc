"""The tables that a query names: finding them in the tree, and loading them from the Iceberg catalog.

What a table holds is read in `scan`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from sqlglot import exp

from estat_dagster.errors import StorageError, ValidationError

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table


class Tables:
    """The tables of one namespace, each loaded once: a query sees one snapshot of a table however often it names it."""

    def __init__(self, catalog: Catalog, namespace: str) -> None:
        self._catalog = catalog
        self.namespace = namespace
        self._loaded: dict[str, Table] = {}

    def names(self) -> list[str]:
        """Return the names of the tables, sorted."""
        try:
            return sorted(identifier[-1] for identifier in self._catalog.list_tables(self.namespace))
        except NoSuchNamespaceError:
            return []  # nothing was ever written

    def load(self, name: str) -> Table:
        """Return a table by its name in any case.

        Raises:
            ValidationError: there is none; the message names those there are.
            StorageError: its metadata cannot be read.
        """
        name = name.lower()
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> Table:
        try:
            return self._catalog.load_table((self.namespace, name))
        except NoSuchTableError as error:
            raise unknown_table(name, self.names()) from error
        except OSError as error:
            raise StorageError(f"The metadata of the table {name} could not be read.") from error


def references(tree: exp.Expr) -> list[exp.Table]:
    """Return the places in a query that name a table of the lake, not one of its own WITH."""
    return [table for table in tree.find_all(exp.Table) if meant(table) is None]


def rename(table: exp.Table, name: str, schema: str) -> None:
    """Let a place in the query name a view instead, under the alias that the query knows it by."""
    if not table.args.get("alias"):
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
    table.set("this", exp.to_identifier(name, quoted=True))
    table.set("db", exp.to_identifier(schema, quoted=True))
    table.set("catalog", None)
    table.set("version", None)


def strip_namespace(tree: exp.Expr, namespace: str) -> None:
    """Shorten `namespace.table.column` to `table.column`, which is what the aliases of `rename` answer to."""
    for column in tree.find_all(exp.Column):
        if column.args.get("db") and column.db.lower() == namespace.lower():
            column.set("db", None)
            column.set("catalog", None)


def unknown_table(name: str, names: list[str]) -> ValidationError:
    """Return the error for a table that is not there: it names those there are."""
    if not names:
        return ValidationError(f"There is no table {name!r}: the lake is empty.", hint="Load a dataset first.")
    near = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return ValidationError(f"There is no table {name!r}.", hint=f"{hint}Tables: {', '.join(names)}.")


def meant(table: exp.Table) -> exp.CTE | None:
    """Return the clause of WITH that a place in a query names, None where it names a table of the lake."""
    name = table.name.lower()
    clauses = () if table.args.get("db") else _visible(table)
    return next((cte for cte in clauses if name == cte.alias.lower()), None)


def _visible(table: exp.Table) -> Iterator[exp.CTE]:
    """Yield the CTEs whose names a table can mean: those of every enclosing WITH, up to the one it stands in."""
    inside: exp.Expr = table
    while (node := inside.parent) is not None:
        clause = node if isinstance(node, exp.With) else node.args.get("with_")
        if isinstance(clause, exp.With) and clause is not inside:
            for cte in clause.expressions:
                if cte is inside and not clause.args.get("recursive"):
                    break
                yield cte
                if cte is inside:
                    break
        inside = node
