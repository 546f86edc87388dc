"""postDataset and refDataset: a part of a table under a name. Specification 3.0, sections 3.5 and 3.6: データセット.

Every dataset belongs to whoever asks: the sandbox knows no users.
"""

from __future__ import annotations

from datetime import datetime

from estat_dagster.sandbox import narrowing, parameters, wire
from estat_dagster.sandbox.english import spoken
from estat_dagster.sandbox.holdings import Dataset, Holdings
from estat_dagster.sandbox.model import Table, Wire
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.refusal import DONE, Status, missing
from estat_dagster.sandbox.table_parts import explained, table_inf

POST_ROOT, REF_ROOT, LIST_ROOT = "POST_DATASET", "REF_DATASET", "GET_DATASET_LIST"

_POST = (("dataSetId", "DATASET_ID"), ("dataSetName", "DATASET_NAME"), ("statsDataId", "STATS_DATA_ID"))
_REF = (("collectArea", "COLLECT_AREA"), ("explanationGetFlg", "EXPLANATION_GET_FLG"))
_SHORT = ("STATISTICS_NAME_SPEC", "DESCRIPTION", "TITLE_SPEC")


def post_parameter(params: Params) -> Wire:
    """Return PARAMETER of postDataset."""
    cond = narrowing.echo(params)
    return {
        "LANG": params.get("lang", "J"),
        **parameters.echo(params, _POST),
        **({"NARROWING_COND": cond} if cond else {}),
        "OPEN_SPECIFIED": params.get("openSpecified", "0"),
        "PROCESS_MODE": params.get("processMode", "E"),
    }


def post(params: Params, holdings: Holdings) -> tuple[Status, Wire]:
    """Register, replace or delete a dataset and return REGIST_INF.

    Raises:
        RefusalError: STATUS 101 without what the mode needs, 102 or 300.
    """
    parameters.check(params, ("lang", "dataSetId", "dataSetName", "openSpecified", "processMode"))
    if params.get("processMode") == "D":
        return DONE, _deleted(params, holdings)
    table = parameters.table_of(params, holdings.tables)
    conditions = narrowing.parse(params)
    if not conditions:
        raise missing("絞り込み条件")
    dataset = Dataset(
        params.get("dataSetId") or _new_id(table, holdings),
        table.id,
        {key: params[key] for key in narrowing.names() if key in params},
        params.get("dataSetName"),
        params.get("openSpecified") == "1",
    )
    mode = "update" if dataset.id in holdings.datasets else "add"
    holdings.datasets[dataset.id] = dataset
    return DONE, _registered(mode, dataset, table)


def ref_parameter(params: Params) -> Wire:
    """Return PARAMETER of refDataset."""
    shown = parameters.echo(params, (("dataSetId", "DATASET_ID"),))
    return {"LANG": params.get("lang", "J"), **shown, "DATA_FORMAT": "J", **parameters.echo(params, _REF)}


def ref(params: Params, holdings: Holdings) -> tuple[Status, Wire]:
    """Return status and DATASET_INF of one dataset.

    Raises:
        RefusalError: STATUS 102 or 300.
    """
    parameters.check(params, ("lang", "explanationGetFlg"))
    dataset = parameters.dataset_of(params, holdings.datasets)
    return DONE, {"DATASET_INF": _dataset_inf(dataset, params, holdings, narrowed=True)}


def listing(params: Params, holdings: Holdings) -> tuple[Status, Wire]:
    """Return status and DATASET_LIST_INF: every dataset, in the order of their ids.

    Raises:
        RefusalError: STATUS 102.
    """
    parameters.check(params, ("lang", "collectArea", "explanationGetFlg"))
    area = parameters.AREAS.get(params.get("collectArea", ""))
    found = [
        holdings.datasets[dataset_id]
        for dataset_id in sorted(holdings.datasets)
        if area in (None, holdings.tables[holdings.datasets[dataset_id].table_id].facts.get("COLLECT_AREA"))
    ]
    parts = [_dataset_inf(dataset, params, holdings, narrowed=False) for dataset in found]
    listed = {"NUMBER": len(parts), **({"DATASET_INF": wire.one_or_many(parts)} if parts else {})}
    return DONE, {"DATASET_LIST_INF": listed}


def _deleted(params: Params, holdings: Holdings) -> Wire:
    if "dataSetId" not in params:
        raise missing("データセットID（dataSetId）")
    dataset = parameters.dataset_of(params, holdings.datasets)
    del holdings.datasets[dataset.id]
    return _registered("delete", dataset, holdings.tables[dataset.table_id])


def _registered(mode: str, dataset: Dataset, table: Table) -> Wire:
    inf = {
        "@mode": mode,
        "DATASET_ID": dataset.id,
        "STATS_DATA_ID": table.id,
        "PUBLIC_STATE": "yes" if dataset.public else "no",
        "TOTAL_NUMBER": _total(dataset, table),
    }
    return {"REGIST_INF": inf}


def _dataset_inf(dataset: Dataset, params: Params, holdings: Holdings, *, narrowed: bool) -> Wire:
    table = holdings.tables[dataset.table_id]
    return {
        "@id": dataset.id,
        **({"DATASET_NAME": dataset.name} if dataset.name else {}),
        **({"NARROWING_COND": narrowing.echo(dataset.narrowing)} if narrowed else {}),
        "PUBLIC_STATE": "YES" if dataset.public else "NO",
        "RESULT_INF": {"TOTAL_NUMBER": _total(dataset, table)},
        "TABLE_INF": _table_inf(spoken(table, params), explain=explained(params)),
    }


def _table_inf(table: Table, *, explain: bool) -> Wire:
    """Return TABLE_INF in the shorter form of datasets: without the names in parts, its explanation beside them."""
    inf = table_inf(table, explain=explain)
    told = inf["TITLE_SPEC"].get("TABLE_EXPLANATION")
    parts = {key: part for key, part in inf.items() if key not in _SHORT}
    return parts if told is None else {**parts, "TABLE_EXPLANATION": told}


def _total(dataset: Dataset, table: Table) -> int:
    return len(narrowing.select(table, narrowing.parse(dataset.narrowing)))


def _new_id(table: Table, holdings: Holdings) -> str:
    """Return 政府統計コード-yyyymmddhhmmss, with a branch number where two come in one second."""
    stem = f"{table.facts['STAT_NAME']['@code']}-{datetime.now():%Y%m%d%H%M%S}"
    names = [stem, *(f"{stem}-{branch}" for branch in range(1, 10))]
    return next(name for name in names if name not in holdings.datasets)
