"""The API without sockets: a path and its parameters in, a body out.

Errors are JSON bodies with HTTP 200, as e-Stat sends them on its json/ paths. Other formats (XML, JSONP, CSV) and other
functions (datasets, the data catalogue) are not served: HTTP 404.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from estat_dagster.sandbox import meta_info, stats_data, stats_list, wire
from estat_dagster.sandbox.model import Table, Wire
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.refusal import RefusalError, Status, not_authenticated, unexpected

BASE_PATH = "/rest/3.0/app"
INVALID_APP_ID = "invalid"
"""How an application ID starts that is refused. Any other that is not empty is taken."""

_JST = timezone(timedelta(hours=9))
_NOT_FOUND = (
    "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>"
    "<body><h1>Not Found</h1><p>The requested URL was not found on this server.</p></body></html>\n"
)
_log = logging.getLogger(__name__)


class Function(NamedTuple):
    """One function of the API: the name of its answer, what it repeats of a request, and how it answers."""

    root: str
    parameter: Callable[[Params], Wire]
    answer: Callable[[Params, Mapping[str, Table]], tuple[Status, Wire]]


class Response(NamedTuple):
    """What goes out: HTTP status, Content-Type and body."""

    status: int
    content_type: str
    body: bytes


FUNCTIONS = {
    f"{BASE_PATH}/json/getStatsList": Function(stats_list.ROOT, stats_list.parameter, stats_list.answer),
    f"{BASE_PATH}/json/getMetaInfo": Function(meta_info.ROOT, meta_info.parameter, meta_info.answer),
    f"{BASE_PATH}/json/getStatsData": Function(stats_data.ROOT, stats_data.parameter, stats_data.answer),
}


def respond(path: str, app_id: str, params: Params, tables: Mapping[str, Table]) -> Response:
    """Answer a request. `params` is without the appId, which so gets into no answer."""
    function = FUNCTIONS.get(path)
    if function is None:
        return Response(404, "text/html;charset=utf-8", _NOT_FOUND.encode())
    try:
        if not app_id or app_id.startswith(INVALID_APP_ID):
            raise not_authenticated()
        return _response(function, params, *function.answer(params, tables))
    except RefusalError as refused:
        return _response(function, params, refused.status, {})
    except Exception:
        _log.exception("%s failed", function.root)
        return _response(function, params, unexpected().status, {})


def _response(function: Function, params: Params, status: Status, parts: Wire) -> Response:
    code, message = status
    result = {"STATUS": code, "ERROR_MSG": message, "DATE": datetime.now(_JST).isoformat(timespec="milliseconds")}
    document = {function.root: {"RESULT": result, "PARAMETER": function.parameter(params), **parts}}
    return Response(200, "application/json;charset=utf-8", wire.encode(document).encode("ascii"))
