"""Answers of e-Stat as bytes, built part by part, so that a test can say which part is odd."""

from __future__ import annotations

import json
from typing import Any

from estat_dagster.estat.models import Metadata, parse_axes, parse_table
from tests.replay import SAMPLES, as_list, real_document

ERRORS = SAMPLES / "errors"
TABLE_ID = "0000000001"
OK = {"STATUS": 0, "ERROR_MSG": "正常に終了しました。", "DATE": "2026-01-02T03:04:05.000+09:00"}
REFUSED = {
    100: "認証に失敗しました。",
    101: "指定して下さい。",
    102: "値が正しくありません。",
    299: "予期しないエラーが発生しました。",
}
WEB_PAGE = b"<!DOCTYPE html><html><head><title>503</title></head><body>Service Unavailable</body></html>"


def body(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def stats_data(values: Any, *, total: int | None = None, start: int = 1, **parts: Any) -> dict[str, Any]:
    """Return a GET_STATS_DATA document of records; `parts` replace or add members of STATISTICAL_DATA."""
    count = len(as_list(values))
    inf = {"TOTAL_NUMBER": count if total is None else total, "FROM_NUMBER": start, "TO_NUMBER": start + count - 1}
    data = {
        "RESULT_INF": inf,
        "TABLE_INF": {"@id": TABLE_ID, "TITLE": "表", "UPDATED_DATE": "2026-01-01"},
        "CLASS_INF": {"CLASS_OBJ": {"@id": "time", "@name": "年", "CLASS": {"@code": "2020", "@name": "2020年"}}},
        "DATA_INF": {"VALUE": values},
        **parts,
    }
    return {"GET_STATS_DATA": {"RESULT": OK, "PARAMETER": {"LANG": "J"}, "STATISTICAL_DATA": data}}


def refusal(status: Any, message: str = "", root: str = "GET_STATS_DATA") -> bytes:
    """Return an answer that holds a RESULT and no data."""
    result = {"STATUS": status, "ERROR_MSG": message or REFUSED.get(status, ""), "DATE": OK["DATE"]}
    return body({root: {"RESULT": result, "PARAMETER": {"LANG": "J"}}})


def real_metadata(name: str) -> Metadata:
    """Return table and axes of a sample of any function, or skip the test."""
    [answer] = real_document(name).values()
    inf = answer.get("STATISTICAL_DATA") or answer.get("METADATA_INF") or answer["DATALIST_INF"]
    return Metadata(parse_table(inf["TABLE_INF"]), parse_axes(inf.get("CLASS_INF")))
