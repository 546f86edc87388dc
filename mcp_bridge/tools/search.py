"""Finding tables of e-Stat: search, and the statistical terms for everyday words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mcp_bridge.answers import Answer, Facts, wire_size
from mcp_bridge.arguments import Cursor
from mcp_bridge.bridge import Bridge
from mcp_bridge.pages import as_many_as_fit, cursor_for, offset_of
from mcp_bridge.plain import cut, data_line
from mcp_bridge.toolbox import reading

if TYPE_CHECKING:
    from estat_dagster.estat.search import Hit
    from estat_dagster.estat.suggest import Suggestion

MOST_TITLE = 300
NOTHING = (
    "次: 統計表の題名にある短い語を空白で区切り、語や条件を減らして search_estat_data をもう一度呼んでください"
    "(例: 人口 世帯、完全失業率、消費者物価指数)。地域や年は表の中の軸にあることが多いので、省いて探します。"
)


class FoundTable(Facts):
    """A table of e-Stat that matches."""

    dataset_id: str
    title: str
    survey: str
    organisation: str
    field: str
    cycle: str
    years: str | None
    area_level: str
    records: int | None
    updated: str
    score: int
    why: str

    def line(self) -> str:
        """Return it as a line of data."""
        size = "件数不明" if self.records is None else f"{self.records:,}件"
        known = (self.dataset_id, self.title, self.survey, self.organisation, self.cycle, self.years or "年不明")
        return data_line([*known, self.area_level, size, f"更新 {self.updated}", f"{self.score}点"])


class Term(Facts):
    """The statistical terms for an everyday word of the query."""

    word: str
    terms: list[str]
    reason: str
    field: str


class SearchAnswer(Answer):
    """A page of the tables that match; `query` is what was searched for, `note` why it is not what was asked."""

    query: str
    note: str
    total: int
    results: list[FoundTable]
    suggestions: list[Term]
    next_cursor: str | None
    source: str
    credit: str

    def text(self) -> str:
        """Return a line a table, and the terms that may find more."""
        shown = f"{len(self.results):,}件を表示" if self.results else "見つかりませんでした"
        lines = [self.note] if self.note else []
        lines.append(f"e-Statの統計表 {self.total:,}件中、{shown}。")
        lines += [table.line() for table in self.results]
        for term in self.suggestions:
            lines += [f"「{term.word}」の統計用語: {'、'.join(term.terms)}。{term.reason}"]
        if self.suggestions:
            lines.append("使う語をユーザーに確かめ、apply_keyword_suggestions に渡してください。")
        if self.next_cursor:
            lines.append(f"続きは next_cursor: {self.next_cursor}")
        if self.results:
            lines.append("次: describe_dataset で軸と件数を確かめます。")
            lines.append(self.to_load("取込みは ingest_dataset_complete で行います。"))
        else:
            lines.append(NOTHING)
        return "\n".join([*lines, data_line([self.credit])])


@reading("統計表の検索", open_world=True)
def search_estat_data(
    bridge: Bridge,
    query: Annotated[str, Field(description="words, best in 日本語", max_length=500)] = "",
    max_results: Annotated[int, Field(ge=1, le=100)] = 10,
    auto_suggest: Annotated[bool, Field(description="offer statistical terms")] = True,
    field: Annotated[str, Field(description="統計分野: 02 人口, 03 労働, 07 経済, 12 教育, 15 衛生")] = "",
    survey: Annotated[str, Field(description="政府統計コード")] = "",
    area: Annotated[str, Field(description="national, prefecture or municipality")] = "",
    cycle: Annotated[str, Field(description="annual, fiscal, quarterly, monthly")] = "",
    years: Annotated[str, Field(description="2020, 2015..2020")] = "",
    updated: Annotated[str, Field(description="2026-01, 2026-01-01..")] = "",
    small_areas: Annotated[bool, Field(description="小地域・メッシュ instead")] = False,
    cursor: Cursor = "",
) -> SearchAnswer:
    """Search the tables (統計表) of e-Stat, best first, with reasons. Start here to find a dataset_id.

    Give at least one criterion. For what the lake already holds use list_datasets.
    """
    from estat_dagster.estat.criteria import Criteria
    from estat_dagster.estat.search import search_tables
    from estat_dagster.estat.suggest import suggest
    from mcp_bridge.phrases import keywords

    criteria = Criteria(query, field, survey, area, cycle, years, updated, small_areas)
    asked = asdict(criteria)
    offset = offset_of(cursor, **asked)
    found, words, note = (
        search_tables(bridge.bench.estat, criteria, offset=offset, most=max_results),
        keywords(query),
        "",
    )
    if not found.total and words != query:
        found = search_tables(bridge.bench.estat, replace(criteria, words=words), offset=offset, most=max_results)
        note = f"そのままの文では見つからないので、「{found.words}」で検索しました。"
    terms = [_term(each) for each in suggest(query) or suggest(words)] if auto_suggest else []

    def compose(hits: Sequence[Hit]) -> SearchAnswer:
        after = offset + len(hits)
        return SearchAnswer(
            query=found.words,
            note=note,
            total=found.total,
            results=[_table(hit) for hit in hits],
            suggestions=terms,
            next_cursor=cursor_for(after, **asked) if hits and after < found.total else None,
            source=found.source,
            credit=found.credit,
        )

    return as_many_as_fit(found.hits, compose, wire_size)


class AppliedTerms(Answer):
    """The query with the accepted terms in it."""

    original_query: str
    query: str
    replaced: dict[str, str]

    def text(self) -> str:
        """Return the new query, and what to do with it."""
        return f"新しい検索語:\n{data_line([self.query])}\n次: search_estat_data(query=この検索語) で検索します。"


@reading("検索語の置き換え")
def apply_keyword_suggestions(
    bridge: Bridge,
    original_query: Annotated[str, Field(description="the query searched for", min_length=1, max_length=500)],
    accepted_keywords: Annotated[dict[str, str], Field(description='accepted: {"収入": "所得"}', min_length=1)],
) -> AppliedTerms:
    """Put the statistical terms (統計用語) that the user accepted into a query, in place of its everyday words.

    Takes what search_estat_data offered in `suggestions`, and returns the new query.
    """
    from estat_dagster.estat.suggest import apply_suggestions, suggest
    from mcp_bridge.phrases import keywords

    words = original_query if suggest(original_query) else keywords(original_query)
    query = apply_suggestions(words, accepted_keywords)
    return AppliedTerms(original_query=original_query, query=query, replaced=accepted_keywords)


def _table(hit: Hit) -> FoundTable:
    facts = {name: getattr(hit, name) for name in FoundTable.model_fields if name != "dataset_id"}
    return FoundTable(dataset_id=hit.id, **facts | {"title": cut(hit.title, MOST_TITLE)})


def _term(suggestion: Suggestion) -> Term:
    field = f"{suggestion.field} {suggestion.field_name}"
    return Term(word=suggestion.word, terms=list(suggestion.terms), reason=suggestion.reason, field=field)


TOOLS = (search_estat_data, apply_keyword_suggestions)
