"""Questions in SQL put to the engine: canned analyses or one's own, each with where its rows are from, kept open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from estat_dagster.errors import ValidationError
from mcp_bridge.japanese import meaning_of
from mcp_bridge.open_results import OpenResult
from mcp_bridge.origins import Origins, find_origins

if TYPE_CHECKING:
    from estat_dagster.workbench import Workbench

Kind = Literal["", "basic", "advanced", "custom"]


@dataclass(frozen=True)
class Question:
    """What is asked; `analysis` is one of a kind's analyses, "" all of them."""

    table_name: str = ""
    dataset_id: str = ""
    kind: Kind = ""
    analysis: str = ""
    custom_query: str = ""
    as_of: str = ""


@dataclass(frozen=True)
class About:
    """What a result answers."""

    name: str
    meaning: str
    sql: str
    origins: Origins


def ask(bench: Workbench, question: Question) -> Iterator[OpenResult]:
    """Yield the results of a question, none of them read yet; their `about` is an `About`.

    Raises:
        ValidationError: parts of the question do not go together, or the SQL is not allowed.
    """
    if question.kind == "custom" or (question.custom_query and not question.kind):
        yield _ask_custom(bench, question)
    else:
        yield from _ask_canned(bench, question)


def _ask_custom(bench: Workbench, question: Question) -> OpenResult:
    sql = question.custom_query
    if not sql.strip():
        raise ValidationError("custom_query is empty.", hint="Write one SELECT; list_tables shows tables and columns.")
    if question.dataset_id or question.table_name or question.analysis:
        raise ValidationError(
            "A custom_query stands alone.", hint="Name table and dataset in the SQL: WHERE dataset_id = '0000010101'."
        )
    as_of = question.as_of or None
    about = About("custom", "", sql, find_origins(bench.lake.tables, sql, as_of))
    return OpenResult(bench.sql.run(sql, as_of=as_of), question, about)


def _ask_canned(bench: Workbench, question: Question) -> Iterator[OpenResult]:
    from estat_dagster.query.analyses import answer

    if question.custom_query:
        raise ValidationError(
            f"A custom_query does not belong to {question.kind}.", hint="Use analysis_type custom, or leave it out."
        )
    if bool(question.dataset_id) == bool(question.table_name):
        raise ValidationError(
            "Give one of dataset_id and table_name, or a custom_query.", hint="list_datasets shows what the lake holds."
        )
    subject, as_of = question.dataset_id or question.table_name, question.as_of or None
    only = [question.analysis] if question.analysis else []
    for each in answer(bench.sql, question.kind or "basic", subject, only=only, as_of=as_of):
        analysis = each.analysis
        origins = find_origins(bench.lake.tables, analysis.sql, as_of, question.dataset_id or None)
        yield OpenResult(each.result, question, About(analysis.name, meaning_of(analysis.name), analysis.sql, origins))
