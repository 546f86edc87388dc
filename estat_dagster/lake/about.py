"""The columns of the tables about the datasets, `dataset_inventory` and `dataset_dimensions`."""

from __future__ import annotations

from estat_dagster.columns import Column

INVENTORY, DIMENSIONS = "dataset_inventory", "dataset_dimensions"

INVENTORY_COLUMNS = (
    Column("dataset_id", "string", "統計表ID", "statsDataId", required=True),
    Column("domain", "string", "分野", "domain, which decides the table"),
    Column("title", "string", "表題", "title of the table"),
    Column("stat_name", "string", "政府統計名", "name of the survey"),
    Column("stat_code", "string", "政府統計コード", "code of the survey"),
    Column("gov_org", "string", "作成機関", "organisation that made it"),
    Column("cycle", "string", "周期", "how often it appears"),
    Column("survey_date", "string", "調査年月", "SURVEY_DATE as e-Stat gives it"),
    Column("open_date", "string", "公開日", "when it was opened"),
    Column("updated_date", "string", "更新日", "when e-Stat updated it"),
    Column("scope", "string", "取得範囲", "filter as JSON; {} is the whole table"),
    Column("status", "string", "状態", "registered, loaded or failed"),
    Column("total_number", "long", "総件数", "TOTAL_NUMBER of the scope"),
    Column("record_count", "long", "取得件数", "records received"),
    Column("valid_count", "long", "有効件数", "rows in the table"),
    Column("quarantined_count", "long", "隔離件数", "rows in quarantine"),
    Column("null_count", "long", "値なし件数", "rows without a number"),
    Column("table_name", "string", "テーブル名", "Iceberg table that holds the rows"),
    Column("snapshot_id", "long", "スナップショットID", "snapshot that the load made"),
    Column("content_hash", "string", "内容ハッシュ", "SHA-256 of the data"),
    Column("raw_uri", "string", "生データ", "manifest of the raw pages"),
    Column("parquet_uri", "string", "Parquetファイル", "Parquet file"),
    Column("run_id", "string", "実行ID", "Dagster run that loaded it"),
    Column("credit", "string", "出典", "credit that a publication must show"),
    Column("created_at", "timestamptz", "登録日時", "when it was registered (UTC)"),
    Column("updated_at", "timestamptz", "更新日時", "when its rows were last written (UTC)"),
)

DIMENSION_COLUMNS = (
    Column("dataset_id", "string", "統計表ID", "statsDataId", required=True),
    Column("axis_id", "string", "軸ID", "tab, cat01 to cat15, area or time"),
    Column("axis_name", "string", "軸名", "name of the axis"),
    Column("code", "string", "コード", "code of the class"),
    Column("name", "string", "名称", "name of the class"),
    Column("level", "string", "階層レベル", "level, as e-Stat gives it"),
    Column("parent_code", "string", "親コード", "code of the parent, which may not be in the list"),
    Column("unit", "string", "単位", "unit of the class"),
    Column("description", "string", "説明", "what e-Stat adds about the class"),
    Column("position", "int", "順序", "place on its axis, from 1"),
)
