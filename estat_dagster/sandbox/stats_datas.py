"""getStatsDatas (POST): several tables in one answer. Specification 3.0, section 3.7: 統計データ一括取得.

Each part says by `@requestNo` which request it answers. The answer has one total and no positions: what came of a table
can only be counted. One request that is refused refuses all of them.
"""

from __future__ import annotations

import json
from typing import Any

from estat_dagster.sandbox import narrowing, parameters, stats_data, wire
from estat_dagster.sandbox.holdings import Holdings
from estat_dagster.sandbox.model import Wire
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.refusal import DONE, NO_DATA, PARTLY, RefusalError, Status, missing, wrong_value

ROOT = "GET_STATS_DATAS"

_SPEC = "一括統計データリクエストパラメータ"
_COMMON = (
    ("metaGetFlg", "METAGET_FLG"),
    ("explanationGetFlg", "EXPLANATION_GET_FLG"),
    ("annotationGetFlg", "ANNOTATION_GET_FLG"),
    ("replaceSpChars", "REPLACE_SP_CHARS"),
    ("sectionHeaderFlg", "SECTION_HEADER_FLG"),
)
_EACH = (("dataSetId", "DATASET_ID"), ("statsDataId", "STATS_DATA_ID"))


def parameter(params: Params) -> Wire:
    """Return PARAMETER_LIST: what all requests share, and each of them."""
    try:
        specs = _specs(params)
    except RefusalError:
        specs = []
    each = [_parameter(number, spec) for number, spec in enumerate(specs, start=1)]
    return {
        "LANG": params.get("lang", "J"),
        "DATA_FORMAT": "J",
        **parameters.echo(params, _COMMON),
        **({"PARAMETER": wire.one_or_many(each)} if each else {}),
    }


def answer(params: Params, holdings: Holdings) -> tuple[Status, Wire]:
    """Return status and STATISTICAL_DATA_LIST. STATUS 2 where some request selects nothing, 1 where all do.

    Raises:
        RefusalError: STATUS 101, 102 or 300.
    """
    parameters.check(params, ("lang", *(name for name, _ in _COMMON)))
    shared = {name: value for name, value in params.items() if name != "statsDatasSpec"}
    answers = [stats_data.answer({**shared, **spec}, holdings) for spec in _specs(params)]
    datas = [parts["STATISTICAL_DATA"] for _, parts in answers]
    found = [status == DONE for status, _ in answers]
    listed: Wire = {"RESULT_INF": {"TOTAL_NUMBER": sum(data["RESULT_INF"]["TOTAL_NUMBER"] for data in datas)}}
    for name in ("TABLE_INF", "CLASS_INF", "DATA_INF"):
        parts = [_numbered(number, data[name]) for number, data in enumerate(datas, start=1) if name in data]
        if parts:
            listed[f"{name}_LIST"] = {name: wire.one_or_many(parts)}
    status = DONE if all(found) else PARTLY if any(found) else NO_DATA
    return status, {"STATISTICAL_DATA_LIST": listed}


def _specs(params: Params) -> list[Params]:
    """Return the requests. The specification's own example has single quotes, its form has double ones."""
    if (text := params.get("statsDatasSpec")) is None:
        raise missing(f"{_SPEC}（statsDatasSpec）")
    try:
        specs: Any = json.loads(text if '"' in text else text.replace("'", '"'))
    except ValueError:
        raise wrong_value(_SPEC, "statsDatasSpec") from None
    if not isinstance(specs, list) or not specs or not all(isinstance(spec, dict) for spec in specs):
        raise wrong_value(_SPEC, "statsDatasSpec")
    return [{str(name): str(value) for name, value in spec.items() if value != ""} for spec in specs]


def _parameter(number: int, spec: Params) -> Wire:
    cond = narrowing.echo(spec)
    return {
        "@requestNo": str(number),
        **parameters.echo(spec, _EACH),
        **({"NARROWING_COND": cond} if cond else {}),
        "START_POSITION": wire.text(spec.get("startPosition", "1")),
        **parameters.echo(spec, (("limit", "LIMIT"),)),
    }


def _numbered(number: int, part: Wire) -> Wire:
    """Return a part with its request's number behind its id, where it has one."""
    first = {"@id": part["@id"]} if "@id" in part else {}
    return {**first, "@requestNo": str(number), **part}
