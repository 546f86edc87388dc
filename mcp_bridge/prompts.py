"""Prompts for the common tasks, in Japanese and in English: what an assistant shall do with which tools, in order."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from pydantic import Field

from mcp_bridge.arguments import DatasetId

Language = Annotated[Literal["ja", "en"], Field(description="ja: 日本語, en: English")]


def add_prompts(server: MCPServer[Any]) -> None:
    """Add the prompts to a server."""
    server.prompt(title="統計を探す / Find statistics")(find_statistics)
    server.prompt(title="取り込んで分析する / Ingest and analyse")(ingest_and_analyze)
    server.prompt(title="改定を調べる / What was revised")(review_revision)
    server.prompt(title="欠測を調べる / Missing values")(explain_missing)


def find_statistics(
    theme: Annotated[str, Field(description="調べたいこと / what to look for", max_length=200)],
    language: Language = "ja",
) -> str:
    """Find the table of e-Stat that answers a question (調べたいことに合う統計表を探す)."""
    if language == "en":
        return (
            f"Find statistics of Japan about: {theme}\n"
            "1. Search with search_estat_data, in Japanese terms. If it offers suggestions, ask me which to accept and "
            "use apply_keyword_suggestions.\n"
            "2. Look at the best two or three with describe_dataset: survey, axes, periods, size.\n"
            "3. Recommend one, say why, name its survey, update date and credit, and ask whether to ingest it."
        )
    return (
        f"次のことが分かる統計表を探してください: {theme}\n"
        "1. search_estat_data で検索します。suggestions があれば、使う語を私に確かめて "
        "apply_keyword_suggestions を使います。\n"
        "2. 上位2、3件を describe_dataset で確かめます(調査、軸、期間、件数)。\n"
        "3. 1件を理由とともに勧め、調査名、更新日、出典を示し、取り込んでよいか尋ねます。"
    )


def ingest_and_analyze(
    dataset_id: DatasetId,
    question: Annotated[str, Field(description="知りたいこと / the question", max_length=500)],
    language: Language = "ja",
) -> str:
    """Load a dataset and answer a question with SQL (データセットを取り込み、SQLで答える)."""
    if language == "en":
        return (
            f"Answer with dataset {dataset_id}: {question}\n"
            "1. describe_dataset; if the lake does not hold it, ingest_dataset_complete, and get_run until it is "
            "finished. If checks fail, tell me what they found.\n"
            "2. find_codes for the codes that the question needs; do not add totals to their parts.\n"
            f"3. analyze_with_athena with a SELECT that filters dataset_id = '{dataset_id}'. NULL is missing, not 0.\n"
            "4. Answer with units, period, the number of missing cells, snapshot and credit."
        )
    return (
        f"データセット {dataset_id} で次の問いに答えてください: {question}\n"
        "1. describe_dataset で確かめ、取込済みでなければ ingest_dataset_complete を呼び、get_run で完了まで追います。"
        "検査が不合格なら内容を報告します。\n"
        "2. 必要なコードを find_codes で調べます。合計とその内訳を足し合わせません。\n"
        f"3. analyze_with_athena で dataset_id = '{dataset_id}' に絞ったSELECTを実行します。"
        "NULLは欠測で、0ではありません。\n"
        "4. 単位、期間、欠測の数、スナップショット、出典を添えて答えます。"
    )


def review_revision(dataset_id: DatasetId, language: Language = "ja") -> str:
    """Load a dataset again and tell what e-Stat revised (再取得して改定された値を調べる)."""
    if language == "en":
        return (
            f"Load dataset {dataset_id} again with ingest_dataset_complete, follow it with get_run, then use "
            "compare_snapshots and tell me what was revised, added and removed: how many cells, the largest changes "
            "with old and new values, and whether numbers became missing. If nothing changed, say so."
        )
    return (
        f"データセット {dataset_id} を ingest_dataset_complete で取り込み直し、get_run で完了まで追い、"
        "compare_snapshots で変更、追加、削除された行を調べてください。"
        "件数、大きな変化の新旧の値、数値が欠測になったかどうかを報告します。"
        "変化がなければ、そう答えます。"
    )


def explain_missing(dataset_id: DatasetId, language: Language = "ja") -> str:
    """Tell which cells of a dataset have no number, and why (値のないセルとその理由を調べる)."""
    if language == "en":
        return (
            f"In dataset {dataset_id}, which cells have no number, and why? Use analyze_with_athena (basic, analysis "
            "missing), then a SELECT that counts NULL value by year, region and missing_reason. Do not treat NULL as 0."
        )
    return (
        f"データセット {dataset_id} で値のないセルとその理由を調べてください。"
        "analyze_with_athena(basic の analysis=missing)と、"
        "年・地域・missing_reason ごとに value が NULL の行を数えるSELECTを使います。NULLを0として扱いません。"
    )
