"""Athena's SQL as a syntax tree: Trino's grammar with every function kept under the name that the user wrote.

sqlglot maps the functions it knows to its own classes, and those to what it takes for their like in another dialect.
Here a function stays `exp.Anonymous` under its written name, so that the allow-list is a list of Athena's names, what
goes to Athena is what the user wrote, and what a function means on DuckDB is said in one table of ours (`rewrites`).
What is allowed is not decided here.
"""

from __future__ import annotations

import itertools
import logging
import re
from typing import ClassVar

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser

from estat_dagster.errors import ValidationError

# sqlglot prints the SQL of every statement it cannot parse to standard error.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

MAX_TEXT = 100_000
MAX_BRACKETS = 32
MAX_DEPTH = 200

_OTHERS = "GLOB GRANT NOTNULL PARTITIONED_BY REGEXP RETURNING REVOKE RLIKE ROLLBACK UNCACHE XOR"
NAMES = frozenset(_OTHERS.split())
"""Words of other dialects that are plain names in Athena."""
_SPECIAL_FORMS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "LISTAGG", "SUBSTRING", "JSON_QUERY")
_CODE = re.compile(r"\\(?:(\\)|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4}))")
_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)


def _sized_literal(parser: TrinoParser, text: exp.Expr, kind: exp.DataType) -> exp.Expr:
    """Return `DECIMAL '1.10'` and `CHAR 'ab'` with the size that their text has: a bare DECIMAL in a CAST has none."""
    if not kind.expressions:
        kind.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(size)) for size in _sizes(text.name, kind)])
    return parser.expression(exp.Cast(this=text, to=kind))


def _sizes(text: str, kind: exp.DataType) -> tuple[int, ...]:
    if kind.this == exp.DType.CHAR:
        return (len(text),)
    whole, _, decimals = text.strip().lstrip("+-").partition(".")
    return max(1, len(whole.lstrip("0")) + len(decimals)), len(decimals)


class _Parser(TrinoParser):
    """Counts its steps: the grammar backtracks, and `array[array[...` 20 deep takes it two minutes."""

    TYPE_LITERAL_PARSERS: ClassVar = {
        **TrinoParser.TYPE_LITERAL_PARSERS,
        exp.DType.DECIMAL: _sized_literal,
        exp.DType.CHAR: _sized_literal,
    }
    FUNCTIONS: ClassVar = {}
    FUNCTION_PARSERS: ClassVar = {
        **{name: TrinoParser.FUNCTION_PARSERS[name] for name in _SPECIAL_FORMS},
        "JSON_VALUE": lambda self: self._parse_json_value(),
    }
    PLACEHOLDER_PARSERS: ClassVar = {
        TokenType.PLACEHOLDER: lambda self: self.expression(exp.Placeholder(), token=self._prev)
    }
    SUBQUERY_TOKENS: ClassVar = {*TrinoParser.SUBQUERY_TOKENS, TokenType.VALUES}
    steps_left = 0

    def _parse_json_value(self, json_path: bool = False) -> exp.JSONValue:
        value, path = self._parse_bitwise(), self._match(TokenType.COMMA) and self._parse_bitwise()
        kind = self._parse_types() if self._match_text_seq("RETURNING") else None
        node = exp.JSONValue(this=value, path=path, returning=kind, on_condition=self._parse_on_condition())
        return self.expression(node)

    def _advance(self, times: int = 1) -> None:
        self.steps_left -= 1
        if self.steps_left < 0:
            raise _too_complex("its brackets nest too deeply")
        super()._advance(times)


class AthenaQuery(Trino):
    """Trino's dialect for queries. An array's index is kept as it is written: it may be the key of a map."""

    INDEX_OFFSET = 0
    NUMBERS_CAN_BE_UNDERSCORE_SEPARATED = True
    Parser = _Parser

    class Tokenizer(Trino.Tokenizer):
        """Words of other dialects are names in Athena."""

        KEYWORDS: ClassVar = {word: kind for word, kind in Trino.Tokenizer.KEYWORDS.items() if word not in NAMES}


