"""The API without sockets: a path and its parameters in, a body out.

On the json/ paths errors are bodies with HTTP 200, as e-Stat sends them; on the others XML with HTTP 400, 403 and 500.
JSONP and CSV are not served: HTTP 404.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import NamedTuple

from estat_dagster.sandbox import data_catalog, datasets, meta_info, stats_data, stats_datas, stats_list, wire, xml
from estat_dagster.sandbox.holdings import Holdings
from estat_dagster.sandbox.model import Wire
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.refusal import RefusalError, Status, not_authenticated, unexpected

BASE_PATH = "/rest/3.0/app"
INVALID_APP_ID = "invalid"
"""How an application ID starts that is refused. Any other that is not empty is taken."""

_JST = timezone(timedelta(hours=9))
_HTML = "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{words}</p></body></html>\n"
_log = logging.getLogger(__name__)


class Function(NamedTuple):
    """One function of the API: the name of its answer, what it repeats of a request, and how it answers."""

    root: str
    parameter: Callable[[Params], Wire]
    answer: Callable[[Params, Holdings], tuple[Status, Wire]]
    method: str = "GET"
    repeats: str = "PARAMETER"


class Response(NamedTuple):
    """What goes out: HTTP status, Content-Type, body, and further headers."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


FUNCTIONS = {
    "getStatsList": Function(stats_list.ROOT, stats_list.parameter, stats_list.answer),
    "getMetaInfo": Function(meta_info.ROOT, meta_info.parameter, meta_info.answer),
    "getStatsData": Function(stats_data.ROOT, stats_data.parameter, stats_data.answer),
    "getStatsDatas": Function(
        stats_datas.ROOT, stats_datas.parameter, stats_datas.answer, method="POST", repeats="PARAMETER_LIST"
    ),
    "getDataCatalog": Function(data_catalog.ROOT, data_catalog.parameter, data_catalog.answer),
    "postDataset": Function(datasets.POST_ROOT, datasets.post_parameter, datasets.post, method="POST"),
    "refDataset": Function(datasets.REF_ROOT, datasets.ref_parameter, datasets.ref),
}
_DATASETS = Function(datasets.LIST_ROOT, datasets.ref_parameter, datasets.listing)
_XML_ONLY = ("postDataset",)


def respond(method: str, path: str, app_id: str, params: Params, holdings: Holdings) -> Response:
    """Answer a request. `params` is without the appId, which so gets into no answer."""
    if path == data_catalog.FILE_PATH:
        return _file(params, holdings)
    as_json = path.startswith(f"{BASE_PATH}/json/")
    name = path.removeprefix(f"{BASE_PATH}/json/" if as_json else f"{BASE_PATH}/")
    function = FUNCTIONS.get(name)
    if function is None or (as_json and name in _XML_ONLY):
        return page(404, "Not Found", "The requested URL was not found on this server.")
    if method != function.method:
        return page(405, "Method Not Allowed", f"Use {function.method}.")
    if name == "refDataset" and "dataSetId" not in params:
        function = _DATASETS
    return _write(function, params, *_ask(function, app_id, params, holdings), as_json=as_json)


def page(status: int, title: str, words: str) -> Response:
    """Return a web page, as servers before the API send it."""
    return Response(status, "text/html;charset=utf-8", _HTML.format(title=f"{status} {title}", words=words).encode())


def _ask(function: Function, app_id: str, params: Params, holdings: Holdings) -> tuple[Status, Wire]:
    try:
        if not app_id or app_id.startswith(INVALID_APP_ID):
            raise not_authenticated()
        return function.answer(params, holdings)
    except RefusalError as refused:
        return refused.status, {}
    except Exception:
        _log.exception("%s failed", function.root)
        return unexpected().status, {}


def _write(function: Function, params: Params, status: Status, parts: Wire, *, as_json: bool) -> Response:
    code, message = status
    result = {"STATUS": code, "ERROR_MSG": message, "DATE": datetime.now(_JST).isoformat(timespec="milliseconds")}
    answer = {"RESULT": result, function.repeats: function.parameter(params), **parts}
    if as_json:
        return Response(200, "application/json;charset=utf-8", wire.encode({function.root: answer}).encode("ascii"))
    repeated = answer[function.repeats]
    answer[function.repeats] = {key: "X" if key == "DATA_FORMAT" else part for key, part in repeated.items()}
    return Response(xml.http_status(code), "application/xml;charset=utf-8", xml.encode(function.root, answer).encode())


def _file(params: Params, holdings: Holdings) -> Response:
    """Return a file of the data catalogue. It needs no application ID: its address is a page of e-Stat's website."""
    for catalog in holdings.catalogs:
        for file in catalog.files:
            if file.id == params.get("statInfId") and file.content:
                return Response(200, "application/octet-stream", file.content)
    return page(404, "Not Found", "There is no such file.")
