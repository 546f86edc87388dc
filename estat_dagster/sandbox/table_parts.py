"""The parts that answers about a table share: TABLE_INF and CLASS_INF, with or without their explanations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from estat_dagster.sandbox import wire
from estat_dagster.sandbox.model import Axis, Item, Table, Wire
from estat_dagster.sandbox.parameters import Params


def explained(params: Params) -> bool:
    """Whether explanations are asked for: explanationGetFlg is not N."""
    return params.get("explanationGetFlg") != "N"


def table_inf(table: Table, *, explain: bool) -> Wire:
    """Return TABLE_INF; without explanations it has no DESCRIPTION and no TABLE_EXPLANATION."""
    inf = table.table_inf
    if explain:
        return inf
    title_spec = _without(inf["TITLE_SPEC"], "TABLE_EXPLANATION")
    return {**_without(inf, "DESCRIPTION"), "TITLE_SPEC": title_spec}


def class_inf(table: Table, items: Mapping[str, tuple[Item, ...]], *, explain: bool) -> Wire:
    """Return CLASS_INF with these items of each axis. An axis that has none left is not shown."""
    shown = [_class_obj(axis, items[axis.id], explain) for axis in table.axes if items[axis.id]]
    return {"CLASS_OBJ": wire.one_or_many(shown)}


def _class_obj(axis: Axis, items: tuple[Item, ...], explain: bool) -> Wire:
    classes = wire.one_or_many([_class(item) for item in items])
    explanations = [{"@id": code, "$": text} for code, text in axis.explanations] if explain else []
    parts = {
        "@id": axis.id,
        "@name": axis.name or None,
        "@description": axis.description if explain else None,
        "CLASS": classes,
        "EXPLANATION": wire.one_or_many(explanations) if explanations else None,
    }
    return _given(parts)


def _class(item: Item) -> Wire:
    parts = {
        "@code": item.code,
        "@name": item.name or None,
        "@level": item.level,
        "@unit": item.unit,
        "@parentCode": item.parent,
        "@addInf": item.added,
    }
    return _given(parts)


def _given(parts: Mapping[str, Any]) -> Wire:
    return {key: value for key, value in parts.items() if value is not None}


def _without(parts: Mapping[str, Any], name: str) -> Wire:
    return {key: value for key, value in parts.items() if key != name}
