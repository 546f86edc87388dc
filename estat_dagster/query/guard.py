"""The read-only guard: decides from the syntax tree whether a statement may run, and refuses whatever it does not know.

It knows nothing of any engine. Every engine also defends itself (the embedded one is locked down, Athena's role cannot
write), so that what slips through here still harms nothing.
"""

from __future__ import annotations

import difflib
import re

from sqlglot import Token, exp

from estat_dagster.errors import ValidationError
from estat_dagster.query import functions, grammar, syntax
from estat_dagster.settings import Settings

NAMESPACE = Settings.glue_database
CATALOG = "awsdatacatalog"

HINT = "Ask with one SELECT in Athena's SQL over the lake's tables."
QUERY_WORDS = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})

# Words that read like columns and tell about the server.
_ABOUT_SERVER = """
    current_catalog current_database current_path current_role current_schema current_user session_user system_user user
"""
SERVER_WORDS = frozenset(_ABOUT_SERVER.split())
_TABLE_NAME = re.compile(r"[\w$ -]+")
_STATEMENTS = """
    ALTER ANALYZE ATTACH BEGIN CACHE CALL CHECKPOINT COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DENY
    DETACH DO DROP EXECUTE EXPORT FORCE FROM GRANT IMPORT INSERT INSTALL KILL LOAD LOCK MERGE MSCK OPTIMIZE PIVOT
    PRAGMA PREPARE REFRESH REPLACE RESET REVOKE ROLLBACK SAVEPOINT SET SHOW START SUMMARIZE TRUNCATE UNCACHE
    UNLOAD UNPIVOT UPDATE UPSERT USE USING VACUUM
"""
_STATEMENT_WORDS = frozenset(_STATEMENTS.split())


def check(sql: str, *, namespace: str = NAMESPACE) -> exp.Expr:
    """Return the syntax tree of a query that may run: one SELECT, set operation, VALUES or WITH.

    Raises:
        ValidationError: it may not, or is not SQL; the message says what was refused.
    """
    tree = _checked(grammar.tokenize(sql), sql, namespace)
    # sqlglot reads more than SQL (`SELECT a, JOIN FROM t`). What it writes goes to the engine, and is checked as well.
    written = grammar.write(tree)
    try:
        _checked(grammar.tokenize(written, most=2 * grammar.MAX_TEXT), written, namespace)
    except ValidationError as error:
        raise ValidationError("The SQL could not be read.", hint="Write one SELECT in Athena's SQL.") from error
    return tree


def _checked(tokens: list[Token], sql: str, namespace: str) -> exp.Expr:
    first = first_word(tokens)
    if not first:
        raise ValidationError("There is no SQL: the text is empty.", hint=HINT)
    if first in _STATEMENT_WORDS:
        raise ValidationError(f"Only SELECT is allowed; this is {first}.", hint=HINT)
    if first not in QUERY_WORDS:
        raise ValidationError(f"This is not a query: it begins with {first[:40]!r}.", hint=HINT)
    tree = grammar.parse(tokens, sql)
    if not isinstance(tree, exp.Query | exp.Values):
        raise ValidationError(f"Only SELECT is allowed; this is {syntax.name_of(tree)}.", hint=HINT)
    for node in tree.walk():
        _check_node(node, namespace)
    return tree


def first_word(tokens: list[Token]) -> str:
    """Return the word that says what kind of statement it is, in capitals; nothing if there is none."""
    return tokens[0].text.upper().partition(" ")[0] if tokens else ""


def parts_of(node: exp.Expr) -> list[str]:
    """Return the names of the parts that a node has."""
    return [part for part, value in node.args.items() if value]


def _check_node(node: exp.Expr, namespace: str) -> None:
    parts = syntax.PARTS.get(type(node))
    if parts is None or (isinstance(node, exp.JSONExtract) and not node.args.get("json_query")):
        raise _refused(node)
    for part in parts_of(node):
        if part not in parts:
            raise _not_allowed(syntax.name_of_part(node, part))
    _check_content(node, namespace)