def tokenize(sql: str, *, most: int = MAX_TEXT) -> list[Token]:
    """Split the text into words, within the bounds of length and nesting.

    Args:
        most: the most characters.

    Raises:
        ValidationError: too long, nested too deeply, not text, or a quote is left open.
    """
    if len(sql) > most:
        raise ValidationError(f"The SQL is {len(sql):,} characters long; {most:,} is the most.")
    if "\0" in sql or any("\ud800" <= char <= "\udfff" for char in sql):
        raise ValidationError("The SQL holds characters that are not text.", hint="Remove NUL and lone surrogates.")
    try:
        tokens = AthenaQuery().tokenize(sql)
    except TokenError as error:
        raise ValidationError(
            "The SQL ends inside a quote or a comment, or holds a character that SQL does not know.",
            hint="Close every ', \" and /*.",
        ) from error
    _check_numbers(tokens)
    if _nesting(tokens) > MAX_BRACKETS:
        raise _too_complex(f"its brackets nest {_nesting(tokens)} deep, {MAX_BRACKETS} is the most")
    return tokens


def parse(tokens: list[Token], sql: str) -> exp.Expr:
    """Return the syntax tree of the one statement in the tokens.

    Raises:
        ValidationError: it is not SQL, or more than one statement.
    """
    parser = _Parser(dialect=AthenaQuery())
    parser.steps_left = 10_000 + 10 * len(tokens)
    try:
        trees = [tree for tree in parser.parse(tokens, sql) if tree and not isinstance(tree, exp.Semicolon)]
    except ParseError as error:
        raise _syntax_error(error) from error
    except RecursionError as error:
        raise _too_complex("it nests too deeply") from error
    if len(trees) != 1:
        raise ValidationError(
            f"{len(trees)} statements were given; send one at a time.", hint="Remove what stands behind the semicolon."
        )
    _check_depth(trees[0])
    return trees[0].transform(_plain, copy=False)


def _plain(node: exp.Expr) -> exp.Expr:
    """Return in plain words what sqlglot writes otherwise than it was meant."""
    match node:
        case exp.UnicodeString() if not node.args.get("escape"):
            text = _CODE.sub(lambda found: found[1] or chr(int(found[2] or found[3], 16)), node.name)
            return exp.Literal.string(text)
        case exp.Values() if isinstance(node.parent, exp.All | exp.Any | exp.Subquery):
            return exp.Select(expressions=[exp.Star()], from_=exp.From(this=node.copy()))
        case exp.GroupConcat() if not node.args.get("separator"):
            node.set("separator", exp.Literal.string(""))
    return node


def write(tree: exp.Expr) -> str:
    """Return a tree as SQL for Athena, without comments.

    Raises:
        ValidationError: it nests too deeply.
    """
    try:
        return tree.sql(AthenaQuery, comments=False, normalize_functions=False)
    except RecursionError as error:
        raise _too_complex("it nests too deeply") from error


def _check_depth(tree: exp.Expr) -> None:
    """Refuse a tree that recursive code cannot walk. Chains like `a + b + c` or UNION are walked in loops."""
    depths = {id(tree): 0}
    for node in tree.walk():
        for child in node.iter_expressions():
            in_chain = isinstance(node, exp.Binary | exp.SetOperation) and type(child) is type(node)
            depths[id(child)] = depths[id(node)] + (not in_chain or isinstance(node, exp.Dot))
    if max(depths.values()) > MAX_DEPTH:
        raise _too_complex(f"it nests {max(depths.values())} deep, {MAX_DEPTH} is the most")


def _check_numbers(tokens: list[Token]) -> None:
    """Refuse `123abc`: sqlglot takes the letters for a name, and Athena takes no name there."""
    for number, word in itertools.pairwise(tokens):
        if number.token_type == TokenType.NUMBER and word.start == number.end + 1 and word.text[:1].isidentifier():
            raise ValidationError(
                f"{number.text}{word.text[:40]} is neither a number nor a name.",
                hint="Put a space or an operator between them, or a name in double quotes.",
            )


def _nesting(tokens: list[Token]) -> int:
    depth = deepest = 0
    for token in tokens:
        if token.token_type in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif token.token_type in _CLOSING:
            depth -= 1
    return deepest


def _syntax_error(error: ParseError) -> ValidationError:
    first = error.errors[0] if error.errors else {}
    line, column, word = first.get("line"), first.get("col"), str(first.get("highlight") or "").strip()
    place = f" at line {line}, column {column}" if line else ""
    near = f", near {word[:40]!r}" if word else ""
    return ValidationError(f"The SQL could not be read{place}{near}.", hint="Write one SELECT in Athena's SQL.")


def _too_complex(reason: str) -> ValidationError:
    return ValidationError(f"The SQL is too complex: {reason}.", hint="Split it with WITH, or into several queries.")
