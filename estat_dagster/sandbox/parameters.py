"""The parameters that the functions share: what each may hold, and how an answer repeats them (PARAMETER).

The narrowing parameters of getStatsData are in `narrowing`, the dates of getStatsList in `periods`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from estat_dagster.sandbox import wire
from estat_dagster.sandbox.holdings import Dataset
from estat_dagster.sandbox.model import Table, Wire
from estat_dagster.sandbox.refusal import missing, unknown_id, wrong_value

Params = Mapping[str, str]
"""The parameters of a request without appId; one that is empty counts as not given."""

MOST_RECORDS = 100_000
"""The most records of one answer, and what `limit` is when it is not given."""

AREAS = {"1": "全国", "2": "都道府県", "3": "市区町村"}
"""What the numbers of `collectArea` stand for."""

TABLE_ID = ("統計表ID", "statsDataId")

_ALLOWED = {
    "lang": ("取得言語", "J|E"),
    "statsNameList": ("統計調査名指定", ".*"),
    "statsField": ("統計分野", r"\d{2}|\d{4}"),
    "statsCode": ("政府統計コード", r"\d{5}|\d{8}"),
    "collectArea": ("集計地域区分", "[123]"),
    "searchKind": ("検索データ種別", "[12]"),
    "startPosition": ("データ取得開始位置", r"[1-9]\d{0,9}"),
    "limit": ("データ取得件数", rf"[1-9]\d{{0,4}}|{MOST_RECORDS}"),
    "metaGetFlg": ("メタ情報有無", "[YN]"),
    "cntGetFlg": ("件数取得フラグ", "[YN]"),
    "explanationGetFlg": ("解説情報有無", "[YN]"),
    "annotationGetFlg": ("注釈情報有無", "[YN]"),
    "replaceSpChars": ("特殊文字の置換", "[0123]"),
    "dataType": ("検索データ形式", "(?:XLS|CSV|PDF|XML|XLS_REP|DB)(?:,(?:XLS|CSV|PDF|XML|XLS_REP|DB))*"),
    "dataSetId": ("データセットID", "[A-Za-z0-9._@-]{1,30}"),
    "dataSetName": ("データセット名", ".{1,256}"),
    "openSpecified": ("公開可否", "[01]"),
    "processMode": ("処理モード", "[ED]"),
    "sectionHeaderFlg": ("セクションヘッダフラグ", "[12]"),
}


def check(params: Params, names: Iterable[str]) -> None:
    """Refuse a wrong value among the parameters of these names.

    Raises:
        RefusalError: STATUS 102.
    """
    for name in names:
        label, pattern = _ALLOWED[name]
        if name in params and not re.fullmatch(pattern, params[name], re.ASCII):
            raise wrong_value(label, name)


def echo(params: Params, names: Iterable[tuple[str, str]]) -> Wire:
    """Return what an answer repeats of the parameters: (name in the request, name in the answer), in this order."""
    return {shown: wire.text(params[name]) for name, shown in names if name in params}


def table_of(params: Params, tables: Mapping[str, Table]) -> Table:
    """Return the table that `statsDataId` names.

    Raises:
        RefusalError: STATUS 101 without the parameter, 300 for an id that is not there.
    """
    if (table_id := params.get("statsDataId")) is None:
        raise missing("統計表ID（statsDataId）")
    if table_id not in tables:
        raise unknown_id(*TABLE_ID, table_id)
    return tables[table_id]


def dataset_of(params: Params, datasets: Mapping[str, Dataset]) -> Dataset:
    """Return the dataset that `dataSetId` names.

    Raises:
        RefusalError: STATUS 300 for an id that is not there.
    """
    dataset_id = params["dataSetId"]
    if dataset_id not in datasets:
        raise unknown_id("データセットID", "dataSetId", dataset_id)
    return datasets[dataset_id]


def page(params: Params) -> tuple[int, int]:
    """Return `startPosition` (1-based) and `limit`."""
    return int(params.get("startPosition", 1)), int(params.get("limit", MOST_RECORDS))


def result_inf(total: int, start: int, limit: int) -> Wire:
    """Return FROM_NUMBER, TO_NUMBER and, where more follows, NEXT_KEY of a page that holds something."""
    end = min(total, start + limit - 1)
    numbers = {"FROM_NUMBER": start, "TO_NUMBER": end}
    return numbers if end == total else {**numbers, "NEXT_KEY": end + 1}
