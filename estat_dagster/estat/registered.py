"""Datasets (データセット) that the owner of an application ID has registered at e-Stat: parts of tables under a name.

They are read here (refDataset) and never made: the registry of the lake says which part of a table it holds.
Source: API 3.0 specification, 3.6 データセット参照.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from estat_dagster.estat.client import EstatClient
from estat_dagster.estat.models import TableInfo, as_node, as_nodes, number, parse_table, text
from estat_dagster.estat.pages import parse_document


@dataclass(frozen=True)
class RegisteredDataset:
    """A registered part of a table. `narrowing` is e-Stat's NARROWING_COND; a list of all datasets leaves it out."""

    id: str
    name: str
    is_public: bool
    total_number: int
    narrowing: dict[str, str]
    table: TableInfo


def list_registered(client: EstatClient) -> list[RegisteredDataset]:
    """Return the registered datasets that may be used.

    Raises:
        DataLakeError: as every request.
    """
    node = client.ask("refDataset", {}, lambda answer: parse_document(answer.body, "GET_DATASET_LIST"))
    listed = as_node(node.get("DATASET_LIST_INF"), "DATASET_LIST_INF")
    return [_dataset(each) for each in as_nodes(listed.get("DATASET_INF"), "DATASET_INF")]


def get_registered(client: EstatClient, registered_id: str) -> RegisteredDataset:
    """Return one registered dataset.

    Raises:
        ApiError: STATUS 300, there is none of that id.
    """
    asked = {"dataSetId": registered_id}
    node = client.ask("refDataset", asked, lambda answer: parse_document(answer.body, "REF_DATASET"))
    return _dataset(as_node(node.get("DATASET_INF"), "DATASET_INF"))


def _dataset(node: dict[str, Any]) -> RegisteredDataset:
    conditions = as_node(node.get("NARROWING_COND"), "NARROWING_COND")
    return RegisteredDataset(
        id=text(node.get("@id")),
        name=text(node.get("DATASET_NAME")),
        is_public=node.get("PUBLIC_STATE") == "YES",
        total_number=number(as_node(node.get("RESULT_INF"), "RESULT_INF"), "TOTAL_NUMBER"),
        narrowing={name: text(value) for name, value in conditions.items()},
        table=parse_table(node.get("TABLE_INF")),
    )
