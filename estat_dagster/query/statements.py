"""What a statement asks for: a query, or SHOW TABLES, DESCRIBE or EXPLAIN, which engines answer on their own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import Token, exp

from estat_dagster.errors import ValidationError
from estat_dagster.query import grammar, guard

_PATTERN = re.compile(r"[\w$*%|-]*")


@dataclass(frozen=True)
class Statement:
    """A statement that may run.

    Args:
        kind: what it asks for.
        tree: the query, of `query` and `explain`.
        table: the table's name, of `describe`.
        pattern: the pattern of names, of `show_tables`: `*` for any letters, `|` between alternatives.
    """

    kind: Literal["query", "explain", "show_tables", "describe"]
    tree: exp.Expr = field(default_factory=exp.Select)
    table: str = ""
    pattern: str = "*"


def read(sql: str, *, namespace: str = guard.NAMESPACE) -> Statement:
    """Return what a statement asks for: a query, or one of SHOW TABLES, DESCRIBE and EXPLAIN.

    Raises:
        ValidationError: it may not run, or is not SQL; the message says what was refused.
    """
    tokens = grammar.tokenize(sql)
    if tokens and tokens[0].text.upper() in ("DESCRIBE INPUT", "DESCRIBE OUTPUT"):
        raise ValidationError("Prepared statements are not available.", hint="Write DESCRIBE table_name.")
    match guard.first_word(tokens):
        case "SHOW":
            return _show(sql, namespace)
        case "DESCRIBE" | "DESC":
            return Statement("describe", table=_table_name(_after(sql, tokens[0]), namespace))
        case "EXPLAIN":
            return Statement("explain", tree=_explained(_after(sql, tokens[0]), namespace))
        case _:
            return Statement("query", tree=guard.check(sql, namespace=namespace))


def _after(sql: str, token: Token) -> str:
    return sql[token.start + len(token.text) :]


def _show(sql: str, namespace: str) -> Statement:
    match sql.split():
        case [_, kind, word, name] if kind.upper() == "COLUMNS" and word.upper() in ("IN", "FROM"):
            return Statement("describe", table=_table_name(name, namespace))
        case [_, kind, *rest] if kind.rstrip(";").upper() == "TABLES":
            if len(rest) >= 2 and rest[0].upper() in ("IN", "FROM"):
                guard.check_namespace(rest[1].strip('"`;'), namespace)
                rest = rest[2:]
            if rest and rest[0].upper() == "LIKE":
                rest = rest[1:]
            pattern = " ".join(rest).rstrip("; ").strip("'")
            if not _PATTERN.fullmatch(pattern):
                raise ValidationError(
                    "The pattern of SHOW TABLES is not one.", hint="Write SHOW TABLES 'pop*', and one statement."
                )
            return Statement("show_tables", pattern=pattern.replace("%", "*") or "*")
    raise ValidationError("Of the SHOW statements only SHOW TABLES and SHOW COLUMNS IN are allowed.", hint=guard.HINT)


def _table_name(text: str, namespace: str) -> str:
    name = text.strip().rstrip(";").replace("`", '"')
    select = f"SELECT * FROM {name}"  # noqa: S608 - it is parsed, and never run
    tree = guard.check(select, namespace=namespace)
    table = tree.find(exp.Table)
    if not isinstance(tree, exp.Select) or not isinstance(table, exp.Table) or not _is_plain(tree, table):
        raise ValidationError("DESCRIBE takes the name of one table.", hint="Write DESCRIBE table_name.")
    return str(table.name)


def _is_plain(select: exp.Select, table: exp.Table) -> bool:
    only_from = table.parent is select.args.get("from_") and set(guard.parts_of(select)) == {"expressions", "from_"}
    return only_from and set(guard.parts_of(table)) <= {"this", "db", "catalog"}


def _explained(text: str, namespace: str) -> exp.Expr:
    tokens = grammar.tokenize(text)
    words = [token.text.upper() for token in tokens[:2]]
    if words[:1] == ["ANALYZE"]:
        raise ValidationError("EXPLAIN ANALYZE is not allowed: it runs the statement.", hint="Write EXPLAIN SELECT ...")
    if words[:1] == ["("] and words[1:] and words[1] not in guard.QUERY_WORDS:
        raise ValidationError("EXPLAIN takes no options here.", hint="Write EXPLAIN SELECT ...")
    return guard.check(text, namespace=namespace)
