"""The same answers as XML: `@x` is an attribute, `$` the text, a list the element several times.

Specification 3.0, section 4.2: 出力データ (XML形式).
"""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from estat_dagster.sandbox.model import Wire
from estat_dagster.sandbox.wire import Fragment

_SCHEMAS = {
    "GET_STATS_LIST": "GetStatsList",
    "GET_META_INFO": "GetMetaInfo",
    "GET_STATS_DATA": "GetStatsData",
    "GET_STATS_DATAS": "GetStatsDatas",
    "GET_DATA_CATALOG": "GetDataCatalog",
    "POST_DATASET": "PostDataset",
    "REF_DATASET": "RefDataSet",
    "GET_DATASET_LIST": "GetDataSetList",
}


def encode(root: str, parts: Wire) -> str:
    """Return the document of an answer."""
    schema = f"https://api.e-stat.go.jp/rest/3.0/schema/{_SCHEMAS[root]}.xsd"
    names = {"@xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "@xsi:noNamespaceSchemaLocation": schema}
    return '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + _element(root, {**names, **parts})


def http_status(status: int) -> int:
    """Return the HTTP status of a STATUS: 403 where the application ID is wrong, 500 for e-Stat's own trouble."""
    if status < 100:
        return 200
    if status == 100:
        return 403
    return 500 if 200 <= status < 300 else 400


def _element(name: str, value: Any) -> str:
    if isinstance(value, Fragment):
        value = json.loads(value.text)
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    parts = value if isinstance(value, dict) else {"$": value}
    attributes = "".join(f" {key[1:]}={quoteattr(str(text))}" for key, text in parts.items() if key.startswith("@"))
    inner = "".join(
        escape(str(part)) if key == "$" else _element(key, part)
        for key, part in parts.items()
        if not key.startswith("@")
    )
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"
