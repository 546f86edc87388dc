"""What a query gives: the names of its columns, their types, and how many rows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import pyarrow as pa
from sqlglot import exp

from estat_dagster.errors import ValidationError
from estat_dagster.query.types import ATHENA_TYPE

_UNNAMED = re.compile(r"\(column \d+\)")
_PAGES = 10
_SORTED_ROWS = 10_000
# Sums of whole numbers are 128 bits wide in DuckDB, 64 in Athena.
_SUBQUERIES = (exp.Exists, exp.In)
_WIDE = frozenset({"HUGEINT", "UHUGEINT", "UBIGINT"})


def name_columns(tree: exp.Expr) -> None:
    """Name the columns that the query leaves without a name, so that DuckDB's own spelling never shows."""
    numbers = itertools.count(1)
    for select in tree.find_all(exp.Select):
        for column in select.expressions:
            if not isinstance(column, exp.Alias | exp.Star | exp.Dot) and not isinstance(column.unnest(), exp.Column):
                column.replace(exp.Alias(this=column.copy(), alias=_unnamed(numbers)))
    for values in tree.find_all(exp.Values):
        alias = values.args.get("alias") or exp.TableAlias(this=exp.to_identifier("values", quoted=True))
        if values is not tree and not alias.columns and not isinstance(values.parent, _SUBQUERIES):
            width = len(values.expressions[0].expressions) or 1
            alias.set("columns", [_unnamed(numbers) for _ in range(width)])
            values.set("alias", alias)


def _unnamed(numbers: Iterator[int]) -> exp.Identifier:
    return exp.to_identifier(f"(column {next(numbers)})", quoted=True)


def limit_sorted(tree: exp.Expr, page: int | None) -> int | None:
    """Let a sorted query give no more rows than its pages may need: few are kept while sorting then, and not all.

    Returns:
        The rows that can be read, None if all can be: `within` says so when they are used up.
    """
    if page is None or not tree.args.get("order") or tree.args.get("limit"):
        return None
    reach = max(_PAGES * page, _SORTED_ROWS)
    tree.set("limit", exp.Limit(expression=exp.Literal.number(reach + 1)))
    return reach


def within(batches: Iterator[pa.RecordBatch], reach: int | None) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a query that `limit_sorted` has limited.

    Raises:
        ValidationError: there are more rows than can be reached.
    """
    rows = 0
    for batch in batches:
        yield batch
        rows += batch.num_rows
    if reach is not None and rows > reach:
        raise ValidationError(
            f"Of a sorted answer {reach:,} rows can be read page by page; there are more.",
            hint="Narrow it with WHERE, or read it without a limit.",
        )


def schema(duckdb: pa.Schema, types: Sequence[object], *, all_unnamed: bool) -> pa.Schema:
    """Return the schema of the answer: `_col3` for what has no name, and Athena's types for those it does not have.

    Args:
        duckdb: the schema that DuckDB gives.
        types: DuckDB's own types of the columns.
        all_unnamed: whether no column has a name, as in VALUES.
    """
    return pa.schema(
        pa.field(
            f"_col{position}" if all_unnamed or _UNNAMED.fullmatch(field.name) else field.name,
            pa.int64() if str(kind) in _WIDE else _signed(field.type),
            metadata={ATHENA_TYPE: "uuid"} if str(kind) == "UUID" else None,
        )
        for position, (field, kind) in enumerate(zip(duckdb, types, strict=True))
    )


def _signed(kind: pa.DataType) -> pa.DataType:
    """Return the type that Athena has for one of DuckDB's, whose counts inside a map have no sign."""
    if pa.types.is_map(kind):
        return pa.map_(_signed(kind.key_type), _signed(kind.item_type))
    return pa.int64() if pa.types.is_uint64(kind) else kind


def fit(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch of DuckDB's with the names and types of the answer.

    Raises:
        ValidationError: a number is too large for the type.
    """
    batch = batch.rename_columns(schema.names)
    if batch.schema.types == schema.types:
        return batch
    try:
        return batch.cast(schema)
    except pa.ArrowInvalid as error:
        raise ValidationError(
            "A whole number of the answer is larger than bigint.", hint="CAST it to DOUBLE."
        ) from error
