"""Prompts for the common tasks, in Japanese and in English: what an assistant shall do with which tools, in order.

Those that load datasets are there only where tools that load are.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from mcp.server import MCPServer
from pydantic import Field

from mcp_bridge.arguments import DatasetId
from mcp_bridge.tools.datasets import DomainName

Theme = Annotated[str, Field(description="調べたいこと / what to look for", max_length=200)]
Asked = Annotated[str, Field(description="知りたいこと / the question", max_length=500)]
Language = Annotated[Literal["ja", "en"], Field(description="ja: 日本語, en: English")]


Domain = Annotated[str, Field(description="分野 / domain: " + ", ".join(get_args(DomainName)[1:]), max_length=20)]


def add_prompts(server: MCPServer[Any], *, read_only: bool = False) -> None:
    """Add the prompts to a server."""
    if read_only:
        server.prompt("find_statistics", title="統計を探す / Find statistics")(find_statistics_to_read)
        server.prompt(title="分析する / Analyse")(analyze_held)
    else:
        server.prompt(title="統計を探す / Find statistics")(find_statistics)
        server.prompt(title="取り込んで分析する / Ingest and analyse")(ingest_and_analyze)
        server.prompt(title="改定を調べる / What was revised")(review_revision)
    server.prompt(title="欠測を調べる / Missing values")(explain_missing)


def find_statistics(theme: Theme, language: Language = "ja", domain: Domain = "") -> str:
    """Find the table of e-Stat that answers a question (調べたいことに合う統計表を探す)."""
    last = {
        "en": "Recommend one, say why, name its survey, update date and credit, and ask whether to ingest it.",
        "ja": "1件を理由とともに勧め、調査名、更新日、出典を示し、取り込んでよいか尋ねます。",
    }
    return _finding(theme, language, domain, last[language])


def find_statistics_to_read(theme: Theme, language: Language = "ja", domain: Domain = "") -> str:
    """Find the table of e-Stat that answers a question (調べたいことに合う統計表を探す)."""
    last = {
        "en": "Recommend one, say why, name its survey, update date and credit. This server loads nothing: say whether "
        "list_datasets has it already.",
        "ja": "1件を理由とともに勧め、調査名、更新日、出典を示します。このサーバーは取込みをしないので、"
        "取込済みかどうかを list_datasets で確かめて伝えます。",
    }
    return _finding(theme, language, domain, last[language])


def _finding(theme: str, language: str, domain: str, last: str) -> str:
    if language == "en":
        field = f" (field: {domain})" if domain else ""
        return (
            f"Find statistics of Japan about: {theme}{field}\n"
            "1. Search with search_estat_data, in Japanese terms. If it offers suggestions, ask me which to accept and "
            "use apply_keyword_suggestions.\n"
            "2. Look at the best two or three with describe_dataset: survey, axes, periods, size.\n"
            f"3. {last}"
        )
    field = f"(分野: {domain})" if domain else ""
    return (
        f"次のことが分かる統計表を探してください: {theme}{field}\n"
        "1. search_estat_data で検索します。suggestions があれば、使う語を私に確かめて "
        "apply_keyword_suggestions を使います。\n"
        "2. 上位2、3件を describe_dataset で確かめます(調査、軸、期間、件数)。\n"
        f"3. {last}"
    )


def ingest_and_analyze(dataset_id: DatasetId, question: Asked, language: Language = "ja") -> str:
    """Load a dataset and answer a question with SQL (データセットを取り込み、SQLで答える)."""
    first = {
        "en": "describe_dataset; if the lake does not hold it, ingest_dataset_complete, and get_run until it is "
        "finished. If checks fail, tell me what they found.",
        "ja": "describe_dataset で確かめ、取込済みでなければ ingest_dataset_complete を呼び、get_run で完了まで"
        "追います。検査が不合格なら内容を報告します。",
    }
    return _analyzing(dataset_id, question, language, first[language])


def analyze_held(dataset_id: DatasetId, question: Asked, language: Language = "ja") -> str:
    """Answer a question with SQL from a dataset of the lake (取込済みのデータセットから、SQLで答える)."""
    first = {
        "en": "describe_dataset; if the lake does not hold it, say so and stop: this server loads nothing.",
        "ja": "describe_dataset で取込済みか確かめます。このサーバーは取込みをしないので、"
        "取り込まれていなければ、そう伝えて終わります。",
    }
    return _analyzing(dataset_id, question, language, first[language])


def _analyzing(dataset_id: str, question: str, language: str, first: str) -> str:
    if language == "en":
        return (
            f"Answer with dataset {dataset_id}: {question}\n"
            f"1. {first}\n"
            "2. find_codes for the codes that the question needs; do not add totals to their parts.\n"
            f"3. analyze_with_athena with a SELECT that filters dataset_id = '{dataset_id}'. NULL is missing, not 0.\n"
            "4. Answer with units, period, the number of missing cells, snapshot and credit."
        )
    return (
        f"データセット {dataset_id} で次の問いに答えてください: {question}\n"
        f"1. {first}\n"
        "2. 必要なコードを find_codes で調べます。合計とその内訳を足し合わせません。\n"
        f"3. analyze_with_athena で dataset_id = '{dataset_id}' に絞ったSELECTを実行します。"
        "NULLは欠測で、0ではありません。\n"
        "4. 単位、期間、欠測の数、スナップショット、出典を添えて答えます。"
    )


def review_revision(dataset_id: DatasetId, language: Language = "ja") -> str:
    """Load a dataset again and tell what e-Stat revised (再取得して改定された値を調べる)."""
    if language == "en":
        return (
            f"Load dataset {dataset_id} again with ingest_dataset_complete and follow it with get_run. If `unchanged` "
            "is true, or only one state is kept, nothing was revised: say so. Else use compare_snapshots and tell me "
            "what was revised, added and removed: how many cells, the largest changes with old and new values, and "
            "whether numbers became missing."
        )
    return (
        f"データセット {dataset_id} を ingest_dataset_complete で取り込み直し、get_run で完了まで追ってください。"
        "unchanged が true のとき、または前の状態がないときは改定がないので、そう答えます。"
        "それ以外は compare_snapshots で変更、追加、削除された行を調べ、"
        "件数、大きな変化の新旧の値、数値が欠測になったかどうかを報告します。"
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
