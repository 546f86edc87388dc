"""Several small tables in one request (getStatsDatas).

One answer instead of many, but it has no positions, no UPDATED_DATE to compare between pages, and one TOTAL_NUMBER for
all its tables: that nothing is missing can be said of the whole answer alone, and not of each table. So the raw layer
never uses it; it is for looking at parts of several tables quickly.
Source: API 3.0 specification, 3.7 統計データ一括取得.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from estat_dagster.errors import DataError, ValidationError
from estat_dagster.estat.client import PAGE_LIMIT, EstatClient
from estat_dagster.estat.models import Metadata, as_list, as_nodes, number, parse_axes, parse_pairs, parse_table
from estat_dagster.estat.pages import parse_document
from estat_dagster.estat.scope import Scope, narrowing

ROOT = "GET_STATS_DATAS"
MOST_TABLES = 100


@dataclass(frozen=True)
class SmallTable:
    """A table, or a part of one: what it is, its symbols, and its records as e-Stat's objects; none is no error."""

    metadata: Metadata
    notes: dict[str, str]
    annotations: dict[str, str]
    records: tuple[dict[str, str], ...]


def fetch_small_tables(client: EstatClient, requests: Sequence[tuple[str, Scope]]) -> list[SmallTable]:
    """Return tables, each a dataset's id with a scope, in the order asked.

    Args:
        requests: at most 100, of at most 100,000 records together.

    Raises:
        ValidationError: there are too many, or a scope cannot be asked for in one request.
        ApiError: e-Stat refuses; one table that is not there refuses all.
        DataError: the answer is not whole, or of other tables.
    """
    if not 1 <= len(requests) <= MOST_TABLES:
        raise ValidationError(
            f"{len(requests)} tables cannot be asked for at once.", hint=f"Ask for 1 to {MOST_TABLES}."
        )
    specs = [{"statsDataId": dataset_id, **narrowing(scope)} for dataset_id, scope in requests]
    given = {"statsDatasSpec": msgspec.json.encode(specs).decode(), "explanationGetFlg": "N"}
    node = client.ask("getStatsDatas", given, lambda answer: parse_document(answer.body, ROOT), post=True)
    listed = node.get("STATISTICAL_DATA_LIST")
    tables = _tables(listed if isinstance(listed, dict) else {}, [dataset_id for dataset_id, _ in requests])
    found, total = sum(len(table.records) for table in tables), _total(listed)
    if found != total:
        raise DataError(
            f"e-Stat says {total:,} records and sent {found:,}.",
            hint=f"More than {PAGE_LIMIT:,} do not fit into one answer: load the tables instead, `estat load ID`.",
        )
    return tables


def _tables(listed: dict[str, Any], ids: Sequence[str]) -> list[SmallTable]:
    infs, classes, datas = (_by_number(listed, name) for name in ("TABLE_INF", "CLASS_INF", "DATA_INF"))
    tables = []
    for place, dataset_id in enumerate(ids, start=1):
        data, table = datas.get(place, {}), parse_table(infs.get(place))
        if table.id != dataset_id:
            raise DataError(f"e-Stat answered request {place}, for {dataset_id}, with {table.id or 'nothing'}.")
        tables.append(
            SmallTable(
                Metadata(table, parse_axes(classes.get(place))),
                parse_pairs(data.get("NOTE"), "@char"),
                parse_pairs(data.get("ANNOTATION"), "@annotation"),
                tuple(as_nodes(data.get("VALUE"), "VALUE")),
            )
        )
    return tables


def _by_number(listed: dict[str, Any], name: str) -> dict[int, dict[str, Any]]:
    lists = as_nodes(listed.get(f"{name}_LIST"), f"{name}_LIST")
    parts = [part for each in lists for part in as_nodes(as_list(each.get(name)), name)]
    return {number(part, "@requestNo"): part for part in parts}


def _total(listed: Any) -> int:
    inf = listed.get("RESULT_INF") if isinstance(listed, dict) else None
    return number(inf, "TOTAL_NUMBER") if isinstance(inf, dict) else 0
