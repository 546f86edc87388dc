"""What the project says in English, as readers of answers know it: states, checks and analyses, by their names."""

from __future__ import annotations

STATES = {
    "QUEUED": "実行待ち",
    "NOT_STARTED": "実行待ち",
    "STARTING": "起動中",
    "STARTED": "実行中",
    "CANCELING": "中止処理中",
    "CANCELED": "中止",
    "SUCCESS": "完了",
    "FAILURE": "失敗",
    "WAITING": "待機",
    "RUNNING": "実行中",
    "SKIPPED": "省略",
}
LAYERS = {
    "raw_json": "取得",
    "transformed_frame": "行への変換",
    "validated_records": "検証",
    "parquet_file": "Parquet",
    "iceberg_table": "テーブル",
}
CHECKS = {
    "complete": "全件が揃っている",
    "codes_known": "コードがすべて定義にある",
    "periods_parsed": "時間コードがすべて期間として読める",
    "rows_conserved": "取得・変換・有効・隔離の件数が合う",
    "required_columns": "必要な列が揃っている",
    "no_unexplained_nulls": "値のない行に理由がある",
    "no_duplicates": "同じ座標の行が重ならない",
    "quarantine_ratio": "隔離された行が少ない",
    "units_consistent": "同じ指標の単位がそろっている",
    "totals_reconcile": "合計が内訳の和に等しい",
    "parquet_readable": "Parquetを読み戻せる",
    "table_matches": "テーブルの行がParquetと一致する",
}
ANALYSES = {
    "overview": "セル・値・欠測・期間・地域の数",
    "years": "年ごとの収録状況(暦年と年度は別)",
    "regions": "地域ごとの収録状況",
    "missing": "値のない理由(統計表の注記のまま)",
    "summary": "系列ごとの最小・最大・平均(期間と、合計でない地域にわたる)",
    "change": "前期からの変化(合計の系列)",
    "rank": "最新期の地域の順位(値の大きい順)",
    "quartiles": "最新期の地域のばらつきと外れ値",
    "share": "最新期の、全体に占める割合",
    "parts": "合計と内訳の和の差(大きい順)",
}


def meaning_of(analysis: str) -> str:
    """Return what a canned analysis shows; share and parts are of an axis, which their names end with."""
    kind, _, axis = analysis.partition("_")
    return f"{ANALYSES[kind]}: {axis}" if axis else ANALYSES.get(kind, "")
