"""The syntax that a query may be made of: node classes of the tree and, for each, the parts that it may have.

An allow-list: what is not written here is refused, whatever a new sqlglot learns to read. Functions are in `functions`.
"""

from __future__ import annotations

from sqlglot import exp

_MODIFIERS = "with_ order limit offset"

# What each node may hold. A part that is absent, None, False or empty is always fine.
_PARTS: dict[type[exp.Expr], str] = {
    # Queries.
    exp.Select: f"{_MODIFIERS} distinct expressions from_ joins laterals where group having windows",
    exp.Union: f"{_MODIFIERS} this expression distinct",
    exp.Intersect: f"{_MODIFIERS} this expression distinct",
    exp.Except: f"{_MODIFIERS} this expression distinct",
    exp.Subquery: f"{_MODIFIERS} this alias",
    exp.Values: "expressions alias order limit offset",
    exp.With: "expressions recursive",
    exp.CTE: "this alias",
    # Where rows come from.
    exp.From: "this",
    exp.Table: "this db catalog alias joins laterals version sample",
    exp.TableAlias: "this columns",
    exp.TableSample: "method percent",
    exp.Version: "this kind expression",
    exp.Join: "this on side kind using method",
    exp.Lateral: "this alias",
    exp.Unnest: "expressions alias offset",
    # Clauses.
    exp.Where: "this",
    exp.Group: "expressions grouping_sets cube rollup",
    exp.GroupingSets: "expressions",
    exp.Cube: "expressions",
    exp.Rollup: "expressions",
    exp.Having: "this",
    exp.Distinct: "expressions",
    exp.Order: "this expressions",
    exp.Ordered: "this desc nulls_first",
    exp.Limit: "expression",
    exp.Offset: "expression",
    exp.Fetch: "direction count limit_options",
    exp.LimitOptions: "rows with_ties",
    exp.Window: "this partition_by order spec alias over",
    exp.WindowSpec: "kind start start_side end end_side exclude",
    # Values.
    exp.Identifier: "this quoted",
    exp.Column: "this table db catalog",
    exp.Star: "",
    exp.Alias: "this alias",
    exp.Literal: "this is_string",
    exp.Boolean: "this",
    exp.Null: "",
    exp.Placeholder: "",
    exp.Var: "this",
    exp.Paren: "this",
    exp.Tuple: "expressions",
    exp.Array: "expressions bracket_notation",
    exp.Bracket: "this expressions offset safe",
    exp.Dot: "this expression",
    exp.Lambda: "this expressions",
    exp.Interval: "this unit",
    exp.Concat: "expressions safe coalesce",
    # Operators.
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.DPipe), "this expression safe"),
    exp.Div: "this expression typed safe",
    exp.Neg: "this",
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), "this expression"),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ, exp.And, exp.Or, exp.Is, exp.Escape), "this expression"),
    exp.Like: "this expression negate",
    exp.Not: "this",
    exp.Between: "this low high",
    exp.In: "this expressions query",
    exp.Exists: "this",
    exp.Any: "this",
    exp.All: "this",
    exp.AtTimeZone: "this zone",
    # Functions, and the forms that have a syntax of their own.
    exp.Anonymous: "this expressions",
    exp.Cast: "this to",
    exp.TryCast: "this to safe",
    exp.DataType: "this expressions nested",
    exp.DataTypeParam: "this",
    exp.ColumnDef: "this kind",
    exp.Case: "this ifs default",
    exp.If: "this true false",
    exp.Extract: "this expression",
    exp.Trim: "this expression position",
    exp.StrPosition: "this substr",
    exp.Substring: "this start length",
    exp.GroupConcat: "this separator on_overflow",
    exp.OverflowTruncateBehavior: "this with_count",
    exp.WithinGroup: "this expression",
    exp.Filter: "this expression",
    exp.IgnoreNulls: "this",
    exp.RespectNulls: "this",
    exp.CurrentDate: "",
    exp.CurrentTime: "",
    exp.CurrentTimestamp: "",
    exp.Localtime: "",
    exp.Localtimestamp: "",
    exp.HexString: "this",
    exp.ParseJSON: "this is_literal",
    exp.JSONExtract: "this expression option json_query quote on_condition",
    exp.JSONExtractQuote: "option scalar",
    exp.JSONValue: "this path returning on_condition",
    exp.OnCondition: "empty error",
    exp.IntervalSpan: "this expression",
}
PARTS = {node: frozenset(parts.split()) for node, parts in _PARTS.items()}

