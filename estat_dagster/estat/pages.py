"""One answer of e-Stat, from its bytes: is it e-Stat's, what is its STATUS, and where is its VALUE array.

Errors arrive in JSON with HTTP 200, in XML with HTTP 400, 403 and 500, and as HTML from the firewall in front; all are
told apart here. The VALUE array is cut out as bytes and never becomes Python objects.
Source: API 3.0 specification, 4.3 統計データ取得, 5 ステータス.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from estat_dagster.errors import ApiError, DataError
from estat_dagster.estat.models import (
    Axis,
    Metadata,
    TableInfo,
    number,
    parse_axes,
    parse_pairs,
    parse_table,
    text,
)
from estat_dagster.estat.secrets import scrub

OK, NO_DATA, PARTLY = 0, 1, 2


class ForeignAnswerError(ApiError):
    """A body that e-Stat did not write: a web page, half a document, nothing."""


# An element without content is "" where e-Stat writes it at all.
_Node = dict[str, Any]
_Part = _Node | Literal[""] | None
_Parts = list[_Node] | _Node | Literal[""] | None


class _DataInf(msgspec.Struct):
    NOTE: _Parts = None
    ANNOTATION: _Parts = None
    VALUE: msgspec.Raw = msgspec.Raw(b"")


class _StatisticalData(msgspec.Struct):
    RESULT_INF: _Part = None
    TABLE_INF: _Part = None
    CLASS_INF: msgspec.Raw = msgspec.Raw(b"")
    DATA_INF: _DataInf | Literal[""] | None = None


class _StatsData(msgspec.Struct):
    RESULT: _Node
    STATISTICAL_DATA: _StatisticalData | Literal[""] | None = None


class _Answer(msgspec.Struct):
    GET_STATS_DATA: _StatsData


# Made once, here: msgspec learns a type at the first decoder of it, and threads that make it at once crash the process.
_ANSWER = msgspec.json.Decoder(_Answer, float_hook=str)
_ANY = msgspec.json.Decoder(float_hook=str)


@dataclass(frozen=True)
class StatsPage:
    """One answer of getStatsData.

    `values` is the VALUE element as JSON bytes: an array, a single object, or empty. `class_inf` likewise; it is empty
    on pages asked without metadata. Positions count from 1.
    """

    status: int
    date: str
    total_number: int
    from_number: int
    to_number: int
    next_key: int | None
    table: TableInfo
    class_inf: bytes
    notes: dict[str, str]
    annotations: dict[str, str]
    values: bytes

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, where the page was asked with metadata."""
        return parse_axes(_ANY.decode(self.class_inf)) if self.class_inf else ()

    @property
    def metadata(self) -> Metadata:
        """Table and axes together."""
        return Metadata(self.table, self.axes)

    def count_values(self) -> int:
        """Return the number of records, counted.

        Raises:
            DataError: VALUE is neither an array nor an object.
        """
        if not self.values:
            return 0
        try:
            node = msgspec.json.decode(self.values, type=list[msgspec.Raw] | dict[str, Any])
        except msgspec.DecodeError as error:
            raise DataError(f"The VALUE of a page is not records: {error}.") from error
        return len(node) if isinstance(node, list) else 1


