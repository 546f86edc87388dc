"""getStatsData: the records of a table, narrowed and by pages. Specification 3.0, section 3.4: 統計データ取得."""

from __future__ import annotations

from collections.abc import Mapping

from estat_dagster.sandbox import narrowing, parameters, records, wire
from estat_dagster.sandbox.model import Table, Wire
from estat_dagster.sandbox.narrowing import Conditions
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.records import Style
from estat_dagster.sandbox.refusal import DONE, NO_DATA, Status, missing, unknown_id
from estat_dagster.sandbox.table_parts import class_inf, explained, table_inf

ROOT = "GET_STATS_DATA"

_CHECKED = (
    "lang",
    "startPosition",
    "limit",
    "metaGetFlg",
    "cntGetFlg",
    "explanationGetFlg",
    "annotationGetFlg",
    "replaceSpChars",
    "sectionHeaderFlg",
)
_IDS = (("dataSetId", "DATASET_ID"), ("statsDataId", "STATS_DATA_ID"))
_LIMIT = (("limit", "LIMIT"),)
_FLAGS = (
    ("explanationGetFlg", "EXPLANATION_GET_FLG"),
    ("annotationGetFlg", "ANNOTATION_GET_FLG"),
    ("replaceSpChars", "REPLACE_SP_CHARS"),
    ("cntGetFlg", "CNT_GET_FLG"),
    ("sectionHeaderFlg", "SECTION_HEADER_FLG"),
)


def parameter(params: Params) -> Wire:
    """Return PARAMETER. START_POSITION and METAGET_FLG are always there, the others where they were given."""
    cond = narrowing.echo(params)
    return {
        "LANG": params.get("lang", "J"),
        **parameters.echo(params, _IDS),
        **({"NARROWING_COND": cond} if cond else {}),
        "DATA_FORMAT": "J",
        "START_POSITION": wire.text(params.get("startPosition", "1")),
        **parameters.echo(params, _LIMIT),
        "METAGET_FLG": params.get("metaGetFlg", "Y"),
        **parameters.echo(params, _FLAGS),
    }


def answer(params: Params, tables: Mapping[str, Table]) -> tuple[Status, Wire]:
    """Return status and STATISTICAL_DATA.

    DATA_INF is absent where no record is selected, and where only the count is asked for.

    Raises:
        RefusalError: STATUS 101, 102 or 300.
    """
    _check_id(params)
    parameters.check(params, _CHECKED)
    conditions = narrowing.parse(params)
    table, explain = parameters.table_of(params, tables), explained(params)
    total = len(narrowing.select(table, conditions))
    start, limit = parameters.page(params)
    holds = start <= total
    wanted = holds and params.get("cntGetFlg") != "Y"
    data: Wire = {"RESULT_INF": {"TOTAL_NUMBER": total}, "TABLE_INF": table_inf(table, explain=explain)}
    if params.get("metaGetFlg") != "N":
        data["CLASS_INF"] = class_inf(table, narrowing.narrow(table, conditions), explain=explain)
    if wanted:
        data["RESULT_INF"] |= parameters.result_inf(total, start, limit)
        data["DATA_INF"] = _data_inf(table, conditions, params)
    return DONE if holds else NO_DATA, {"STATISTICAL_DATA": data}


def _data_inf(table: Table, conditions: Conditions, params: Params) -> Wire:
    start, limit = parameters.page(params)
    style = Style(params.get("annotationGetFlg") != "N", params.get("replaceSpChars", "0"))
    page = records.page(table, conditions, start, limit, style)
    notes = [{"@char": symbol, "$": meaning} for symbol, meaning in table.notes]
    footnotes = [{"@annotation": sign, "$": text} for sign, text in table.annotations if sign in page.signs]
    return {
        **({"NOTE": wire.one_or_many(notes)} if notes else {}),
        **({"ANNOTATION": wire.one_or_many(footnotes)} if footnotes else {}),
        "VALUE": page.values,
    }


def _check_id(params: Params) -> None:
    """Refuse no id, two ids, and a dataset: nothing registers any here."""
    dataset, table = params.get("dataSetId"), params.get("statsDataId")
    if (dataset is None) == (table is None):
        raise missing("統計表ID（statsDataId）または データセットID（dataSetId）のどちらか一方")
    if dataset is not None:
        raise unknown_id("データセットID", "dataSetId", dataset)