# What may say which version of a table is meant: literals, parameters, today, and intervals between them.
VERSION_PARTS = (
    exp.Literal,
    exp.Placeholder,
    exp.Cast,
    exp.DataType,
    exp.DataTypeParam,
    exp.CurrentDate,
    exp.CurrentTimestamp,
    exp.Localtimestamp,
    exp.Add,
    exp.Sub,
    exp.Neg,
    exp.Paren,
    exp.Interval,
    exp.Var,
    exp.AtTimeZone,
)

SAMPLES = frozenset({"BERNOULLI", "SYSTEM"})
JOIN_KINDS = frozenset({"", "INNER", "OUTER", "CROSS"})
JOIN_METHODS = frozenset({""})

TYPES = frozenset(
    {
        exp.DType.BOOLEAN,
        exp.DType.TINYINT,
        exp.DType.SMALLINT,
        exp.DType.INT,
        exp.DType.BIGINT,
        exp.DType.FLOAT,
        exp.DType.DOUBLE,
        exp.DType.DECIMAL,
        exp.DType.CHAR,
        exp.DType.VARCHAR,
        exp.DType.TEXT,
        exp.DType.VARBINARY,
        exp.DType.DATE,
        exp.DType.TIME,
        exp.DType.TIMESTAMP,
        exp.DType.TIMESTAMPTZ,
        exp.DType.ARRAY,
        exp.DType.MAP,
        exp.DType.STRUCT,
        exp.DType.JSON,
        exp.DType.UUID,
    }
)

# What a user calls the things that are refused most, where the class's own name would not say it.
NAMES: dict[type[exp.Expr], str] = {
    exp.Anonymous: "a function call",
    exp.Select: "a subquery",
    exp.Subquery: "a subquery",
    exp.Into: "SELECT INTO",
    exp.Lock: "FOR UPDATE",
    exp.Hint: "a hint",
    exp.Parameter: "@variable",
    exp.SessionParameter: "@@variable",
    exp.Kwarg: "a named argument",
    exp.PropertyEQ: "a named argument",
    exp.JSONExtract: "the operator ->",
    exp.JSONExtractScalar: "the operator ->>",
    exp.MatchRecognize: "MATCH_RECOGNIZE",
    exp.FunctionSpecification: "WITH FUNCTION",
    exp.Struct: "{...}",
    exp.ILike: "ILIKE",
    exp.UnicodeString: "a U& literal",
}
PART_NAMES = {
    "all": "GROUP BY ALL",
    "by_name": "UNION BY NAME",
    "except_": "SELECT * EXCLUDE",
    "into": "SELECT INTO",
    "locks": "FOR UPDATE",
    "match": "MATCH_RECOGNIZE",
    "materialized": "MATERIALIZED",
    "on": "DISTINCT ON",
    "pivots": "PIVOT",
    "qualify": "QUALIFY",
    "rename": "SELECT * RENAME",
    "replace": "SELECT * REPLACE",
    "udfs": "WITH FUNCTION",
    "view": "LATERAL VIEW",
}


def name_of(node: exp.Expr) -> str:
    """Return what a user would call a node that is not allowed."""
    return NAMES.get(type(node)) or type(node).__name__.upper()


def name_of_part(node: exp.Expr, part: str) -> str:
    """Return what a user would call a part of a node that is not allowed."""
    return PART_NAMES.get(part) or f"{name_of(node)} with {part.strip('_').upper()}"