def parse_stats_page(body: bytes) -> StatsPage:
    """Read an answer of getStatsData.

    Raises:
        ApiError: its STATUS is an error, or it is not e-Stat's.
        DataError: it is e-Stat's but lacks what every answer has.
    """
    try:
        if not body.isascii():
            body.decode()  # msgspec does not look into what it cuts out
        answer = _ANSWER.decode(body).GET_STATS_DATA
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise_for_foreign(body, "GET_STATS_DATA")
        raise DataError("The answer of getStatsData lacks what every answer has.", detail=str(error)) from error
    check_status(answer.RESULT)
    data = answer.STATISTICAL_DATA or _StatisticalData()
    inf, values = data.RESULT_INF or {}, data.DATA_INF or _DataInf()
    total = number(inf, "TOTAL_NUMBER")
    return StatsPage(
        status=number(answer.RESULT, "STATUS"),
        date=text(answer.RESULT.get("DATE")),
        total_number=total,
        from_number=number(inf, "FROM_NUMBER"),
        to_number=number(inf, "TO_NUMBER"),
        next_key=number(inf, "NEXT_KEY") or None,
        table=parse_table(data.TABLE_INF or {}),
        class_inf=_content(bytes(data.CLASS_INF)),
        notes=parse_pairs(values.NOTE, "@char"),
        annotations=parse_pairs(values.ANNOTATION, "@annotation"),
        values=_content(bytes(values.VALUE)),
    )


def _content(element: bytes) -> bytes:
    """Return an element, b"" where it has no content."""
    return b"" if element in (b'""', b"null") else element


def parse_document(body: bytes, root: str) -> dict[str, Any]:
    """Read an answer of any other function, whose JSON root is `root`.

    Raises:
        ApiError: its STATUS is an error, or it is not e-Stat's.
    """
    document = _decode(body)
    node = document.get(root) if isinstance(document, dict) else None
    if not isinstance(node, dict) or not isinstance(node.get("RESULT"), dict):
        raise_for_foreign(body, root)
        raise ApiError(f"e-Stat's answer has no {root}.", retry=True, hint="Try again in a while.")
    check_status(node["RESULT"])
    return node


def check_status(result: dict[str, Any]) -> None:
    """Raise the error that a RESULT tells of; STATUS 0 to 2 are not errors.

    Raises:
        ApiError: STATUS is 3 or more, or no number.
    """
    status = number(result, "STATUS", default=-1)
    if status in (OK, NO_DATA, PARTLY):
        return
    message = scrub(text(result.get("ERROR_MSG")))
    raise ApiError(
        f"e-Stat refused the request (STATUS {status}): {message}",
        status=status,
        retry=200 <= status <= 299,
        hint=_HINTS.get(status, _HINTS[200] if 200 <= status <= 299 else _HINTS[101]),
    )


_HINTS = {
    100: "Check ESTAT_APP_ID: it must be an application ID issued on e-Stat's マイページ.",
    101: "Check the parameters of the request.",
    200: "e-Stat has trouble of its own; try again in a while.",
    300: "Check the id: the table may never have existed or may be withdrawn. `estat search WORDS` finds tables.",
}


def raise_for_foreign(body: bytes, root: str) -> None:
    """Raise the error that a body tells of which is not the JSON that was asked for: XML of e-Stat's, or anything else.

    Returns without raising where the body is JSON with a good RESULT, under its root or without one.
    """
    document = _decode(body)
    node = document.get(root, document) if isinstance(document, dict) else None
    if isinstance(node, dict) and isinstance(node.get("RESULT"), dict):
        check_status(node["RESULT"])
        return
    if match := re.search(rb"<STATUS>\s*(\d+)\s*</STATUS>", body):
        message = re.search(rb"<ERROR_MSG>(.*?)</ERROR_MSG>", body, re.DOTALL)
        words = html.unescape(message[1].decode("utf-8", "replace")) if message else ""
        check_status({"STATUS": int(match[1]), "ERROR_MSG": words})
    raise ForeignAnswerError(
        "The answer is not e-Stat's: " + _describe(body, document),
        retry=True,
        hint="A proxy or firewall may stand between, or e-Stat is under maintenance; try again in a while.",
    )


def _describe(body: bytes, document: Any) -> str:
    if not body:
        return "it is empty."
    if document is not None:
        return f"{len(body):,} bytes, JSON of another kind."
    kind = "a web page" if b"<html" in body[:1000].lower() else "not whole JSON"
    return f"{len(body):,} bytes, {kind}."


def _decode(body: bytes) -> Any:
    """Return what the JSON says, None where it is none."""
    try:
        return _ANY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