def _check_content(node: exp.Expr, namespace: str) -> None:
    match node:
        case exp.Table():
            _check_table(node, namespace)
        case exp.Version():
            _check_version(node)
        case exp.Join() | exp.TableSample():
            _check_kind(node)
        case exp.Anonymous():
            _check_function(node)
        case exp.Column() if not node.table:
            _check_word(node)
        case exp.Dot() if not isinstance(node.expression, exp.Identifier):
            raise ValidationError(f"The function {node.expression.name} cannot be called on a name.", hint=HINT)
        case exp.Star() if not isinstance(node.parent, exp.Select | exp.Column | exp.Dot | exp.Anonymous):
            raise _not_allowed("* within an expression")
        case exp.DataType() | exp.DataTypeParam() if not isinstance(node, exp.IntervalSpan):
            _check_type(node)
        case exp.Select() if not node.expressions:
            raise ValidationError("The SELECT names no columns.", hint="Write SELECT * or the columns' names.")


def _check_kind(node: exp.Join | exp.TableSample) -> None:
    if isinstance(node, exp.TableSample):
        if str(node.args.get("method")) not in syntax.SAMPLES:
            raise _not_allowed(f"TABLESAMPLE {node.args.get('method') or ''}".rstrip())
    elif node.kind not in syntax.JOIN_KINDS or node.method not in syntax.JOIN_METHODS:
        raise _not_allowed(" ".join([*f"{node.method} {node.kind}".split(), "JOIN"]))


def _check_type(node: exp.DataType | exp.DataTypeParam) -> None:
    if isinstance(node, exp.DataTypeParam):
        if not node.this.is_int:
            raise ValidationError(f"The type has a size of {node.sql()[:40]}.", hint="Write a whole number.")
    elif node.this not in syntax.TYPES:
        raise ValidationError(f"The type {node.sql()[:40]} is not allowed.", hint="Use Athena's SQL types.")


def _check_word(column: exp.Column) -> None:
    if column.name.lower() in SERVER_WORDS and not column.this.args.get("quoted"):
        raise _not_allowed(column.name.upper())


def _check_version(version: exp.Version) -> None:
    if version.args["kind"] != "AS OF" or version.name.upper() not in ("VERSION", "TIMESTAMP"):
        raise _not_allowed(f"FOR {version.name} {version.args['kind']}")
    if version.expression is None:
        raise ValidationError(
            f"FOR {version.name.upper()} AS OF names no version.", hint="Write a snapshot's id or a timestamp after it."
        )
    for node in version.expression.walk():
        if not isinstance(node, syntax.VERSION_PARTS):
            raise ValidationError(
                f"A version is a value; {syntax.name_of(node)} is not allowed in FOR {version.name.upper()} AS OF.",
                hint="Write a snapshot's id, a timestamp, or current_timestamp - INTERVAL '1' DAY.",
            )


def _check_table(table: exp.Table, namespace: str) -> None:
    if not isinstance(table.this, exp.Identifier) or not _TABLE_NAME.fullmatch(table.name):
        raise ValidationError(
            f"FROM takes the names of tables only; {table.this.sql('trino')[:60]} is not one.",
            hint="UNNEST, VALUES and subqueries are allowed beside tables.",
        )
    if table.args.get("db"):
        check_namespace(table.db, namespace)
    if table.catalog and table.catalog.lower() != CATALOG:
        raise ValidationError(f"There is no catalog {table.catalog!r}.", hint=f"The lake's tables are in {namespace}.")


def check_namespace(name: str, namespace: str) -> None:
    """Refuse a database that is not the lake's.

    Raises:
        ValidationError: it is not.
    """
    if name.lower() != namespace.lower():
        raise ValidationError(f"There is no database {name!r}.", hint=f"The lake's tables are in {namespace}.")


def _check_function(call: exp.Anonymous) -> None:
    name = call.name.lower()
    if name in functions.ALLOWED:
        return
    near = difflib.get_close_matches(name, functions.ALLOWED, n=3)
    hint = f"Similar ones that are: {', '.join(near)}." if near else "Use Athena's functions that compute from values."
    raise ValidationError(f"The function {name} is not allowed.", hint=hint)


def _refused(node: exp.Expr) -> ValidationError:
    name = syntax.name_of(node)
    if isinstance(node, exp.DML | exp.DDL | exp.Command):
        return ValidationError(f"Only SELECT is allowed; inside this is {name}.", hint=HINT)
    return _not_allowed(name)


def _not_allowed(name: str) -> ValidationError:
    return ValidationError(f"{name[:1].upper()}{name[1:]} is not allowed in a query.", hint=HINT)
