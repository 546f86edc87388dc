"""getMetaInfo: a table's facts and axes. Specification 3.0, section 3.3: メタ情報取得."""

from __future__ import annotations

from estat_dagster.sandbox import parameters
from estat_dagster.sandbox.english import spoken
from estat_dagster.sandbox.holdings import Holdings
from estat_dagster.sandbox.model import Wire
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.refusal import DONE, Status
from estat_dagster.sandbox.table_parts import class_inf, explained, table_inf

ROOT = "GET_META_INFO"


def parameter(params: Params) -> Wire:
    """Return PARAMETER."""
    names = [("statsDataId", "STATS_DATA_ID")]
    return {
        "LANG": params.get("lang", "J"),
        **parameters.echo(params, names),
        "DATA_FORMAT": "J",
        **parameters.echo(params, [("explanationGetFlg", "EXPLANATION_GET_FLG")]),
    }


def answer(params: Params, holdings: Holdings) -> tuple[Status, Wire]:
    """Return status and METADATA_INF.

    Raises:
        RefusalError: STATUS 101, 102 or 300.
    """
    parameters.check(params, ("lang", "explanationGetFlg"))
    table = spoken(parameters.table_of(params, holdings.tables), params)
    explain = explained(params)
    everything = {axis.id: axis.items for axis in table.axes}
    metadata = {
        "TABLE_INF": table_inf(table, explain=explain),
        "CLASS_INF": class_inf(table, everything, explain=explain),
    }
    return DONE, {"METADATA_INF": metadata}
