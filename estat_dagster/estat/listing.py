"""Lists of tables (getStatsList), whole: every page is counted against what it says of itself, and all against NUMBER.

A list that was cut short would look like tables that are gone, or like no updates.
Source: API 3.0 specification, 3.2 and 4.1 統計表情報取得.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from estat_dagster.errors import ApiError
from estat_dagster.estat.models import TableInfo, as_node, as_nodes, number, parse_table, text

LIST_LIMIT = 100_000
RESTARTS = 3


@dataclass(frozen=True)
class ListPage:
    """One answer of getStatsList: how many tables match, the position of its first (from 1), and its tables."""

    total: int
    first: int
    tables: tuple[TableInfo, ...]
    date: str = ""


@dataclass(frozen=True)
class Listing:
    """All tables that match, in the order of their ids; when e-Stat said so; and how many requests it took."""

    tables: tuple[TableInfo, ...]
    date: str
    requests: int


class Lister(Protocol):
    """What asks getStatsList: the client."""

    def get_list(self, parameters: Mapping[str, Any]) -> ListPage:
        """Return one answer."""


def parse_list_page(node: dict[str, Any]) -> ListPage:
    """Read a GET_STATS_LIST.

    Raises:
        ApiError: it holds another number of tables than it says; trying again may help.
        DataError: a part of it is malformed.
    """
    inf = as_node(node.get("DATALIST_INF"), "DATALIST_INF")
    result = as_node(inf.get("RESULT_INF"), "RESULT_INF")
    total, first, last = number(inf, "NUMBER"), number(result, "FROM_NUMBER"), number(result, "TO_NUMBER")
    nodes = as_nodes(inf.get("TABLE_INF"), "TABLE_INF")
    nothing_here = text(node["RESULT"].get("STATUS")) == "1" and "NUMBER" in inf and not nodes
    if not nothing_here and not (first and len(nodes) == last - first + 1 and last <= total):
        raise ApiError(
            f"e-Stat's list is not whole: {len(nodes):,} tables, where it says {first:,} to {last:,} of {total:,}.",
            retry=True,
            hint="It may have been cut short; try again in a while.",
        )
    return ListPage(total, first, tuple(map(parse_table, nodes)), text(node["RESULT"].get("DATE")))


def list_tables(lister: Lister, parameters: Mapping[str, Any]) -> Listing:
    """Return every table that matches, page by page; a list that changes meanwhile is asked again from the start.

    Raises:
        ApiError: the list kept changing, or a page is not whole.
        DataLakeError: as every request.
    """
    requests = 0
    for _ in range(RESTARTS):
        found: dict[str, TableInfo] = {}
        received, total = 0, 1
        while received < total:
            start = {"startPosition": received + 1} if received else {}
            page = lister.get_list({**parameters, "explanationGetFlg": "N", "limit": LIST_LIMIT, **start})
            requests += 1
            if (received and page.total != total) or not page.tables or page.first != received + 1:
                break
            total, received = page.total, received + len(page.tables)
            found |= {table.id: table for table in page.tables}
        if page.total == len(found) == received:
            return Listing(tuple(found.values()), page.date, requests)
    raise ApiError(
        f"e-Stat's list of {page.total:,} tables changed or broke off while it was read, {RESTARTS} times.",
        retry=True,
        hint="Try again in a while.",
    )
