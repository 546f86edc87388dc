"""The credit that e-Stat's terms ask for: one text wherever data or answers are shown.

Source: e-Stat API 機能利用規約, クレジットの表示; 政府標準利用規約 (出典, 加工).
"""

from __future__ import annotations

from estat_dagster.estat.models import TableInfo
from estat_dagster.settings import SANDBOX

SERVICE_CREDIT = (
    "このサービスは、政府統計総合窓口(e-Stat)のAPI機能を使用していますが、"
    "サービスの内容は国によって保証されたものではありません。"
)
SANDBOX_CREDIT = "サンドボックスのデータであり、公表された統計ではない場合があります。"


def service_credit(source: str) -> str:
    """Return the credit of an answer that is about no single table; `source` is the client's."""
    return f"{SANDBOX_CREDIT if source == SANDBOX else ''}{SERVICE_CREDIT}"


def table_credit(table: TableInfo, source: str, *, processed: bool) -> str:
    """Return the credit of a table: where it is from, that it was processed where it was, and e-Stat's own words."""
    cited = f"出典：政府統計の総合窓口(e-Stat)、{table.gov_org}「{table.stat_name}」{table.title}"
    note = SANDBOX_CREDIT if source == SANDBOX else ""
    return f"{note}{cited}{'を加工して作成' if processed else ''}。{SERVICE_CREDIT}"
