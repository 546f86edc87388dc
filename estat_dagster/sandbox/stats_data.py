"""getStatsData: the records of a table, narrowed and by pages. Specification 3.0, section 3.4: 統計データ取得."""

from __future__ import annotations

from estat_dagster.sandbox import narrowing, parameters, records, wire
from estat_dagster.sandbox.english import spoken
from estat_dagster.sandbox.holdings import Holdings
from estat_dagster.sandbox.model import Table, Wire
from estat_dagster.sandbox.narrowing import Conditions
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.records import Style
from estat_dagster.sandbox.refusal import DONE, NO_DATA, Status, missing
from estat_dagster.sandbox.table_parts import class_inf, explained, table_inf

ROOT = "GET_STATS_DATA"
EITHER_ID = "統計表ID（statsDataId）または データセットID（dataSetId）のどちらか一方"

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


def answer(params: Params, holdings: Holdings) -> tuple[Status, Wire]:
    """Return status and STATISTICAL_DATA.

    DATA_INF is absent where no record is selected, and where only the count is asked for.

    Raises:
        RefusalError: STATUS 101, 102 or 300.
    """
    table, params = subject(params, holdings)
    parameters.check(params, _CHECKED)
    conditions = narrowing.parse(params)
    explain = explained(params)
    total = len(narrowing.select(table, conditions))
    start, limit = parameters.page(params)
    holds = start <= total
    data: Wire = {"RESULT_INF": {"TOTAL_NUMBER": total}, "TABLE_INF": table_inf(table, explain=explain)}
    if params.get("metaGetFlg") != "N":
        data["CLASS_INF"] = class_inf(table, narrowing.narrow(table, conditions), explain=explain)
    if holds and params.get("cntGetFlg") != "Y":
        data["RESULT_INF"] |= parameters.result_inf(total, start, limit)
        data["DATA_INF"] = _data_inf(table, conditions, params)
    return DONE if holds else NO_DATA, {"STATISTICAL_DATA": data}


def subject(params: Params, holdings: Holdings) -> tuple[Table, Params]:
    """Return the table that is asked for, in its language, and the parameters, with those of the dataset if it is one.

    The specification does not say what a narrowing beside a dataset means. Here it replaces the dataset's own.

    Raises:
        RefusalError: STATUS 101 for no id or two ids, 300 for one that is not there.
    """
    dataset_id, table_id = params.get("dataSetId"), params.get("statsDataId")
    if (dataset_id is None) == (table_id is None):
        raise missing(EITHER_ID)
    if dataset_id is not None:
        dataset = parameters.dataset_of(params, holdings.datasets)
        params = {**dataset.narrowing, **params, "statsDataId": dataset.table_id}
    return spoken(parameters.table_of(params, holdings.tables), params), params


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
