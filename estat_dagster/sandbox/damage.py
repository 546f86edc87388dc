"""Faults of what an answer says: another page in its place, a STATUS, records too few or too many.

What is damaged is the finished answer, so that all of the rest is as the real one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

from estat_dagster.sandbox import wire, xml
from estat_dagster.sandbox.faults import Fault, Kind
from estat_dagster.sandbox.model import Table, Wire
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.refusal import RefusalError, Status, not_authenticated, unexpected
from estat_dagster.sandbox.service import Response, page

_WORDS = "The service is temporarily unavailable. ただいまメンテナンス中です。"
_STATUSES: dict[Kind, RefusalError] = {
    Kind.STATUS_200: RefusalError(200, "サーバ側でエラーが発生しました。"),
    Kind.STATUS_299: unexpected(),
    Kind.XML_100: not_authenticated(),
    Kind.XML_299: unexpected(),
}
"""The words of STATUS 200 are ours: its number alone is known, as one of 200 to 299."""


def damaged(fault: Fault, params: Params, respond: Callable[[Params], Response]) -> Response:
    """Return the answer to a request as a fault leaves it; one that has nothing to damage stays as it is.

    Args:
        fault: what happens.
        params: the request's parameters.
        respond: answers this request, and the same one with other parameters.
    """
    kind, response = fault.kind, respond(params)
    if kind in _PAGES:
        code, headers = _PAGES[kind], _retry_after(fault)
        return page(code, HTTPStatus(code).phrase, _WORDS)._replace(headers=headers)
    if kind is Kind.OTHER_TYPE:
        return page(200, "Maintenance", _WORDS)
    if kind is Kind.INVALID_JSON:
        return response._replace(body=response.body[: len(response.body) // 2])
    if kind is Kind.REPEATED_PAGE:
        return respond(_at(1, params))
    if kind is Kind.SHIFTED_PAGE:
        return respond(_at(int(params["startPosition"]) - 1, params))
    if kind in _STATUSES:
        return _refused(response, _STATUSES[kind].status, as_xml=kind in (Kind.XML_100, Kind.XML_299))
    if kind is Kind.REPEATED_VALUES:
        values = _data(json.loads(respond(_at(1, params)).body)).get("DATA_INF")
        return _changed(response, lambda data: data.update(DATA_INF=values))
    if kind in _CHANGES:
        return _changed(response, _CHANGES[kind])
    return response


def replacement(table: Table) -> Table:
    """Return the table a day later, its first record another one."""
    updated = date.fromisoformat(table.facts["UPDATED_DATE"]) + timedelta(days=1)
    first, *others = table.cells
    cells = [first._replace(value=str(int(updated.strftime("%Y%m%d")))), *others]
    return table.revised(updated=updated.isoformat(), cells=cells)


_PAGES = {
    Kind.TOO_MANY_REQUESTS: 429,
    Kind.WAIT_SECONDS: 429,
    Kind.WAIT_UNTIL: 429,
    Kind.HTTP_500: 500,
    Kind.HTTP_502: 502,
    Kind.HTTP_503: 503,
    Kind.HTTP_504: 504,
}


def _at(position: int, params: Params) -> Params:
    """Return the parameters with another first record."""
    return {**params, "startPosition": str(position)}


def _retry_after(fault: Fault) -> Mapping[str, str]:
    if fault.kind is Kind.WAIT_SECONDS:
        return {"Retry-After": str(round(fault.seconds))}
    if fault.kind is Kind.WAIT_UNTIL:
        until = datetime.now(UTC) + timedelta(seconds=fault.seconds)
        return {"Retry-After": format_datetime(until, usegmt=True)}
    return {}


def _refused(response: Response, status: Status, *, as_xml: bool) -> Response:
    document = _document(response)
    if document is None:
        return response
    [(root, answer)] = document.items()
    answer = {name: part for name, part in answer.items() if name in ("RESULT", "PARAMETER", "PARAMETER_LIST")}
    code, message = status
    answer["RESULT"] |= {"STATUS": code, "ERROR_MSG": message}
    if as_xml:
        body = xml.encode(root, answer).encode()
        return Response(xml.http_status(code), "application/xml;charset=utf-8", body)
    return response._replace(body=wire.encode({root: answer}).encode("ascii"))


def _changed(response: Response, change: Callable[[Wire], None]) -> Response:
    document = _document(response)
    if document is None or not _data(document).get("DATA_INF"):
        return response
    change(_data(document))
    return response._replace(body=wire.encode(document).encode("ascii"))


def _document(response: Response) -> Wire | None:
    """Return an answer in JSON, None for another."""
    is_json = response.content_type.startswith("application/json")
    return json.loads(response.body) if is_json else None


def _data(document: Wire) -> Wire:
    data: Wire = document.get("GET_STATS_DATA", {}).get("STATISTICAL_DATA", {})
    return data


def _values(data: Wire) -> list[Any]:
    values = data["DATA_INF"]["VALUE"]
    return values if isinstance(values, list) else [values]


def _lose_one(data: Wire) -> None:
    data["DATA_INF"]["VALUE"] = wire.one_or_many(_values(data)[:-1])


def _add_one(data: Wire) -> None:
    data["DATA_INF"]["VALUE"] = [*_values(data), _values(data)[-1]]


def _one_more_in_all(data: Wire) -> None:
    data["RESULT_INF"]["TOTAL_NUMBER"] += 1


def _no_next_key(data: Wire) -> None:
    data["RESULT_INF"].pop("NEXT_KEY", None)


def _no_data(data: Wire) -> None:
    data["DATA_INF"] = ""


_CHANGES: dict[Kind, Callable[[Wire], None]] = {
    Kind.TOO_FEW: _lose_one,
    Kind.TOO_MANY: _add_one,
    Kind.TOTAL_CHANGES: _one_more_in_all,
    Kind.NO_NEXT_KEY: _no_next_key,
    Kind.EMPTY_DATA_INF: _no_data,
}
